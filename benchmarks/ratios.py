"""Figures beside their bars: the median of some runs, the range, and which bars were missed.

Imports nothing heavy, so that a machine without the development tools can measure too.
"""

import statistics
from collections.abc import Sequence

missed: list[str] = []


def summary(values: Sequence[float], unit: str = "", scale: float = 1.0) -> str:
    """The median of some runs, with the smallest and the largest."""
    low, high = min(values) * scale, max(values) * scale
    return f"{statistics.median(values) * scale:.3g}{unit} ({low:.3g} to {high:.3g})"


def judge(
    what: str,
    values: Sequence[float],
    unit: str = "",
    scale: float = 1.0,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> None:
    """Print a figure beside its bar, and note in `missed` when the median misses it."""
    median = statistics.median(values) * scale
    good = median <= at_most if at_most is not None else median >= (at_least or 0)
    bar = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    print(
        f"  {what}  {summary(values, unit, scale)}   bar: {bar}{unit}{'' if good else '   MISSED'}"
    )
    if not good:
        missed.append(what)
