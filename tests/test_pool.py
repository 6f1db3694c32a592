"""The pool: residents in LRU order, leases, names, failed and interrupted loads."""

import _thread
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mlx_magic.engines.text import TextEngine
from mlx_magic.errors import ResidentBusy, ResidentNotFound, SnapshotBroken, UsageProblem
from mlx_magic.events import Finished, LoadProgress, PoolStatus, TextDelta
from mlx_magic.hub import resolve
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions

HELLO = [Message.of("user", "Hello")]


def _load(session: Any, folder: Path, name: str, **kwargs: Any) -> Any:
    return session.pool.load(resolve(str(folder)), name=name, **kwargs)


def _names(session: Any) -> list[str]:
    return [r.name for r in session.pool.status().residents]


def _tokens(session: Any, name: str, count: int = 8) -> Any:
    events = list(session.pool.stream(name, HELLO, GenerationOptions(max_tokens=count)))
    assert isinstance(events[-1], Finished)
    return events[-1].tokens


def test_two_residents_answer_in_turn_each_with_its_own_words(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a")
    _load(session, tiny["qwen"], "b")
    first = [_tokens(session, name) for name in ("a", "b")]
    assert first[0] != first[1]
    assert [_tokens(session, name) for name in ("a", "b")] == first


def test_two_streams_at_once_do_not_mix(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a")
    _load(session, tiny["qwen"], "b")
    alone = {name: _tokens(session, name) for name in ("a", "b")}
    both = {
        name: session.pool.stream(name, HELLO, GenerationOptions(max_tokens=8))
        for name in ("a", "b")
    }
    assert {name: list(stream)[-1].tokens for name, stream in both.items()} == alone


def test_the_least_recently_used_stands_first(session: Any, tiny: Any) -> None:
    for name in ("a", "b", "c"):
        _load(session, tiny["llama"], name)
    _tokens(session, "a")
    assert _names(session) == ["b", "c", "a"]
    assert session.pool.resident().name == "a"


def test_the_order_is_that_of_the_last_use_also_when_answers_overlap(
    session: Any, tiny: Any
) -> None:
    for name in ("a", "b"):
        _load(session, tiny["llama"], name)
    streams = [session.pool.stream(n, HELLO, GenerationOptions(max_tokens=4)) for n in ("b", "a")]
    for stream in streams:
        list(stream)
    residents = session.pool.status().residents
    assert [r.name for r in residents] == ["b", "a"]
    assert residents[0].last_used <= residents[1].last_used


def test_loading_what_is_there_costs_nothing_and_keeps_its_history(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a")
    _tokens(session, "a")
    active = session.pool.status().active_bytes
    again = _load(session, tiny["llama"], "a", pinned=True)
    assert (again.requests, again.pinned) == (1, True)
    assert session.pool.status().active_bytes <= active


def test_a_taken_name_is_refused_and_both_ways_out_are_named(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a")
    with pytest.raises(UsageProblem, match=r"taken by .*--as NAME.*%unload_model a"):
        _load(session, tiny["qwen"], "a")
    assert _names(session) == ["a"]


def test_unloading_gives_the_memory_back(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a")
    before = session.pool.status()
    loaded = _load(session, tiny["slow"], "b")
    _tokens(session, "b")
    unloaded = session.pool.unload("b")
    assert unloaded.freed_bytes >= loaded.weight_bytes > 0 and unloaded.held_by == ()
    after = session.pool.status()
    assert after.active_bytes - before.active_bytes < 1024
    assert after.buffer_pool_bytes == 0


def test_a_leased_resident_is_not_unloaded_until_its_answer_has_ended(
    session: Any, tiny: Any
) -> None:
    _load(session, tiny["slow"], "a")
    stream = session.pool.stream("a", HELLO, GenerationOptions(max_tokens=1000))
    next(stream)
    assert session.pool.resident("a").busy
    threading.Timer(0.3, stream.cancel).start()
    waited = time.monotonic()
    session.pool.unload("a")
    assert time.monotonic() - waited > 0.2
    assert isinstance(list(stream.remaining(5))[-1], Finished)
    assert _names(session) == []


def test_a_resident_that_is_leaving_can_be_asked_nothing_more(session: Any, tiny: Any) -> None:
    _load(session, tiny["slow"], "a")
    stream = session.pool.stream("a", HELLO, GenerationOptions(max_tokens=1000))
    next(stream)
    leaving = threading.Thread(target=session.pool.unload, args=("a",))
    leaving.start()
    time.sleep(0.2)
    with pytest.raises(ResidentBusy, match="being unloaded"):
        session.pool.stream("a", HELLO, GenerationOptions(max_tokens=4))
    stream.cancel()
    leaving.join(10)
    assert _names(session) == []


def test_an_interrupted_wait_for_an_answer_unloads_nothing(session: Any, tiny: Any) -> None:
    _load(session, tiny["slow"], "a")
    stream = session.pool.stream("a", HELLO, GenerationOptions(max_tokens=1000))
    next(stream)
    threading.Timer(0.3, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        session.pool.unload("a")
    stream.cancel()
    list(stream.remaining(5))
    assert _tokens(session, "a", 2) and _names(session) == ["a"]


def test_force_cancels_the_answer_and_what_was_said_stays(session: Any, tiny: Any) -> None:
    _load(session, tiny["slow"], "a")
    stream = session.pool.stream("a", HELLO, GenerationOptions(max_tokens=1000))
    next(stream)
    assert session.pool.unload("a", force=True).held_by == ()
    *_, last = stream.remaining(5)
    assert isinstance(last, Finished) and last.stats.finish_reason == "interrupted"


def test_a_failed_load_leaves_the_pool_and_the_memory_as_they_were(
    session: Any, tiny: Any, tmp_path: Path
) -> None:
    _load(session, tiny["llama"], "a")
    before = session.pool.status()
    folder = tmp_path / "broken"
    shutil.copytree(tiny["slow"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 128}))
    with pytest.raises(SnapshotBroken):
        _load(session, folder, "b")
    after = session.pool.status()
    assert after.residents == before.residents
    assert after.active_bytes <= before.active_bytes


@pytest.mark.parametrize("gone", [["a"], ["a", "b"]])
def test_a_failed_load_says_who_went_for_it_and_could_not_come_back(
    session: Any, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: list[str]
) -> None:
    from mlx_magic.engines.text import TextEngine

    copies = {name: shutil.copytree(tiny["llama"], tmp_path / name) for name in ("a", "b")}
    for name, folder in copies.items():
        _load(session, folder, name)
    session.pool.set_budget(resolve(str(tiny["slow"])).weight_bytes + 4096)
    for name in gone:
        shutil.rmtree(copies[name])
    read = TextEngine.read_weights

    def breaks(engine: Any) -> None:
        if engine._snapshot.path == tiny["slow"]:
            raise SnapshotBroken("its disk was pulled out")
        read(engine)

    monkeypatch.setattr(TextEngine, "read_weights", breaks)
    with pytest.raises(SnapshotBroken) as caught:
        _load(session, tiny["slow"], "c")
    assert str(caught.value) == (
        f"its disk was pulled out; {' and '.join(gone)} had made room for it "
        "and can't be loaded again (%load_model says why)"
    )
    assert _names(session) == [name for name in copies if name not in gone]


def test_an_interrupted_load_leaves_no_model_behind(
    session: Any, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlx_magic import pool

    loading, load = threading.Event(), pool.load_engine

    def slow(*given: Any) -> Any:
        loading.set()
        time.sleep(0.3)
        return load(*given)

    monkeypatch.setattr(pool, "load_engine", slow)
    threading.Thread(target=lambda: (loading.wait(), _thread.interrupt_main())).start()
    with pytest.raises(KeyboardInterrupt):
        _load(session, tiny["llama"], "a")
    session.thread.call(lambda _: None)  # until the MLX thread is through with it
    status = session.pool.status()
    assert status.residents == () and status.active_bytes < 4096
    monkeypatch.undo()
    assert _load(session, tiny["llama"], "a").name == "a"


def test_a_load_that_takes_its_time_tells_what_it_is_doing(
    session: Any, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.load_model(str(tiny["slow"]), "s")
    read_weights = TextEngine.read_weights

    def slowly(engine: Any) -> None:
        read_weights(engine)
        time.sleep(0.5)

    monkeypatch.setattr(TextEngine, "read_weights", slowly)
    told: list[LoadProgress] = []
    answer = session.ask("Hello", model="s", options=GenerationOptions(max_tokens=80))
    next(answer)  # the load has to wait for its end
    status = session.load_model(str(tiny["qwen"]), on_progress=told.append)
    list(answer)
    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages[0] == "waiting" and stages[-1] == "reading"
    assert {p.total_bytes for p in told} == {status.weight_bytes}
    assert told[0].done_bytes == 0 and told[-1].done_bytes == status.weight_bytes


def test_a_budget_that_is_known_is_told_while_a_model_is_busy(session: Any) -> None:
    known = session.pool.budget()
    gate = threading.Event()
    busy = session.thread.submit(lambda _: gate.wait(10))
    assert session.pool.budget() == known and not busy.done()
    gate.set()
    assert busy.result()


def test_the_speed_of_the_last_answer_is_shown(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a")
    assert session.pool.resident("a").generation_tps is None
    *_, last = session.pool.stream("a", HELLO, GenerationOptions(max_tokens=8))
    assert session.pool.resident("a").generation_tps == last.stats.generation_tps > 0
    _tokens(session, "a", 1)  # of a single token there is no speed
    assert session.pool.resident("a").generation_tps == last.stats.generation_tps


def test_a_resident_that_waits_for_its_answer_to_end_is_shown_as_leaving(
    session: Any, tiny: Any
) -> None:
    _load(session, tiny["slow"], "a")
    stream = session.pool.stream("a", HELLO, GenerationOptions(max_tokens=10_000))
    next(stream)
    unloading = threading.Thread(target=session.pool.unload, args=("a",))
    unloading.start()
    while not session.pool.resident("a").leaving:
        time.sleep(0.01)
    assert session.pool.resident("a").busy
    stream.cancel()
    unloading.join(20)
    assert _names(session) == []


def test_a_pin_is_shown_and_taken_back(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a", pinned=True)
    assert session.pool.resident("a").pinned
    assert not session.pool.pin("a", False).pinned


def test_a_resident_is_found_by_its_spec_too(session: Any, tiny: Any) -> None:
    _load(session, tiny["llama"], "a")
    assert session.pool.resident(str(tiny["llama"])).name == "a"


@pytest.mark.parametrize(
    "loaded, says", [([], "%load_model demo:qwen"), (["llama"], "did you mean")]
)
def test_an_unknown_name_says_what_to_type(
    session: Any, tiny: Any, loaded: list[str], says: str
) -> None:
    for name in loaded:
        _load(session, tiny["llama"], name)
    for ask in (session.pool.resident, session.pool.unload, session.pool.pin):
        with pytest.raises(ResidentNotFound, match=says):
            ask("lama")


def test_status_tells_the_notebooks_own_arrays_apart(session: Any, tiny: Any) -> None:
    import mlx.core as mx

    resident = _load(session, tiny["llama"], "a")
    before = session.pool.status()
    mine = mx.zeros((1000, 1000))
    mx.eval(mine)
    after = session.pool.status()
    assert isinstance(after, PoolStatus)
    # an allocator may round a buffer up to whole pages (CUDA does)
    assert mine.nbytes <= after.other_bytes - before.other_bytes < mine.nbytes + 2**17
    assert after.active_bytes >= resident.weight_bytes + mine.nbytes
    assert after.budget_bytes is not None and after.budget_bytes > after.active_bytes


def test_a_broken_request_frees_its_lease(session: Any, tiny: Any) -> None:
    _load(session, tiny["gemma"], "a")
    twice = [*HELLO, *HELLO]
    with pytest.raises(Exception, match="alternate"):
        list(session.pool.stream("a", twice, GenerationOptions(max_tokens=4)))
    assert not session.pool.resident("a").busy
    stream = session.pool.stream("a", HELLO, GenerationOptions(max_tokens=4))
    assert any(isinstance(event, TextDelta) for event in stream)
