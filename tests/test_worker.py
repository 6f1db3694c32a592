"""The MLX thread: one thread, interruptible waits, cancel, errors that hold nothing, clean ends."""

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from mlx_magic.engines.protocol import Cancelled, Control
from mlx_magic.errors import SessionEnded
from mlx_magic.events import Event, PrefillProgress, TextDelta
from mlx_magic.worker import MLXThread


@pytest.fixture
def thread() -> Iterator[MLXThread]:
    made = MLXThread()
    yield made
    made.close()


def test_every_job_runs_on_one_and_the_same_thread(thread: MLXThread) -> None:
    idents = {thread.call(lambda _: threading.get_ident()) for _ in range(5)}
    assert len(idents) == 1 and threading.get_ident() not in idents


def test_an_error_arrives_with_its_lines_but_without_its_variables(thread: MLXThread) -> None:
    class Weights:
        pass

    kept: list[Any] = []

    def load(_: Any) -> None:
        weights = Weights()
        kept.append(weakref.ref(weights))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        thread.call(load)
    gc.collect()
    assert kept[0]() is None
    assert any(entry.name == "load" for entry in caught.traceback)


def test_a_timeout_error_of_a_job_is_not_taken_for_waiting(thread: MLXThread) -> None:
    def fail(_: Any) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        thread.call(fail)


def test_a_stream_delivers_its_events_in_order_then_ends(thread: MLXThread) -> None:
    ended = threading.Event()

    def generate(control: Control) -> Iterator[Event]:
        control.prefill(PrefillProgress(1, 2))
        yield TextDelta("a")
        yield TextDelta("b")

    stream = thread.stream(generate, ended.set)
    assert list(stream) == [PrefillProgress(1, 2), TextDelta("a"), TextDelta("b")]
    assert ended.is_set()
    assert list(stream) == []


def test_an_error_in_a_stream_comes_after_what_it_had_said(thread: MLXThread) -> None:
    def generate(_: Control) -> Iterator[Event]:
        yield TextDelta("a")
        raise ValueError("broke")

    stream = thread.stream(generate, lambda: None)
    assert next(stream) == TextDelta("a")
    with pytest.raises(ValueError, match="broke"):
        next(stream)


def _endless(control: Control) -> Iterator[Event]:
    while not control.cancelled:
        time.sleep(0.002)
        yield TextDelta("x")


def test_a_cancelled_stream_stops_and_its_last_events_still_arrive(thread: MLXThread) -> None:
    ended = threading.Event()
    stream = thread.stream(_endless, ended.set)
    next(stream)
    stream.cancel()
    list(stream.remaining(2))
    assert ended.wait(2)


def test_a_dropped_stream_stops_by_itself(thread: MLXThread) -> None:
    ended = threading.Event()
    stream = thread.stream(_endless, ended.set)
    next(stream)
    del stream
    gc.collect()
    assert ended.wait(2)


def test_a_cancel_during_prefill_raises_inside_the_engine(thread: MLXThread) -> None:
    raised = threading.Event()

    def generate(control: Control) -> Iterator[Event]:
        try:
            while True:
                time.sleep(0.002)
                control.prefill(PrefillProgress(0, 1))
        except Cancelled:
            raised.set()
            raise
        yield TextDelta("never")

    stream = thread.stream(generate, lambda: None)
    next(stream)
    stream.cancel()
    assert raised.wait(2)
    assert TextDelta("never") not in list(stream)


def test_a_stream_cancelled_before_its_turn_never_starts(thread: MLXThread) -> None:
    started, ended = threading.Event(), threading.Event()

    def generate(_: Control) -> Iterator[Event]:
        started.set()
        yield TextDelta("never")

    gate = threading.Event()
    thread.submit(lambda _: gate.wait(5))
    stream = thread.stream(generate, ended.set)
    stream.cancel()
    gate.set()
    assert ended.wait(2) and not started.is_set()


def test_closing_ends_the_thread_and_refuses_later_jobs() -> None:
    thread = MLXThread()
    ident = thread.call(lambda _: threading.current_thread())
    stream = thread.stream(_endless, lambda: None)
    next(stream)
    thread.close()
    assert not ident.is_alive()
    with pytest.raises(SessionEnded, match="%load_ext mlx_magic"):
        thread.call(lambda _: None)


def test_an_ended_job_is_forgotten(thread: MLXThread) -> None:
    class Model:
        pass

    model = Model()
    ref = weakref.ref(model)
    thread.call(lambda _, model=model: None)
    del model
    thread.call(lambda _: None)
    gc.collect()
    assert ref() is None


ENDINGS = {
    "idle": "thread.call(lambda _: mx.eval(mx.ones(3) @ mx.ones(3)))",
    "closed": "thread.call(lambda _: mx.eval(mx.ones(3) + 1)); thread.close()",
    "busy": "s = thread.stream(busy, lambda: None); next(s)",
    "queued": "thread.submit(lambda j: [mx.eval(mx.ones(3) + 1) for _ in range(50)])",
    "dropped": "next(thread.stream(busy, lambda: None))",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_interpreter_that_exits_while_mlx_works_ends_with_a_clean_code(ending: str) -> None:
    program = f"""
import mlx.core as mx
from mlx_magic.events import TextDelta
from mlx_magic.worker import MLXThread
thread = MLXThread()
def busy(control):
    x = mx.ones((64, 64))
    while not control.cancelled:
        x = x @ x
        mx.eval(x)
        yield TextDelta("x")
{ENDINGS[ending]}
"""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
