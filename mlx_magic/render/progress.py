"""How far a download or a load is, in one calm line: bytes, rate, time left."""

import re

from ..events import DownloadProgress, LoadProgress
from ..units import format_bytes, format_seconds
from .markdown import escape, no_math

_BAR_CELLS = 24
_PART = re.compile(r"-(\d+)-of-(\d+)\.")  # model-00002-of-00003.safetensors


def progress_line(label: str, progress: DownloadProgress | LoadProgress) -> str:
    """What a load or a download is doing, in plain text."""
    if isinstance(progress, LoadProgress):
        return _loading_line(label, progress)
    done, total = format_bytes(progress.done_bytes), format_bytes(progress.total_bytes)
    facts = [f"{label}: {done} of {total}"]
    if part := _PART.search(progress.file):
        facts.append(f"part {int(part[1])} of {int(part[2])}")
    if progress.bytes_per_second > 0:
        facts.append(f"{format_bytes(int(progress.bytes_per_second))}/s")
    if progress.seconds_left is not None:
        facts.append(f"{format_seconds(progress.seconds_left)} left")
    return " · ".join(facts)


def _loading_line(label: str, progress: LoadProgress) -> str:
    if progress.stage != "reading":
        doing = {"waiting": "waiting for its turn …", "importing": "importing libraries …"}
        return f"{label}: {doing[progress.stage]}"
    done, total = format_bytes(progress.done_bytes), format_bytes(progress.total_bytes)
    return f"{label}: loading, {done} of {total}"


def progress_html(line: str, done_bytes: int, total_bytes: int) -> str:
    """The line with a bar that screen readers know."""
    return no_math(
        f'<progress value="{done_bytes}" max="{max(1, total_bytes)}" '
        f'aria-label="{escape(line)}"></progress> {escape(line)}'
    )


def progress_bar(done_bytes: int, total_bytes: int) -> str:
    """A bar of fixed width for a terminal."""
    full = round(_BAR_CELLS * done_bytes / max(1, total_bytes))
    return "[" + "#" * full + "." * (_BAR_CELLS - full) + "]"
