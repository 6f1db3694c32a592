"""Threads that move bytes over the network and can be stopped at any moment.

They know nothing of models or files: an owner hands them items and a function that fetches one.
The owner's own thread only waits, so that an interrupt reaches it at once.
"""

import atexit
import functools
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from .errors import DownloadFailed

T = TypeVar("T")


class Stopped(Exception):
    """Ends a worker whose download was stopped."""


class Line:
    """A worker's way to the network, which another thread can cut at any moment."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._response: Any = None

    @contextmanager
    def open(self, url: str, headers: dict[str, str]) -> Iterator[Any]:
        """Stream the answer to a GET request."""
        from huggingface_hub import constants
        from huggingface_hub.utils import get_session  # type: ignore[attr-defined]  # lazy

        timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
        with get_session().stream(
            "GET", url, headers=headers, timeout=timeout, follow_redirects=True
        ) as response:
            self._response = response
            try:
                self.check()
                yield response
            finally:
                self._response = None

    def check(self) -> None:
        """Raise Stopped when the download was stopped."""
        if self._stopping.is_set():
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Wait; raise Stopped at once when the download is stopped."""
        if self._stopping.wait(seconds):
            raise Stopped

    def cut(self) -> None:
        """End a read that is waiting for bytes (called from another thread)."""
        response = self._response
        stream = response.extensions.get("network_stream") if response is not None else None
        raw = stream.get_extra_info("socket") if stream is not None else None
        if raw is not None:
            # The plain socket's shutdown: the TLS one would drop its state under the reader.
            with suppress(OSError):
                socket.socket.shutdown(raw, socket.SHUT_RDWR)


class Workers(Generic[T]):
    """Daemon threads that take items from one queue until it is empty or one of them fails.

    Leaving the `with` block stops them: a Ctrl-C in the owner's thread ends every transfer.
    """

    def __init__(
        self, fetch: Callable[[T, Line], None], items: Collection[T], workers: int
    ) -> None:
        self._fetch = fetch
        self._waiting = deque(items)
        self._error: BaseException | None = None
        self._stopping = threading.Event()
        self._lines = [Line(self._stopping) for _ in range(min(workers, len(items)))]
        self._threads = [
            threading.Thread(
                target=self._work, args=(line,), name="mlx_magic-download", daemon=True
            )
            for line in self._lines
        ]

    def __enter__(self) -> Self:
        _stop_at_exit(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin (inside the `with` block, so that a Ctrl-C from now on stops every thread)."""
        for thread in self._threads:
            thread.start()

    def _work(self, line: Line) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    item = self._waiting.popleft()
                except IndexError:
                    return
                self._fetch(item, line)
        except Stopped:
            return
        except BaseException as error:  # noqa: BLE001 - the owner raises it in its own thread
            if not self._stopping.is_set():
                self._error = error
                self._stopping.set()

    def wait(self, seconds: float) -> bool:
        """Whether all is done, after at most `seconds`; raises the first error of a worker."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            # In short steps: a join can't be interrupted on every platform, a short one ends.
            while thread.is_alive() and (left := deadline - time.monotonic()) > 0:
                thread.join(min(left, 0.05))
        if self._error is not None:
            raise self._error
        if self._stopping.is_set():
            raise _python_is_ending()
        _check_interpreter()
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Tell the workers to end, cut their connections and give them a quarter second.

        One that is still connecting after that reads and writes nothing any more: it ends at the
        client's timeout, and being a daemon it holds up nobody.
        """
        self._stopping.set()
        deadline = time.monotonic() + 0.25
        while any(thread.is_alive() for thread in self._threads):
            for line in self._lines:
                line.cut()
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)


def wait_for(action: Callable[[], None]) -> None:
    """Run a short network call in a daemon thread, so that Ctrl-C needn't wait for its timeout."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="mlx_magic-lookup", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
        _check_interpreter()
    if errors:
        raise errors[0]


def _check_interpreter() -> None:
    """A thread that isn't the main one must not keep a leaving interpreter alive."""
    if not threading.main_thread().is_alive():
        raise _python_is_ending()


def _python_is_ending() -> DownloadFailed:
    return DownloadFailed("the download stopped because Python is ending; load again to resume")


_running: weakref.WeakSet[Workers[Any]] = weakref.WeakSet()


def _stop_at_exit(workers: Workers[Any]) -> None:
    _running.add(workers)
    _register_exit_hook()


@functools.cache
def _register_exit_hook() -> None:
    atexit.register(_stop_all)


def _stop_all() -> None:
    for workers in list(_running):
        workers.stop()
