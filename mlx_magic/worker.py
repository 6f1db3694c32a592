"""The MLX thread: the one thread that loads, evaluates, generates and frees MLX arrays.

It knows nothing of models. Others hand it jobs: `call` for a value, `stream` for a generation.
Whoever waits for it stays interruptible, and a cancelled job stops at its next token or chunk.
"""

import atexit
import queue
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from .engines import device
from .engines.protocol import Cancelled, Control
from .errors import SessionEnded
from .events import Event, PrefillProgress

T = TypeVar("T")

_ENDED = "mlx_magic has been unloaded; run %load_ext mlx_magic again"

# How long a waiting thread sleeps before it looks whether the MLX thread is still there (after a
# fork it is not). An interrupt does not wait for it: it breaks a sleeping lock at once.
_POLL_SECONDS = 0.1

# How long an exiting interpreter waits for a job to reach its next token or chunk.
_EXIT_SECONDS = 60.0


class MLXThread:
    """A permanent daemon thread with a queue of jobs, started by the first one.

    Every job runs to its end before the next begins. At interpreter exit the running job is
    cancelled and the thread joined: a thread that still used MLX then would abort the process.
    """

    def __init__(self, name: str = "mlx-magic") -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._running: Job | None = None
        self._closed = False

    def submit(self, function: Callable[["Job"], T]) -> "Future[T]":
        """Run `function(job)` on the MLX thread later; `job.cancelled` tells it to give up."""
        return self._submit(function)[0]

    def call(self, function: Callable[["Job"], T], on_wait: Callable[[], None] | None = None) -> T:
        """Run `function(job)` on the MLX thread and wait for its value.

        An interrupt of the waiting thread cancels the job and is raised at once. `on_wait` is
        called ten times a second meanwhile, on the waiting thread.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("the MLX thread can't wait for itself")
        future, job = self._submit(function)
        try:
            while not _is_done(future, _POLL_SECONDS):
                self.require_alive()
                if on_wait is not None:
                    on_wait()
            return future.result()
        except Cancelled:
            raise SessionEnded(_ENDED) from None  # by whoever closed the thread
        except BaseException:  # an interrupt, for one; too late for what the job itself raised
            job.cancel()
            raise

    def _submit(self, function: Callable[["Job"], T]) -> "tuple[Future[T], Job]":
        future: Future[T] = Future()

        def run(job: Job) -> None:
            try:
                future.set_result(function(job))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                let_go(error)
                future.set_exception(error)

        job = Job(run)
        self._enqueue(job)
        return future, job

    def stream(
        self, generate: Callable[[Control], Iterator[Event]], done: Callable[[], None]
    ) -> "Stream":
        """Iterate `generate(control)` on the MLX thread; its events arrive in the `Stream`.

        `done` is called exactly once when the job has ended, whether or not it ran.
        """
        events: queue.SimpleQueue[Event | _End] = queue.SimpleQueue()
        ended = threading.Event()

        def run(job: Job) -> None:
            end = _End(None)
            try:
                job.on_prefill = events.put
                if not job.cancelled:
                    for event in generate(job):
                        events.put(event)
            except Cancelled:
                pass
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever iterates
                let_go(error)
                end = _End(error)
            finally:
                job.on_prefill = None
                try:
                    done()
                except Exception as error:  # noqa: BLE001 - the thread must outlive it
                    end = end if end.error else _End(error)
                events.put(end)
                ended.set()

        job = Job(run)
        self._enqueue(job)
        return Stream(events, ended, job, self)

    def require_alive(self) -> None:
        """Raise `SessionEnded` when nobody is there to do the jobs."""
        if self._thread is None or not self._thread.is_alive():
            raise SessionEnded(_ENDED)

    def close(self, timeout_seconds: float = _EXIT_SECONDS) -> None:
        """Cancel what runs and waits, end the thread and wait for it. Later jobs are refused."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread, running = self._thread, self._running
        atexit.unregister(self.close)
        if thread is None:
            return
        if running is not None:
            running.cancel()
        self._jobs.put(None)
        thread.join(timeout_seconds)

    def _enqueue(self, job: "Job") -> None:
        with self._lock:
            if self._closed:
                raise SessionEnded(_ENDED)
            if self._thread is None:
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._jobs.put(job)

    def _work(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                with self._lock:
                    self._running = job
                if self._closed:
                    job.cancel()
                job.run()
                with self._lock:
                    self._running = None
                del job  # the next wait must not hold the last job's arrays
        finally:
            device.leave_thread()


class Job:
    """One job of the MLX thread, seen from inside (a `Control`) and from whoever asked for it."""

    def __init__(self, run: Callable[["Job"], None]) -> None:
        self._run: Callable[[Job], None] | None = run
        self._cancel = threading.Event()
        self.on_prefill: Callable[[PrefillProgress], None] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the result is no longer wanted."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask the job to stop at its next token or chunk."""
        self._cancel.set()

    def prefill(self, progress: PrefillProgress) -> None:
        """Hand on how much of the prompt is read; raises `Cancelled` after a cancel."""
        if self.cancelled:
            raise Cancelled
        if self.on_prefill is not None:
            self.on_prefill(progress)

    def run(self) -> None:
        """Run once, then forget what the job refers to."""
        run, self._run = self._run, None
        if run is not None:
            run(self)


class _End:
    """The end of a stream, with the error that ended it, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Stream(Iterator[Event]):
    """The events of one generation, as they arrive. Dropping it cancels the generation."""

    def __init__(
        self,
        events: "queue.SimpleQueue[Event | _End]",
        ended: threading.Event,
        job: Job,
        thread: MLXThread,
    ) -> None:
        self._events = events
        self._all_there = ended
        self._job = job
        self._thread = thread
        self._waiting: Event | _End | None = None  # what `wait` has taken out already
        self._ended = False
        weakref.finalize(self, job.cancel).atexit = False

    def __next__(self) -> Event:
        if self._ended:
            raise StopIteration
        while not self.wait(_POLL_SECONDS):
            self._thread.require_alive()
        event, self._waiting = self._waiting, None
        assert event is not None
        if not isinstance(event, _End):
            return event
        self._ended = True
        if event.error is not None:
            raise event.error
        raise StopIteration

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for the next event, at most so long; whether there is one (or the end)."""
        if self._waiting is None:
            try:
                self._waiting = self._events.get(timeout=timeout_seconds)
            except queue.Empty:
                return False
        return True

    def rest(self, timeout_seconds: float) -> None:
        """Let events gather, at most so long and not beyond the last one.

        Taking each as it comes would wake this thread for every token, at the cost of the one
        that generates.
        """
        self._all_there.wait(timeout_seconds)

    def cancel(self) -> None:
        """Stop the generation at its next token or chunk; the events until then still arrive."""
        self._job.cancel()

    def remaining(self, timeout_seconds: float) -> Iterator[Event]:
        """The events that still arrive within the timeout (after a cancel: the last few)."""
        while not self._ended and self.wait(timeout_seconds):
            event, self._waiting = self._waiting, None
            if isinstance(event, _End):
                self._ended = True
            elif event is not None:
                yield event


def _is_done(future: Future[Any], timeout_seconds: float) -> bool:
    """Wait for the future, at most so long; whether it has a value or an error."""
    try:
        future.exception(timeout_seconds)
    except TimeoutError:
        return False
    return True


def let_go(error: BaseException) -> None:
    """Free what an error's frames hold: half-loaded weights, a KV cache. The lines stay."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
    device.free_unused()
