"""The line about a load or a download."""

import time
from typing import Any

from ..events import DownloadProgress, LoadProgress
from ..plain import plain_text
from ..render.markdown import escape, no_math
from ..render.progress import progress_bar, progress_html, progress_line
from .displays import LiveDisplay, in_notebook, write

# A load that takes longer says what it is doing, then again after this long.
_PATIENCE_SECONDS, _AGAIN_SECONDS = 2.0, 0.7


class LiveLine:
    """One line that shows a download or a long load and then becomes the result."""

    def __init__(self, shell: Any, label: str) -> None:
        self._label = label
        self._display = LiveDisplay() if in_notebook(shell) else None
        self._progress: DownloadProgress | None = None
        self._next_word = 0.0
        self._width = 0

    @property
    def line(self) -> str:
        """The download so far, as text; empty when there is none."""
        return progress_line(self._label, self._progress) if self._progress else ""

    def progress(self, progress: DownloadProgress | LoadProgress) -> None:
        """Show how far the download or the load is."""
        if isinstance(progress, LoadProgress):
            self._loading(progress)
        else:
            self._progress = progress
            self._show(self.line, progress)

    def _loading(self, progress: LoadProgress) -> None:
        """A load is told about ten times a second; a quick one says nothing."""
        now = time.monotonic()
        if now < self._next_word:
            return
        if self._next_word:  # not the first that is heard of it
            self._show(progress_line(self._label, progress), progress)
        self._next_word = now + (_PATIENCE_SECONDS if not self._next_word else _AGAIN_SECONDS)

    def _show(self, line: str, progress: DownloadProgress | LoadProgress) -> None:
        done, total = progress.done_bytes, progress.total_bytes
        if self._display is not None:
            html = progress_html(line, done, total)
            self._display.show({"text/html": html, "text/plain": plain_text(line)})
        else:
            self._rewrite(f"{progress_bar(done, total)} {line}")

    def finish(self, text: str) -> None:
        """Show the result in the place of the progress."""
        if self._display is not None and self._display.shown:
            html = no_math(escape(text))
            self._display.show({"text/html": html, "text/plain": plain_text(text)})
        else:
            self._rewrite(text, end="\n")

    def _rewrite(self, text: str, end: str = "") -> None:
        """Write over the line that stands there (a terminal; a notebook has only the last)."""
        write(("\r" if self._width else "") + plain_text(text).ljust(self._width) + end)
        self._width = len(text)
