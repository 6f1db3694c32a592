"""Messages of widgets that are heard while a cell runs."""

from typing import Any


def hears_while_busy(kernel: Any) -> bool:
    """Whether the kernel can take a click while a cell runs (ipykernel 7, in a subshell)."""
    return bool(getattr(kernel, "_supports_kernel_subshells", False))


def hear_while_busy(*widgets: Any) -> None:
    """Let the widgets' messages be handled beside a running cell, where the kernel can.

        hear_while_busy(button)
        button.on_click(lambda _: actions.put("stop"))  # in another thread: nothing but enqueue

    JupyterLab sends them to a subshell of the kernel. ipykernel 7.4.0 hands them to the shell that
    last published on the widget's comm instead, which is the busy one for a widget that a cell
    made; earlier versions have no such method, so there is nothing to undo in them.
    """
    for widget in widgets:
        comm: Any = getattr(widget, "comm", None)
        # `Kernel.shell_channel_thread_main` leaves a message where it was sent if this is None.
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = None


def all_of(widget: Any) -> list[Any]:
    """A widget with all that it is made of."""
    inner = [part for child in getattr(widget, "children", ()) for part in all_of(child)]
    own = [getattr(widget, "layout", None), getattr(widget, "style", None)]
    return [widget, *(part for part in own if part is not None), *inner]
