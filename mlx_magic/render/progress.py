"""A download's progress in one calm line: bytes, rate, time left."""

from ..units import format_bytes, format_seconds
from .markdown import escape

_BAR_CELLS = 24


def progress_line(
    label: str,
    done_bytes: int,
    total_bytes: int,
    bytes_per_second: float,
    seconds_left: float | None,
) -> str:
    """The facts of a progress bar, in plain text."""
    facts = [f"{label}: {format_bytes(done_bytes)} of {format_bytes(total_bytes)}"]
    if bytes_per_second > 0:
        facts.append(f"{format_bytes(int(bytes_per_second))}/s")
    if seconds_left is not None:
        facts.append(f"{format_seconds(seconds_left)} left")
    return " · ".join(facts)


def progress_html(line: str, done_bytes: int, total_bytes: int) -> str:
    """The line with a bar that screen readers know."""
    return (
        f'<div><progress value="{done_bytes}" max="{max(1, total_bytes)}" '
        f'aria-label="download"></progress> {escape(line)}</div>'
    )


def progress_bar(done_bytes: int, total_bytes: int) -> str:
    """A bar of fixed width for a terminal."""
    full = round(_BAR_CELLS * done_bytes / max(1, total_bytes))
    return "[" + "#" * full + "." * (_BAR_CELLS - full) + "]"
