"""Where a running cell writes: one display that is updated, or a terminal."""

import sys
from typing import Any

from IPython.display import display


def in_notebook(shell: Any) -> bool:
    """Whether the shell's displays can be updated (a kernel) or only printed (a terminal)."""
    return hasattr(shell, "kernel")


class LiveDisplay:
    """One output of the cell; made by the first `show`, then updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    @property
    def shown(self) -> bool:
        """Whether anything has been displayed."""
        return self._handle is not None

    def show(self, bundle: dict[str, str]) -> None:
        """Display a MIME bundle, in place of the last one."""
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def write(text: str) -> None:
    """Print at once, without an end of line."""
    sys.stdout.write(text)
    sys.stdout.flush()
