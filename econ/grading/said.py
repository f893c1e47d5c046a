"""What a grader makes of one explicit form."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """``answer`` in normal form. Not ``firm``: it stands somewhere in the form's sentence, not at its
    start, so an earlier form that states a value goes before it. ``UNCLEAR`` states something that is not
    one answer: no earlier form is looked at. ``NOTHING`` states none."""

    answer: str | None
    firm: bool = True


NOTHING = Said(None, firm=False)
UNCLEAR = Said(None)
