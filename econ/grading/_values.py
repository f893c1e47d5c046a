"""Parsed expressions compared by their values at a few points: exact to 40 digits, and quick.

math-verify's own comparison has an absolute tolerance (it takes 2^-98 for 2^-99), and it expands and
simplifies, which a high power makes slow. So it is asked only about what has no values: odd sets, rounded
decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

DIGITS = 60
EXACT = 1e-40  # relative
ROUNDED = 1e-6  # relative, where an expression holds a decimal
_POINTS = (
    (0.7390851, 1.3247179, 0.5671432, 1.9021605, 0.9159655, 1.6449340),
    (-0.6180339, 1.2020569, -1.7724538, 0.8346268, -0.2614972, 2.6854520),
    (2.5029078, -0.3036630, 1.4513692, -2.8077702, 0.1878596, -0.5925327),
)  # without a pattern, of both signs: |x| is not x


def alike(a: Any, b: Any) -> bool | None:
    """Do two parsed expressions say the same? None: their values do not tell."""
    from sympy import Expr, FiniteSet, Interval, MatrixBase, Tuple
    from sympy.core.relational import Equality

    a, b = _member(a), _member(b)
    if isinstance(a, Equality) and isinstance(b, Equality):
        return _proportional(a.lhs - a.rhs, b.lhs - b.rhs)
    if _is_condition(a) or _is_condition(b):
        return _conditions(a, b)
    if isinstance(a, FiniteSet) and isinstance(b, FiniteSet):
        return _matched(list(a.args), list(b.args))
    if isinstance(a, Interval) and isinstance(b, Interval):
        if (a.left_open, a.right_open) != (b.left_open, b.right_open):
            return False
        return _every([alike(a.start, b.start), alike(a.end, b.end)])
    if isinstance(a, MatrixBase) and isinstance(b, MatrixBase):
        return a.shape == b.shape and _every([alike(x, y) for x, y in zip(a, b, strict=True)])
    if isinstance(a, Tuple) and isinstance(b, Tuple):
        return len(a) == len(b) and _every([alike(x, y) for x, y in zip(a, b, strict=True)])
    if isinstance(a, Expr) and isinstance(b, Expr):
        return _equal(a, b)
    return None


def _member(value: Any) -> Any:
    """``x \\in S``, which the parser reads as an equation, as S."""
    from sympy import Set
    from sympy.core.relational import Equality

    return value.rhs if isinstance(value, Equality) and isinstance(value.rhs, Set) else value


def _equal(a: Any, b: Any) -> bool | None:
    from sympy import Float

    if a == b:
        return True
    a, b = _real(a), _real(b)
    if not a.free_symbols and not b.free_symbols:
        x, y = a.doit(), b.doit()
        if x.is_Rational and y.is_Rational:
            return bool(x == y)
    rounded = bool(a.atoms(Float) | b.atoms(Float))
    told = None
    for x, y in _valued(a, b):
        if x is None or y is None:
            return None
        if abs(x - y) > (ROUNDED if rounded else EXACT) * max(abs(x), abs(y)):
            return False
        told = None if rounded else True
    return told


def _proportional(a: Any, b: Any) -> bool | None:
    """Two equations, each brought to one side: the same up to a constant factor."""
    ratio = None
    for x, y in _valued(_real(a), _real(b)):
        if x is None or y is None or abs(x) < EXACT or abs(y) < EXACT:
            return None
        if ratio is not None and abs(x / y - ratio) > 1e-12 * abs(ratio):
            return False
        ratio = x / y
    return True if a.free_symbols else None


def _valued(a: Any, b: Any) -> list[tuple[Any, Any]]:
    """Values at the points; None: no finite number."""
    symbols = sorted(a.free_symbols | b.free_symbols, key=str)
    if len(symbols) > len(_POINTS[0]):
        return [(None, None)]
    points = _POINTS if symbols else _POINTS[:1]
    return [(_value(a, symbols, point), _value(b, symbols, point)) for point in points]


def _value(expression: Any, symbols: Sequence[Any], point: Sequence[float]) -> Any:
    try:
        value = expression.evalf(DIGITS, subs=dict(zip(symbols, point, strict=False)))
    except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        return None
    return value if value.is_number and value.is_finite and value.is_comparable is not None else None


def _real(expression: Any) -> Any:
    """With i as the imaginary unit, and odd roots of negative numbers as the real ones of school."""
    from sympy import I, Pow

    expression = expression.xreplace({symbol: I for symbol in expression.free_symbols if symbol.name == "i"})

    def is_odd_root(part: Any) -> bool:
        if not isinstance(part, Pow) or not part.exp.is_number or not part.base.is_number:
            return False
        exponent = part.exp.doit()
        return bool(
            exponent.is_Rational and exponent.q % 2 and exponent.q > 1 and part.base.doit().is_negative
        )

    def real_root(part: Any) -> Any:
        exponent = part.exp.doit()
        return (-1) ** exponent.p * (-part.base.doit()) ** exponent

    return expression.replace(is_odd_root, real_root)


def _conditions(a: Any, b: Any) -> bool | None:
    """Inequalities: as sets of numbers (``x > 3`` is ``(3, \\infty)``), else term by term."""
    first, second = _as_set(a), _as_set(b)
    if first is not None and second is not None:
        verdict = alike(first, second)
        return bool(first == second) if verdict is None else verdict
    if not (getattr(a, "is_Relational", False) and getattr(b, "is_Relational", False)):
        return None
    a, b = a.canonical, b.canonical
    if a.rel_op != b.rel_op:
        a = a.reversed
    if a.rel_op != b.rel_op:
        return False
    return bool((a.lhs - a.rhs - b.lhs + b.rhs).expand() == 0)


def _as_set(condition: Any) -> Any:
    from sympy import FiniteSet, Interval, Union

    if isinstance(condition, Interval):
        return condition
    if isinstance(condition, Union):
        return condition
    if isinstance(condition, FiniteSet) and condition.args and all(map(_is_condition, condition.args)):
        parts = [_as_set(part) for part in condition.args]
        return None if None in parts else Union(*parts)
    if not _is_condition(condition) or len(condition.free_symbols) != 1:
        return None
    try:
        return condition.as_set()
    except (NotImplementedError, TypeError, ValueError, AttributeError):
        return None


def _is_condition(value: Any) -> bool:
    from sympy import And, FiniteSet, Or
    from sympy.core.relational import Equality, Relational

    if isinstance(value, FiniteSet):
        return bool(value.args) and all(map(_is_condition, value.args))
    return isinstance(value, And | Or) or (isinstance(value, Relational) and not isinstance(value, Equality))


def _matched(a: list[Any], b: list[Any]) -> bool | None:
    """Sets: each element has one like it; None where one of the comparisons does not tell."""
    if len(a) != len(b):
        return None
    unclear = False
    for x in a:
        verdicts = [alike(x, y) for y in b]
        if True in verdicts:
            b = [y for place, y in enumerate(b) if place != verdicts.index(True)]
        elif None in verdicts:
            unclear = True
        else:
            return False
    return None if unclear else True


def _every(verdicts: Sequence[bool | None]) -> bool | None:
    if False in verdicts:
        return False
    return None if None in verdicts else True
