"""The pool under pressure: reads that fail, budgets for two of four, drafts, dry runs, limits."""

import errno
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from traitlets import TraitError

from mlx_magic.engines import device
from mlx_magic.errors import (
    MemoryBudgetExceeded,
    MlxMagicError,
    ResidentBusy,
    ResidentNotFound,
    UsageProblem,
)
from mlx_magic.events import Finished, TextDelta
from mlx_magic.hub import resolve
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions

PARIS = "What is the capital of France?"
DEMOS = ("llama", "mistral", "gemma", "qwen")
MIB = 2**20

# Room for two demo models of about 3.4 MiB with their kept caches, and not for three.
FOR_TWO = 9 * MIB

# MLX itself holds a few bytes: random state, a sampler's constants.
SLACK_BYTES = 512 + 1024  # mlx-vlm keeps a table of 1 kB


def _names(session: Any) -> list[str]:
    return [r.name for r in session.pool.status().residents]


def _active_bytes(session: Any) -> int:
    session.thread.call(lambda _: device.free_unused())
    return int(session.pool.status().active_bytes)


def _finished(session: Any, name: str, prompt: str = PARIS, **options: Any) -> tuple[str, Finished]:
    """The answer's text, its reasoning left out, and the last event."""
    wanted = GenerationOptions(**{"max_tokens": 100, "temperature": 0.0, **options})
    events = list(session.pool.stream(name, [Message.of("user", prompt)], wanted))
    assert isinstance(events[-1], Finished)
    deltas = [e for e in events if isinstance(e, TextDelta) and e.channel == "text"]
    return "".join(delta.text for delta in deltas), events[-1]


def _ask(session: Any, name: str) -> str:
    return _finished(session, name)[0]


def _evicted(session: Any, since: int = 0) -> list[str]:
    return [c.name for c in session.pool.changes(since) if c.kind == "evicted"]


# --- (a) every read of a load fails once --------------------------------------------------------


class Faults:
    """Fails one chosen read below a folder: the n-th, counted over all ways of reading."""

    def __init__(self, folder: Path, fail_at: int) -> None:
        self._folder, self._fail_at = folder, fail_at
        self.count = 0
        self.failed: str | None = None

    def read(self, path: Any) -> None:
        """Count a read; raises `OSError` when this is the one."""
        if isinstance(path, str | os.PathLike) and self._folder in Path(path).parents:
            self.count += 1
            if self.count == self._fail_at:
                self.failed = Path(path).name
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    @contextmanager
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Python's own `open`, MLX's and the Rust tokenizers' loaders, and the weights' reading."""
        import mlx.core as mx
        import tokenizers

        from mlx_magic.engines import text

        def wrapped(function: Callable[..., Any], error: type[Exception] = OSError) -> Any:
            def call(path: Any, *given: Any, **named: Any) -> Any:
                try:
                    self.read(path)
                except OSError as fault:
                    raise (fault if error is OSError else error(f"[read] {fault}")) from None
                return function(path, *given, **named)

            return call

        def read_weights(engine: Any) -> None:
            """Fail as MLX does: in the evaluation, with an error that names no file."""
            evaluate = mx.eval

            def broken(*given: Any) -> None:
                try:
                    self.read(engine._snapshot.path / "model.safetensors")
                except OSError as fault:
                    raise RuntimeError("[read] Unable to read from file.") from fault
                evaluate(*given)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(mx, "eval", broken)
                whole(engine)

        whole = text.TextEngine.read_weights
        with monkeypatch.context() as patch:
            patch.setattr("builtins.open", wrapped(open))
            patch.setattr(io, "open", wrapped(io.open))  # what pathlib calls
            patch.setattr(mx, "load", wrapped(mx.load, RuntimeError))
            patch.setattr(
                tokenizers.Tokenizer, "from_file", wrapped(tokenizers.Tokenizer.from_file)
            )
            patch.setattr(text.TextEngine, "read_weights", read_weights)
            yield


def _books(session: Any) -> Any:
    """All that the pool says of itself, but for the buffers that MLX keeps for reuse."""
    return replace(session.pool.status(), buffer_pool_bytes=0)


@pytest.fixture
def crowded(session: Any) -> Any:
    """A session in whose budget two demo models just fit; both have answered."""
    session.pool.set_budget(FOR_TWO)
    for name in ("llama", "mistral"):
        session.load_model(f"demo:{name}")
        assert "Paris" in _ask(session, name)
    return session


def _as_it_was(session: Any, before: Any, active: int) -> None:
    """The same residents, by all but their kept caches, in no more memory; and all is told."""
    after = session.pool.status()
    for then, now in zip(before.residents, after.residents, strict=True):
        parts = ("name", "spec", "pinned", "requests", "weight_bytes", "last_used", "base")
        assert [getattr(then, p) for p in parts] == [getattr(now, p) for p in parts]
    assert _active_bytes(session) <= active + SLACK_BYTES
    assert after.other_bytes <= SLACK_BYTES
    changes = session.pool.changes(before.changes)
    gone = sorted(c.name for c in changes if c.kind in ("evicted", "unloaded"))
    assert gone == sorted(c.name for c in changes if c.kind == "loaded")


def _one_line(error: MlxMagicError) -> str:
    (line,) = error._render_traceback_()
    assert "\n" not in str(error) and not line.endswith("…")
    return line


@pytest.mark.filterwarnings("ignore:.rope_scaling.:FutureWarning")  # transformers' own
def test_whichever_read_of_a_load_fails_the_pool_is_as_before(
    crowded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(Path(resolve("demo:gemma").path), tmp_path / "third")
    before, active = crowded.pool.status(), _active_bytes(crowded)
    broke: list[str] = []
    brought_back = 0
    for number in range(1, 100):
        faults = Faults(folder, number)
        try:
            with faults.watching(monkeypatch):
                crowded.load_model(folder)
        except MlxMagicError as error:
            assert faults.failed is not None, f"it failed by itself: {error}"
            assert faults.failed in _one_line(error)
            broke.append(faults.failed)
        else:
            if faults.failed is None:
                break
            # A read that may fail: then the model must be none the worse for it.
            assert "Paris" in _ask(crowded, "third"), f"without {faults.failed}"
            crowded.pool.unload("third")
            for name in ("llama", "mistral"):
                crowded.load_model(f"demo:{name}")
            before = crowded.pool.status()
            continue
        _as_it_was(crowded, before, active)
        for name in _evicted(crowded, before.changes):
            brought_back += 1
            assert "Paris" in _ask(crowded, name)
        before = crowded.pool.status()
    assert faults.failed is None, "more reads than anybody expects"
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= set(broke)
    assert brought_back >= 1, "no read failed after the eviction"
    assert "Paris" in _ask(crowded, "third")
    crowded.pool.unload("third")
    for name in ("llama", "mistral"):
        crowded.load_model(f"demo:{name}")
        assert "Paris" in _ask(crowded, name)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda whole: whole[: len(whole) // 2],
    "noise": lambda whole: bytes(255 - byte for byte in whole),
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("when", ["before", "after it was resolved"])
def test_a_damaged_file_is_named_and_changes_nothing(
    crowded: Any, tmp_path: Path, how: str, when: str
) -> None:
    names = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    before, active = crowded.pool.status(), _active_bytes(crowded)
    for name in names:
        folder = shutil.copytree(Path(resolve("demo:gemma").path), tmp_path / f"without-{name}")
        snapshot = None if when == "before" else resolve(str(folder))
        file = folder / name
        file.write_bytes(DAMAGE[how](file.read_bytes()))
        with pytest.raises(MlxMagicError) as caught:
            if snapshot is None:
                crowded.load_model(folder, "third")
            else:
                crowded.pool.load(snapshot, name="third")
        line = _one_line(caught.value)
        assert name in line or str(folder) in line
        _as_it_was(crowded, before, active)
        before = crowded.pool.status()
    for name in ("llama", "mistral"):
        assert "Paris" in _ask(crowded, name)


def test_an_adapter_that_fails_brings_back_what_went_for_its_base(
    session: Any, tiny: Any, tmp_path: Path
) -> None:
    misfit = tiny_models.build_adapter(tmp_path / "misfit", tiny["slow"])
    other = session.load_model(tiny["qwen"], "other")
    base_bytes = resolve(str(tiny["llama"])).weight_bytes
    session.pool.set_budget(max(base_bytes, other.weight_bytes) + 300_000)
    filler = session.load_model(tiny["gemma"], "filler", pin=True)
    session.pool.set_budget(filler.weight_bytes + other.weight_bytes + base_bytes // 2)
    before, active = session.pool.status(), _active_bytes(session)
    with pytest.raises(MlxMagicError):
        session.load_model(tiny["llama"], "view", adapter=misfit)
    _as_it_was(session, before, active)


# --- (b) a budget for two of four ---------------------------------------------------------------


def test_two_of_four_fit_and_the_least_recently_used_makes_room(session: Any) -> None:
    session.pool.set_budget(FOR_TWO)
    # what is done, whom it evicts, who is there then: least recently used first
    story: list[tuple[str, str, list[str], list[str]]] = [
        ("load", "llama", [], ["llama"]),
        ("load", "mistral", [], ["llama", "mistral"]),
        ("chat", "llama", [], ["mistral", "llama"]),
        ("load", "gemma", ["mistral"], ["llama", "gemma"]),
        ("chat", "gemma", [], ["llama", "gemma"]),
        ("load", "qwen", ["llama"], ["gemma", "qwen"]),
        ("pin", "gemma", [], ["gemma", "qwen"]),
        ("chat", "qwen", [], ["gemma", "qwen"]),
        ("load", "llama", ["qwen"], ["gemma", "llama"]),
        ("load", "mistral", ["llama"], ["gemma", "mistral"]),
        ("chat", "gemma", [], ["mistral", "gemma"]),
        ("chat", "mistral", [], ["gemma", "mistral"]),
    ]
    for what, name, evicts, there in story:
        seen = session.pool.status().changes
        if what == "load":
            session.load_model(f"demo:{name}")
        elif what == "pin":
            session.pool.pin(name)
        else:
            assert "Paris" in _ask(session, name)
        assert (_evicted(session, seen), _names(session)) == (evicts, there), (what, name)
        assert _active_bytes(session) <= FOR_TWO
    with pytest.raises(ResidentNotFound, match="llama"):
        _ask(session, "llama")


def test_two_that_do_not_fit_together_take_turns_and_memory_does_not_grow(session: Any) -> None:
    session.pool.set_budget(5 * MIB)
    sizes = []
    for _ in range(10):  # each turn frees one and reads the other
        for name in ("llama", "gemma"):
            session.load_model(f"demo:{name}")
            assert "Paris" in _ask(session, name)
            assert _names(session) == [name]
        sizes.append(_active_bytes(session))
    assert max(sizes) - min(sizes) <= SLACK_BYTES
    assert len(_evicted(session)) == 19


def test_kept_caches_stay_within_the_budget_and_the_models_stay(session: Any) -> None:
    session.pool.set_budget(None)
    weights = sum(session.load_model(f"demo:{name}").weight_bytes for name in ("llama", "mistral"))
    _ask(session, "llama")
    one_cache = session.pool.resident("llama").cache_bytes
    assert one_cache > 0
    session.pool.set_budget(weights + one_cache + one_cache // 2)
    assert session.pool.resident("llama").cache_bytes == one_cache  # there is room for one
    _ask(session, "mistral")
    assert session.pool.resident("llama").cache_bytes == 0  # the older one has made room
    assert session.pool.resident("mistral").cache_bytes == one_cache
    assert _active_bytes(session) <= weights + 2 * one_cache
    assert "Paris" in _ask(session, "llama") and _names(session) == ["mistral", "llama"]


# --- (c) two at once ----------------------------------------------------------------------------


def test_two_threads_that_load_the_same_load_it_once(session: Any) -> None:
    start = threading.Barrier(2)
    loaded: list[Any] = []

    def load() -> None:
        start.wait(30)
        loaded.append(session.load_model("demo:llama"))

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [r.name for r in loaded] == ["llama", "llama"]
    assert [c.kind for c in session.pool.changes()] == ["loaded"]
    assert _active_bytes(session) <= loaded[0].weight_bytes + SLACK_BYTES


@contextmanager
def _held_up(session: Any) -> Iterator[None]:
    """Keep the MLX thread busy, so that jobs gather behind it in the order of their coming."""
    entered, gate = threading.Event(), threading.Event()

    def hold(_: Any) -> None:
        entered.set()
        gate.wait(60)

    session.thread.submit(hold)
    assert entered.wait(30)
    try:
        yield
    finally:
        gate.set()


def _queued(session: Any, load: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Start `load` in a thread and wait until its job stands in the queue."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(load())
        except MlxMagicError as error:
            came.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive() and not session.thread._jobs.qsize():
        thread.join(0.001)
    return thread, came


def test_a_load_does_not_evict_who_is_being_asked_and_names_it_busy(session: Any) -> None:
    session.pool.set_budget(5 * MIB)
    session.load_model("demo:llama")
    wanted = resolve("demo:gemma")
    with _held_up(session):
        thread, came = _queued(session, lambda: session.pool.load(wanted, name="gemma"))
        stream = session.pool.stream(
            "llama", [Message.of("user", PARIS)], GenerationOptions(max_tokens=40)
        )
    thread.join(60)
    (error,) = came
    assert isinstance(error, MemoryBudgetExceeded)
    assert "busy" in str(error) and "llama" in str(error)
    text = "".join(e.text for e in stream if isinstance(e, TextDelta))
    assert "Paris" in text and _names(session) == ["llama"]
    session.pool.load(wanted, name="gemma")  # and afterwards it may
    assert _names(session) == ["gemma"]


def test_a_base_is_not_unloaded_while_an_adapter_is_laid_over_it(
    session: Any, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlx_magic.engines.text import TextEngine

    adapter = tiny_models.build_adapter(tmp_path / "lora", tiny["llama"])
    session.load_model(tiny["llama"], "base")
    reading, go_on = threading.Event(), threading.Event()
    read = TextEngine.read_weights

    def slow(engine: Any) -> None:
        reading.set()
        go_on.wait(30)
        read(engine)

    monkeypatch.setattr(TextEngine, "read_weights", slow)
    loading = threading.Thread(
        target=session.load_model, args=(tiny["llama"], "view"), kwargs={"adapter": adapter}
    )
    loading.start()
    assert reading.wait(30)
    threading.Timer(0.2, go_on.set).start()
    with pytest.raises(ResidentBusy, match="view uses the weights of base"):
        session.pool.unload("base")
    loading.join(30)
    assert _names(session) == ["base", "view"]
    status = session.pool.status()
    assert status.other_bytes <= SLACK_BYTES


def test_a_view_may_bear_the_name_that_its_base_would_have_got(
    session: Any, tiny: Any, tmp_path: Path
) -> None:
    adapter = tiny_models.build_adapter(tmp_path / "lora", tiny["llama"])
    session.load_model(tiny["llama"], "llama", adapter=adapter)
    status = session.pool.status()
    assert len(status.residents) == 2
    assert session.pool.resident("llama").base in _names(session)
    assert status.other_bytes <= SLACK_BYTES


# --- (d) dry runs -------------------------------------------------------------------------------


def test_a_dry_run_says_who_would_go_and_changes_nothing(crowded: Any) -> None:
    active, before = _active_bytes(crowded), _books(crowded)
    plan = crowded.plan_load("demo:gemma")
    assert plan.evict == ("llama",) and plan.need_bytes == resolve("demo:gemma").weight_bytes
    assert _books(crowded) == before and _active_bytes(crowded) == active
    crowded.load_model("demo:gemma")
    assert tuple(_evicted(crowded)) == plan.evict


def test_a_dry_run_of_what_is_there_costs_nothing_even_beyond_the_budget(session: Any) -> None:
    session.load_model("demo:llama", pin=True)
    assert session.pool.set_budget(MIB).short_bytes > 0
    plan = session.plan_load("demo:llama")
    assert (plan.need_bytes, plan.evict, plan.drop_caches, plan.short_bytes) == (0, (), (), 0)


def test_a_dry_run_refuses_what_a_load_would_refuse(crowded: Any) -> None:
    for name in ("llama", "mistral"):
        crowded.pool.pin(name)
    _active_bytes(crowded)  # the last answer's leavings
    before = _books(crowded)
    said = []
    for ask in (crowded.plan_load, crowded.load_model):
        with pytest.raises(MemoryBudgetExceeded, match="unpin") as caught:
            ask("demo:gemma")
        said.append(str(caught.value))
    assert said[0] == said[1] and _books(crowded) == before


def test_a_dry_run_of_an_adapter_names_the_victims_of_its_load(
    session: Any, tiny: Any, tmp_path: Path
) -> None:
    adapter = tiny_models.build_adapter(tmp_path / "lora", tiny["llama"], rank=32)
    small = session.load_model(tiny["qwen"], "small").weight_bytes
    large = session.load_model(tiny["slow"], "large").weight_bytes
    session.pool.set_budget(small + large + 4096)
    # The older one has room for the base, but not for both: only the newer has.
    plan = session.plan_load(tiny["llama"], "view", adapter=adapter)
    session.load_model(tiny["llama"], "view", adapter=adapter)
    assert tuple(_evicted(session)) == plan.evict == ("large",)


# --- (e) draft models ---------------------------------------------------------------------------


def test_a_draft_changes_no_token_and_its_bytes_are_counted(session: Any, tmp_path: Path) -> None:
    main = tiny_models.build(tmp_path / "main", "llama", hidden=64, layers=3, dtype="float32")
    draft = tiny_models.build(tmp_path / "draft", "llama", seed=3, dtype="float32")
    session.load_model(main, "plain")
    drafted = session.load_model(main, "drafted", draft=draft)
    for prompt in ("Hello", "Tell me a story", "1, 2, 3"):
        plain, quick = (
            _finished(session, name, prompt, max_tokens=24)[1].tokens
            for name in ("plain", "drafted")
        )
        assert plain == quick and len(plain) > 1
    assert drafted.weight_bytes == sum(resolve(str(f)).weight_bytes for f in (main, draft))
    assert drafted.draft == str(draft)
    assert session.pool.status().other_bytes <= SLACK_BYTES
    unloaded = session.pool.unload("drafted")
    assert unloaded.freed_bytes >= drafted.weight_bytes and unloaded.held_by == ()


def test_a_draft_counts_before_it_is_loaded(session: Any, tmp_path: Path) -> None:
    main = tiny_models.build(tmp_path / "main", "llama", hidden=64)
    draft = tiny_models.build(tmp_path / "draft", "llama", seed=3)
    sizes = [resolve(str(folder)).weight_bytes for folder in (main, draft)]
    session.pool.set_budget(sum(sizes) - 1000)
    assert session.plan_load(main).need_bytes == sizes[0]
    with pytest.raises(MemoryBudgetExceeded):
        session.load_model(main, draft=draft)
    assert _names(session) == []


def test_a_draft_of_another_vocabulary_is_refused_and_nothing_changes(crowded: Any) -> None:
    before, active = crowded.pool.status(), _active_bytes(crowded)
    with pytest.raises(
        UsageProblem, match=r"demo:gemma can't draft for demo:qwen: .* same fam"
    ) as e:
        crowded.load_model("demo:qwen", draft="demo:gemma")
    _one_line(e.value)
    _as_it_was(crowded, before, active)
    for name in ("llama", "mistral"):
        assert "Paris" in _ask(crowded, name)


# --- (f) budgets and limits ---------------------------------------------------------------------


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Settings of this test's own."""
    from mlx_magic import settings

    monkeypatch.delenv("MLX_MAGIC_MEMORY_BUDGET", raising=False)
    made = settings.Settings()
    settings.use(made)
    yield made
    settings.use(None)


@pytest.mark.parametrize(
    "text, budget", [("24GiB", 24 * 2**30), ("none", None), ("None ", None), ("", "default")]
)
def test_a_budget_is_read(ours: Any, text: str, budget: Any) -> None:
    ours.memory_budget = text
    assert ours.budget_bytes() == budget


@pytest.mark.parametrize("text", ["lots", "-3GiB", "0", "12 parsecs", "GiB"])
def test_nonsense_is_no_budget(
    ours: Any, session: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    with pytest.raises(TraitError):
        ours.memory_budget = text
    assert ours.memory_budget == ""
    monkeypatch.setenv("MLX_MAGIC_MEMORY_BUDGET", text)
    with pytest.raises(UsageProblem, match="MLX_MAGIC_MEMORY_BUDGET: ") as caught:
        session.load_model("demo:llama")
    _one_line(caught.value)
    assert _names(session) == []


def test_the_environment_sets_the_budget_and_the_setting_goes_before_it(
    ours: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLX_MAGIC_MEMORY_BUDGET", "64MiB")
    session.load_model("demo:llama")
    assert session.pool.status().budget_bytes == 64 * MIB
    ours.memory_budget = "32MiB"
    session.load_model("demo:llama")
    assert session.pool.status().budget_bytes == 32 * MIB


def test_a_lower_budget_evicts_at_once_and_none_lifts_it(ours: Any, session: Any) -> None:
    ours.memory_budget = "64MiB"
    for name in DEMOS:
        session.load_model(f"demo:{name}")
    assert _names(session) == list(DEMOS)
    ours.memory_budget = "9MiB"
    assert session.apply_budget().evict == ("llama", "mistral")
    assert _names(session) == ["gemma", "qwen"] and _active_bytes(session) <= 9 * MIB
    ours.memory_budget = "none"
    session.apply_budget()
    for name in DEMOS:
        session.load_model(f"demo:{name}")
    assert len(_names(session)) == 4 and session.pool.status().budget_bytes is None


def test_an_empty_setting_goes_back_to_the_machines_own_budget(ours: Any, session: Any) -> None:
    ours.memory_budget = "64MiB"
    session.apply_budget()
    ours.memory_budget = ""
    session.apply_budget()
    session.load_model("demo:llama")
    assert session.pool.status().budget_bytes == session.thread.call(
        lambda _: device.default_budget()
    )


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    "own, files, limits",
    [
        pytest.param(
            "0::/user/kernel\n",
            {"memory.max": "max\n", "user/memory.max": "4096\n", "user/kernel/memory.max": "max\n"},
            [4096],
            id="version 2, the limit a floor above",
        ),
        pytest.param(
            "0::/\n", {"memory.max": "8192\n"}, [8192], id="version 2, a container's own root"
        ),
        pytest.param(
            "12:cpu,cpuacct:/docker/x\n5:memory:/docker/x\n0::/ignored\n",
            {
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/docker/x/memory.limit_in_bytes": "1000\n",
                "cpu,cpuacct/docker/x/memory.limit_in_bytes": "1\n",
            },
            [1000, 9223372036854771712],
            id="version 1, and what is no memory controller",
        ),
        pytest.param(
            "5:memory:/docker/elsewhere\n",
            {"memory/memory.limit_in_bytes": "2000\n"},
            [2000],
            id="version 1, a path that is not visible inside",
        ),
        pytest.param("0::/a:b\n", {"a:b/memory.max": "7\n"}, [7], id="a colon in the path"),
        pytest.param("0::/x\n", {}, [], id="no files"),
        pytest.param("", {}, [], id="no groups"),
    ],
)
def test_the_limits_of_the_control_groups_are_found(
    tmp_path: Path, own: str, files: dict[str, str], limits: list[int]
) -> None:
    (tmp_path / "own").write_text(own)
    # Beside the tree: nothing above the root may be read.
    _tree(tmp_path, {"memory.max": "1\n", "memory.limit_in_bytes": "1\n"})
    root = _tree(tmp_path / "cgroup", files)
    assert device._group_limits(root, tmp_path / "own") == limits


def test_no_control_groups_no_limits(tmp_path: Path) -> None:
    assert device._group_limits(tmp_path, tmp_path / "absent") == []
