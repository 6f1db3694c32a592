"""The watcher: one thread that looks at the pool twice a second and repaints what has changed.

It knows no widget. Once made, panels are painted on its thread only, so that none needs a lock;
clicks reach it through a queue. It holds values of the pool and no model, and never waits for the
MLX thread: what may wait runs aside, in a thread of its own.
"""

import atexit
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from ..errors import MlxMagicError
from ..events import PoolStatus, SystemMemory
from ..plain import one_line
from ..render.panel import SAMPLE_SECONDS, SAMPLES
from ..sessions import Session

LOOK_SECONDS = 0.5
REST_SECONDS = 2.0  # between two updates of what is saved with the notebook
_EXIT_SECONDS = 2.0
_MOST_PANELS = 8  # of cells that were deleted, too: nobody tells a kernel
_SYSTEM_SHARE = 0.04  # of the system's memory; less is the noise of other programs


@dataclass(frozen=True)
class View:
    """What there is to see at one moment. `samples` are the most that MLX held in each stretch."""

    status: PoolStatus
    system: SystemMemory
    samples: tuple[int, ...]
    at: datetime


class Panel(Protocol):
    """Something that shows the pool."""

    key: str | None

    def paint(self, view: View) -> None:
        """Show it live."""

    def rest(self, view: View) -> None:
        """Show it in what is saved; nothing has changed for a moment."""

    def close(self, view: View) -> None:
        """Take the live part away."""


class Watcher:
    """The panels of one session and the thread that paints them, which lives as long as they do."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = threading.Lock()
        self._panels: list[Panel] = []
        self._posts: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._samples: deque[int] = deque(maxlen=SAMPLES)
        self._sampled = 0.0
        self._view: View | None = None  # the last one that was painted
        self._saved: View | None = None  # the last one that was put into what is saved
        self._saved_at = 0.0

    def show(self, make: Callable[[View], Panel]) -> None:
        """Make a panel of the present view and keep it painted, in place of one of its cell."""
        view = self._look()
        panel = make(view)
        with self._lock:
            if self._view is None:
                self._view = self._saved = view
            same = [p for p in self._panels if p.key is not None and p.key == panel.key]
            old = same or self._panels[: max(0, len(self._panels) + 1 - _MOST_PANELS)]
            self._panels = [p for p in self._panels if p not in old] + [panel]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="mlx-magic-panel", daemon=True
                )
                self._thread.start()
                atexit.register(self._stop)
        for gone in old:
            self.post(partial(gone.close, view))

    def post(self, action: Callable[[], None]) -> None:
        """Run a quick action on the watcher's thread, then repaint. From any thread, at once."""
        self._posts.put(action)

    def aside(self, work: Callable[[], str | None], done: Callable[[str | None], None]) -> None:
        """Do what may wait for an answer to end, in a thread of its own.

        The line that it returns, or its error's, goes to `done` on the watcher's thread.
        """

        def run() -> None:
            try:
                line = work()
            except (MlxMagicError, ValueError) as error:
                line = str(error)
            except Exception as error:  # noqa: BLE001 - a click has no traceback to show it in
                line = f"{type(error).__name__}: {error}"
            self.post(lambda: done(line and one_line(line)))

        threading.Thread(target=run, name="mlx-magic-panel-aside", daemon=True).start()

    def close(self) -> int:
        """Close every panel and end the thread; how many there were. Not from that thread."""
        self._stop()
        panels, self._panels = self._panels, []
        for panel in panels:
            self._guarded(lambda panel=panel: panel.close(self._look()))  # type: ignore[misc]
        return len(panels)

    def _stop(self) -> None:
        """End the thread; all that an exiting interpreter needs."""
        atexit.unregister(self._stop)
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._posts.put(None)
            thread.join(_EXIT_SECONDS)

    # On the watcher's thread.

    def _run(self) -> None:
        asked = False
        while True:
            self._guarded(partial(self._tick, asked))
            asked = False
            try:
                action = self._posts.get(timeout=LOOK_SECONDS)
                while True:  # all that are there, for one painting
                    if action is None:
                        return
                    self._guarded(action)
                    asked = True
                    action = self._posts.get_nowait()
            except queue.Empty:
                pass

    def _tick(self, asked: bool) -> None:
        view, last = self._look(), self._view
        changed = last is None or _differs(view, last)
        if changed or last is None:
            self._view = last = view
        with self._lock:
            panels = list(self._panels)
        for panel in panels if changed or asked else ():
            self._guarded(partial(panel.paint, last))
        at_rest = not changed and not any(r.busy for r in view.status.residents)
        now = time.monotonic()
        if at_rest and self._saved is not last and now - self._saved_at >= REST_SECONDS:
            self._saved, self._saved_at = last, now
            for panel in panels:
                self._guarded(partial(panel.rest, last))

    def _look(self) -> View:
        status = self.session.pool.status()
        with self._lock:
            now = time.monotonic()
            if now - self._sampled >= SAMPLE_SECONDS or not self._samples:
                self._samples.append(status.active_bytes)
                self._sampled = now
            else:
                self._samples[-1] = max(self._samples[-1], status.active_bytes)
            samples = tuple(self._samples)
        return View(status, self.session.system_memory(), samples, datetime.now(UTC))

    def _guarded(self, action: Callable[[], None]) -> None:
        """A bug in one panel must not end the others; the notebook's log shows it."""
        try:
            action()
        except Exception:
            logging.getLogger(__name__).exception("the pool panel")


def _differs(view: View, last: View) -> bool:
    """Whether there is anything worth a message."""
    if view.status != last.status:
        return True
    moved = abs(view.system.available_bytes - last.system.available_bytes)
    return moved > _SYSTEM_SHARE * view.system.total_bytes


_lock = threading.Lock()
_watcher: Watcher | None = None


def watcher_of(session: Session) -> Watcher:
    """The watcher of the session, made on the first call."""
    global _watcher
    with _lock:
        if _watcher is not None and _watcher.session is not session:  # of one that has ended
            _watcher.close()
            _watcher = None
        if _watcher is None:
            _watcher = Watcher(session)
        return _watcher


def close_all() -> int:
    """Close every panel and end the watcher; how many panels there were."""
    global _watcher
    with _lock:
        watcher, _watcher = _watcher, None
    return 0 if watcher is None else watcher.close()
