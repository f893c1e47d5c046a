"""The tables: from the jobs' results to one data frame each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from econ.params import Params
from econ.reporting import catalogue, measured
from econ.reporting.catalogue import Table
from econ.reporting.gather import Result
from econ.reporting.pool import Row, Run

if TYPE_CHECKING:
    import pandas as pd


def build(results: Sequence[Result], params: Params) -> dict[str, pd.DataFrame]:
    """Every table by its name, empty ones with their columns."""
    documents = (measured.read(listed(params)) for listed in (measured.certificates, measured.regrets))
    run = Run(tuple(results), *documents)
    return {name: framed(table, table.rows(run)) for name, table in catalogue.tables(params).items()}


def framed(table: Table, rows: Iterable[Row]) -> pd.DataFrame:
    """Columns in the order they appear; those that are shown, where a table has no rows."""
    import pandas as pd

    rows = list(rows)
    bounds = [b for c in table.columns.values() for b in (c.low, c.high) if b]
    columns = dict.fromkeys(key for row in rows for key in row) or [
        *table.columns,
        *bounds,
        "simulated",
        "recorded",
    ]
    return pd.DataFrame(rows, columns=list(columns))
