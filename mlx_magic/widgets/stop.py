"""The line under a long answer: a button that stops it, and what it is doing."""

from collections.abc import Callable
from typing import Any

from IPython.display import display

from ..render.reply import FOOTER_HEIGHT
from .comms import all_of, hear_while_busy

_over: list[Any] = []  # lines of answers that have ended, until the next one comes


def _close_lines() -> None:
    """Close the widgets of lines that are over."""
    while _over:
        for widget in all_of(_over.pop()):
            widget.close()


class StopLine:
    """A button with a status, in an output of their own; a click calls `stop` on another thread.

    Raises `ImportError` without ipywidgets.
    """

    def __init__(self, stop: Callable[[], None], status: str) -> None:
        from ipywidgets import Button, HBox, Label, Layout

        _close_lines()
        self._stop = stop
        self._button = Button(
            description="Stop",
            tooltip="Stop this answer and keep what there is",
            layout=Layout(width="6em", height="24px", margin="0 8px 0 0"),
        )
        self._status = Label(status, layout=Layout(margin="0", height="24px"))
        layout = Layout(height=f"{FOOTER_HEIGHT}px", margin="0 0 0 8px", align_items="center")
        self._line = HBox([self._button, self._status], layout=layout)
        self._button.on_click(self._clicked)
        hear_while_busy(self._button)
        # For front ends that know no widgets; it is replaced when the answer ends.
        bundle = self._line._repr_mimebundle_() | {"text/html": "", "text/plain": ""}
        self._handle: Any = display(bundle, raw=True, display_id=True)

    def say(self, status: str) -> None:
        """Show another status."""
        if not self._button.disabled:
            self._status.value = status

    def become(self, bundle: dict[str, str]) -> None:
        """Put something else in the line's place; a saved notebook then holds no widget."""
        self._handle.update(bundle, raw=True)
        # JupyterLab may still be about to draw it: closed at once, it would be an error there.
        _over.append(self._line)

    def _clicked(self, _: Any) -> None:
        self._button.disabled = True
        self._status.value = "stopping …"
        self._stop()
