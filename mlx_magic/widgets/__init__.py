"""What is clicked in a notebook: the live pool panel, and clicks that are heard while a cell runs.

Importing this package is quick; ipywidgets is imported by the first panel.
"""

import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sessions import Session


def available() -> bool:
    """Whether ipywidgets is installed, so that panels can be live."""
    return importlib.util.find_spec("ipywidgets") is not None


def show_panel(session: "Session", cell: str | None) -> None:
    """Display the live panel as the running cell's output, in place of an earlier one of `cell`."""
    from .panel import PoolPanel
    from .watcher import watcher_of

    watcher = watcher_of(session)
    watcher.show(lambda view: PoolPanel(watcher, view, cell))


def close_panels() -> int:
    """Close every live panel; their snapshots stay. Returns how many there were."""
    watcher = sys.modules.get(f"{__name__}.watcher")
    return 0 if watcher is None else watcher.close_all()
