"""The pool under a long random life: thousands of steps, and after each one the books balance.

A plain Python model of the pool (`_Book`) says before each step what must come of it: who goes and
in which order, what is refused, what is told. The models are tiny, real and always the same, so
that every answer is checked too. `SOAK=1` (`make soak`) lives ten times as long, with new dice.
"""

import gc
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from mlx_magic.adapters import AdapterSnapshot, resolve_adapter
from mlx_magic.budget import Held, over_budget, plan_admission
from mlx_magic.errors import (
    MemoryBudgetExceeded,
    MlxMagicError,
    ModelUnsupported,
    ResidentBusy,
    ResidentNotFound,
    SnapshotBroken,
    UsageProblem,
)
from mlx_magic.events import Finished
from mlx_magic.hub import resolve
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions
from mlx_magic.pool import ModelPool
from mlx_magic.snapshot import Snapshot
from mlx_magic.worker import MLXThread

SOAK = os.environ.get("SOAK", "") not in ("", "0")
STEPS = 50
LIVES = 680 if SOAK else 68

pytestmark = pytest.mark.timeout(3600 if SOAK else 180)

PROMPTS = ("Hello", "Tell me more")
TOKENS = 4

# MLX itself holds a few bytes (random state, a sampler's constants): what the books may be out by,
# and how near to a plan's limit either outcome is right.
SLACK_BYTES = 512 + 1024  # mlx-vlm keeps a table of 1 kB

Outcome = tuple[tuple[str, ...], tuple[str, ...]] | None  # caches dropped, evicted; None: refused


@dataclass(frozen=True)
class Ware:
    """What can be loaded, under which name; `error` is what a broken one ends in."""

    name: str
    snapshot: Snapshot
    adapter: AdapterSnapshot | None = None
    error: type[MlxMagicError] | None = None
    tears: Path | None = None  # a file that is cut off when its weights are about to be read

    @property
    def own_bytes(self) -> int:
        part: Any = self.snapshot if self.adapter is None else self.adapter
        return int(part.weight_bytes)


class World:
    """The MLX thread, the wares and their right answers: the same for every life."""

    def __init__(self, root: Path) -> None:
        self.thread = MLXThread()
        self.steps: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.wares, self.broken = _wares(root)
        self.answers = {
            (ware.name, prompt): self._answer(ware, prompt)
            for ware in self.wares.values()
            for prompt in PROMPTS
        }

    def _answer(self, ware: Ware, prompt: str) -> tuple[int, ...]:
        """What it says when it is alone in the world."""
        pool = ModelPool(self.thread)
        pool.load(ware.snapshot, name=ware.name, adapter=ware.adapter)
        tokens = answer(pool, ware.name, prompt)
        self.on_thread(pool.close)
        return tokens

    def on_thread(self, do: Callable[[], Any]) -> Any:
        return self.thread.call(lambda _: do())


def _wares(root: Path) -> tuple[dict[str, Ware], dict[str, Ware]]:
    shapes: dict[str, tuple[str, dict[str, int]]] = {
        "llama": ("llama", {}),
        "qwen": ("qwen", {}),
        "gemma": ("gemma", {}),
        "big": ("llama", {"hidden": 64, "layers": 3, "seed": 7}),
        "torn": ("llama", {"seed": 8}),
        "cut": ("llama", {"seed": 9}),
        "misshaped": ("llama", {"seed": 10}),
    }
    folders = {
        name: tiny_models.build(root / name, family, dtype="float32", **shape)
        for name, (family, shape) in shapes.items()
    }
    models = {name: resolve(str(folder)) for name, folder in folders.items()}
    over = {"pirate": "llama", "shout": "llama", "giant": "big", "ripped": "llama"}
    adapters = {
        name: resolve_adapter(
            str(
                tiny_models.build_adapter(
                    root / name, folders[base], rank=2 + 6 * number, seed=number, dtype="float32"
                )
            )
        )
        for number, (name, base) in enumerate(over.items())
    }
    # Whole when they were resolved, and damaged since.
    os.truncate(folders["cut"] / "model.safetensors", 4000)
    config = folders["misshaped"] / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 32', '"hidden_size": 64'))
    good = [Ware(name, models[name]) for name in ("llama", "qwen", "gemma", "big")]
    good.append(Ware("twin", models["llama"]))
    good += [Ware(name, models[over[name]], adapters[name]) for name in over if name != "ripped"]
    torn = folders["torn"] / "model.safetensors"
    ripped = adapters["ripped"].path / "adapters.safetensors"
    bad = [
        Ware("cut", models["cut"], error=SnapshotBroken),
        Ware("misshaped", models["misshaped"], error=SnapshotBroken),
        Ware("torn", models["torn"], error=SnapshotBroken, tears=torn),
        Ware("misfit", models["llama"], adapters["giant"], error=ModelUnsupported),
        Ware("ripped", models["llama"], adapters["ripped"], error=SnapshotBroken, tears=ripped),
    ]
    return {ware.name: ware for ware in good}, {ware.name: ware for ware in bad}


def answer(pool: ModelPool, name: str, prompt: str) -> tuple[int, ...]:
    *_, last = pool.stream(name, [Message.of("user", prompt)], GenerationOptions(max_tokens=TOKENS))
    assert isinstance(last, Finished)
    return last.tokens


@contextmanager
def _tearing(path: Path | None) -> Iterator[None]:
    """Cut a file off at the moment when the weights in it are about to be read, then mend it."""
    if path is None:
        yield
        return
    from mlx_magic.engines.text import TextEngine

    whole, read = path.read_bytes(), TextEngine.read_weights

    def torn(engine: Any) -> None:
        parts = (engine._snapshot.path, engine._adapter and engine._adapter.path)
        if path.parent in parts:
            os.truncate(path, len(whole) // 2)
        read(engine)

    TextEngine.read_weights = torn  # type: ignore[method-assign]
    try:
        yield
    finally:
        TextEngine.read_weights = read  # type: ignore[method-assign]
        path.write_bytes(whole)


@dataclass
class Entry:
    """A resident as the book has it."""

    ware: Ware
    pinned: bool
    ttl: float | None
    base: str | None
    requests: int = 0
    idle: float = 0.0


@dataclass
class _Book:
    """What the pool must be, in plain Python: entries stand least recently used first."""

    entries: dict[str, Entry] = field(default_factory=dict)
    budget: int | None = None
    told: list[tuple[str, str]] = field(default_factory=list)

    def touch(self, name: str) -> None:
        base = self.entries[name].base
        if base is not None:
            self.touch(base)
        entry = self.entries.pop(name)
        entry.idle = 0.0
        self.entries[name] = entry

    def base_of(self, ware: Ware) -> str | None:
        """The resident over which an adapter would be laid."""
        for name, entry in self.entries.items():
            if entry.ware.adapter is None and entry.ware.snapshot.path == ware.snapshot.path:
                return name
        return None

    def views_of(self, name: str) -> list[str]:
        return [view for view, entry in self.entries.items() if entry.base == name]

    def enter(self, ware: Ware, pinned: bool, ttl: float | None, base: str | None) -> None:
        self.entries[ware.name] = Entry(ware, pinned, ttl, base)
        self.touch(ware.name)
        self.told.append(("loaded", ware.name))

    def remove(self, name: str, kind: str) -> None:
        del self.entries[name]
        self.told.append((kind, name))

    def expire(self) -> int:
        """Let go who has been idle too long, and then their bases; in how many rounds."""
        rounds = 0
        while due := [name for name, entry in self.entries.items() if self._is_due(name, entry)]:
            rounds += 1
            for name in due:
                self.remove(name, "expired")
        return rounds

    def _is_due(self, name: str, entry: Entry) -> bool:
        kept = entry.ttl is None or entry.pinned or self.views_of(name)
        return not kept and entry.idle >= (entry.ttl or 0.0)


class PoolMachine(RuleBasedStateMachine):
    """One life of a pool."""

    def __init__(self, world: World) -> None:
        super().__init__()
        # The pool collects garbage at each turn. What is alive now (transformers, and hypothesis's
        # own book of all lives so far) need not be looked through each time.
        gc.collect()
        gc.freeze()
        self.world = world
        self.pool = ModelPool(world.thread)
        self.book = _Book()
        self.mine: list[Any] = []  # the notebook's own arrays
        self.seen = 0
        self.caches: dict[str, int] = {}
        # Whether something that the pool can't help has broken the budget since it was last kept.
        self.excused = False

    def teardown(self) -> None:
        self.world.on_thread(self.pool.close)
        self.mine.clear()
        active = self.world.on_thread(_active_bytes)
        assert active <= SLACK_BYTES, f"{active} bytes outlived the pool"

    # What must come of it.

    def held(
        self,
        busy: str | None = None,
        spared: str | None = None,
        caches: dict[str, int] | None = None,
    ) -> list[Held]:
        """What the planner would be told; `caches` are those of now, if nothing else is said."""
        if caches is None:
            caches = {r.name: r.cache_bytes for r in self.pool.status().residents}
        return [
            Held(
                name,
                entry.ware.own_bytes,
                caches[name],
                pinned=entry.pinned or name == spared,
                busy=name == busy and name != spared,  # a base in use may lose its kept caches
                base=entry.base,
            )
            for name, entry in self.book.entries.items()
        ]

    def outcomes(self, decide: Callable[[int], Any]) -> set[Outcome]:
        """What may be decided, with what MLX itself holds left open."""
        found: set[Outcome] = set()
        for slack in (-SLACK_BYTES, 0, SLACK_BYTES):
            try:
                plan = decide(sum(array.nbytes for array in self.mine) + max(0, slack))
            except MemoryBudgetExceeded:
                found.add(None)
            else:
                found.add((plan.drop_caches, plan.evict))
        return found

    def admissions(self, ware: Ware, busy: str | None = None) -> set[Outcome]:
        base = self.book.base_of(ware) if ware.adapter else None
        need = ware.own_bytes
        if ware.adapter is not None and base is None:
            need += ware.snapshot.weight_bytes
        held, budget = self.held(busy, base), self.book.budget
        return self.outcomes(lambda other: plan_admission(need, budget, other, held))

    def evicted(self) -> tuple[str, ...]:
        """Whom the pool has evicted in this step."""
        return tuple(c.name for c in self.pool.changes(self.seen) if c.kind == "evicted")

    # Steps.

    def _step(self, what: str) -> None:
        self.world.steps[what] += 1

    names = st.sampled_from(["llama", "twin", "qwen", "gemma", "big", "pirate", "shout", "giant"])
    ttls = st.sampled_from([None, 500.0, 900.0, 2500.0])
    budgets = st.sampled_from([None, *range(150_000, 1_000_000, 37_000)])
    picks = st.integers(0, 9)  # of the residents, counted from the least recently used

    def picked(self, pick: int) -> str:
        """A resident, or now and then somebody who isn't there."""
        names = list(self.book.entries)
        return names[pick % len(names)] if names and pick else "nobody"

    @initialize(budget=budgets)
    def begin(self, budget: int | None) -> None:
        self.pool.set_budget(budget)
        self.book.budget = budget

    @rule(name=names, pinned=st.sampled_from([False, False, False, True]), ttl=ttls)
    def load(self, name: str, pinned: bool, ttl: float | None) -> None:
        self._step("load")
        self._load(self.world.wares[name], pinned, ttl)
        self.settle()

    @rule(name=names)
    def load_plainly(self, name: str) -> None:
        self._step("load")
        self._load(self.world.wares[name], False, None)
        self.settle()

    @rule(name=names, pick=picks, pinned=st.booleans())
    def load_while_one_answers(self, name: str, pick: int, pinned: bool) -> None:
        asked = self.picked(pick)
        if asked not in self.book.entries:
            return
        self._step("load while one answers")
        self._load(self.world.wares[name], pinned, None, busy=asked)
        self.settle()

    def _load(self, ware: Ware, pinned: bool, ttl: float | None, busy: str | None = None) -> None:
        """Load a whole ware, while `busy` is being asked something, and check what came of it."""
        there = ware.name in self.book.entries
        if busy is not None:
            self.book.touch(busy)
        possible = set() if there else self.admissions(ware, busy)
        caches = {r.name: r.cache_bytes for r in self.pool.status().residents}

        def load() -> None:
            self.pool.load(
                ware.snapshot, name=ware.name, adapter=ware.adapter, pinned=pinned, ttl_seconds=ttl
            )

        before = self.world.on_thread(_reset_peak)
        try:
            if busy is None:
                load()
            else:
                self._asking(busy, load)
        except MemoryBudgetExceeded as error:
            assert None in possible, f"refused although it fits: {error}"
            assert self.evicted() == ()
            self.world.seen["refused"] += 1
            if busy is not None and None not in self.admissions(ware):
                self.world.seen["refused for the busy one"] += 1
        else:
            if there:
                self._found(ware, pinned, ttl)
            else:
                self._came_in(ware, pinned, ttl, possible, caches, before, busy)
        if busy is not None:
            self.book.entries[busy].requests += 1
            self.book.touch(busy)

    def _found(self, ware: Ware, pinned: bool, ttl: float | None) -> None:
        entry = self.book.entries[ware.name]
        if pinned and not entry.pinned:
            self.book.told.append(("pinned", ware.name))
        entry.pinned |= pinned
        entry.ttl = entry.ttl if ttl is None else ttl
        self.book.touch(ware.name)
        self.world.seen["found"] += 1

    def _came_in(
        self,
        ware: Ware,
        pinned: bool,
        ttl: float | None,
        possible: set[Outcome],
        caches: dict[str, int],
        before: int,
        busy: str | None,
    ) -> None:
        evicted = self.evicted()
        assert evicted in {outcome[1] for outcome in possible if outcome is not None}
        peak = self.world.on_thread(_peak_bytes)
        if self.book.budget is not None and busy is None:
            assert peak <= max(self.book.budget, before) + SLACK_BYTES
        if len(possible) == 1 and busy is None:
            dropped = set(next(iter(possible))[0])  # type: ignore[index]
            for resident in self.pool.status().residents:
                if resident.name in caches:
                    expected = 0 if resident.name in dropped else caches[resident.name]
                    assert resident.cache_bytes == expected
            self.world.seen["caches dropped"] += len(dropped)
        for name in evicted:
            assert name != busy and not self.book.entries[name].pinned
            assert not self.book.views_of(name), f"{name} went before its views"
            self.book.remove(name, "evicted")
        self.world.seen["evicted"] += len(evicted)
        base = None
        if ware.adapter is not None:
            base = self.book.base_of(ware)
            if base is None:
                base = Path(ware.snapshot.spec).name
                self.book.enter(Ware(base, ware.snapshot), False, ttl, None)
                self.world.seen["base brought in"] += 1
        self.book.enter(ware, pinned, ttl, base)
        if busy is None:
            self.excused = False

    def _asking(self, name: str, load: Callable[[], None]) -> None:
        """Have `name` asked while the load already waits for the MLX thread."""
        entered, gate = threading.Event(), threading.Event()
        failed: list[BaseException] = []

        def hold(_: Any) -> None:
            entered.set()
            gate.wait(30)

        def loads() -> None:
            try:
                load()
            except MlxMagicError as error:
                failed.append(error)

        self.world.thread.submit(hold)
        assert entered.wait(30)
        loading = threading.Thread(target=loads)
        loading.start()
        while loading.is_alive() and not self.world.thread._jobs.qsize():
            time.sleep(0.0002)
        prompt = PROMPTS[0]
        stream = self.pool.stream(
            name, [Message.of("user", prompt)], GenerationOptions(max_tokens=TOKENS)
        )
        gate.set()
        loading.join(30)
        *_, last = stream
        assert last.tokens == self.world.answers[name, prompt]
        if failed:
            raise failed[0]

    @rule(name=st.sampled_from(["cut", "misshaped", "torn", "misfit", "ripped"]))
    def load_what_is_broken(self, name: str) -> None:
        self._step("load what is broken")
        ware = self.world.broken[name]
        assert ware.error is not None
        possible, before = self.admissions(ware), self.pool.status()
        started = self.world.on_thread(_reset_peak)
        with _tearing(ware.tears), pytest.raises((ware.error, MemoryBudgetExceeded)) as caught:
            self.pool.load(ware.snapshot, name=ware.name, adapter=ware.adapter)
        (line,) = caught.value._render_traceback_()
        if isinstance(caught.value, MemoryBudgetExceeded):
            assert None in possible
        elif ware.tears is not None:
            assert ware.tears.name in line
        self._as_before(before)
        if self.book.budget is not None:
            peak = self.world.on_thread(_peak_bytes)
            assert peak <= max(self.book.budget, started) + SLACK_BYTES
        # What went for it has come back, and so it was told.
        changes = [(c.kind, c.name) for c in self.pool.changes(self.seen)]
        gone = [name for kind, name in changes if kind in ("evicted", "unloaded")]
        assert sorted(gone) == sorted(name for kind, name in changes if kind == "loaded")
        self.world.seen["brought back"] += sum(kind == "evicted" for kind, _ in changes)
        self.book.told += changes
        self.settle()

    def _as_before(self, before: Any) -> None:
        """The same residents in the same order; only kept caches may have gone."""
        after = self.pool.status()
        for then, now in zip(before.residents, after.residents, strict=True):
            for part in ("name", "pinned", "busy", "requests", "base", "last_used", "weight_bytes"):
                assert getattr(then, part) == getattr(now, part)

    @rule(pick=picks, other=names)
    def load_under_a_taken_name(self, pick: int, other: str) -> None:
        name = self.picked(pick)
        entry, ware = self.book.entries.get(name), self.world.wares[other]
        if entry is None or self._is_same(entry.ware, ware):
            return
        self._step("load under a taken name")
        with pytest.raises(UsageProblem, match="is taken by"):
            self.pool.load(ware.snapshot, name=name, adapter=ware.adapter)
        self.settle()

    def _is_same(self, one: Ware, other: Ware) -> bool:
        return one.snapshot.path == other.snapshot.path and one.adapter == other.adapter

    @rule(name=names)
    def plan(self, name: str) -> None:
        self._step("plan")
        ware = self.world.wares[name]
        there = name in self.book.entries
        possible = {((), ())} if there else self.admissions(ware)
        try:
            plan = self.pool.plan(ware.snapshot, name=name, adapter=ware.adapter)
        except MemoryBudgetExceeded:
            assert None in possible
        else:
            assert (plan.drop_caches, plan.evict) in possible
        self.settle()

    @rule(pick=picks, force=st.booleans())
    def unload(self, pick: int, force: bool) -> None:
        self._step("unload")
        name = self.picked(pick)
        entry = self.book.entries.get(name)
        if entry is None:
            with pytest.raises(ResidentNotFound):
                self.pool.unload(name, force=force)
        elif self.book.views_of(name):
            with pytest.raises(ResidentBusy, match="use"):
                self.pool.unload(name, force=force)
            self.world.seen["a base kept"] += 1
        else:
            status = self.pool.resident(name)
            unloaded = self.pool.unload(name, force=force)
            assert unloaded.held_by == ()
            whole = status.weight_bytes + status.cache_bytes
            assert abs(unloaded.freed_bytes - whole) <= SLACK_BYTES
            self.book.remove(name, "unloaded")
        self.settle()

    @rule(pick=picks, pinned=st.sampled_from([False, False, True]))
    def pin(self, pick: int, pinned: bool) -> None:
        self._step("pin")
        name = self.picked(pick)
        entry = self.book.entries.get(name)
        if entry is None:
            with pytest.raises(ResidentNotFound):
                self.pool.pin(name, pinned)
        else:
            assert self.pool.pin(name, pinned).pinned is pinned
            caches = self.caches  # as they were at rest
            entry.pinned = pinned
            self.book.told.append(("pinned" if pinned else "unpinned", name))
            if not pinned:  # the pool makes good what the pin had kept it from
                self._shrunk(self.held(caches=caches))
        self.settle()

    @rule(pick=picks, prompt=st.sampled_from(PROMPTS))
    def chat(self, pick: int, prompt: str) -> None:
        self._step("chat")
        name = self.picked(pick)
        if name in self.book.entries:
            assert answer(self.pool, name, prompt) == self.world.answers[name, prompt]
            self._was_asked(name)
        else:
            with pytest.raises(ResidentNotFound):
                answer(self.pool, name, prompt)
        self.settle()

    @rule(pick=picks, how=st.sampled_from(["cancel", "drop", "cancel at once"]))
    def break_off(self, pick: int, how: str) -> None:
        name = self.picked(pick)
        if name not in self.book.entries:
            return
        self._step("break off")
        stream = self.pool.stream(
            name, [Message.of("user", PROMPTS[0])], GenerationOptions(max_tokens=40)
        )
        if how != "cancel at once":
            next(stream)
        if how != "drop":
            stream.cancel()
            events = list(stream)
            assert how == "cancel at once" or isinstance(events[-1], Finished)
        del stream
        self._was_asked(name)
        self.settle()

    def _was_asked(self, name: str) -> None:
        self.book.entries[name].requests += 1
        self.book.touch(name)

    @rule(budget=budgets)
    def set_budget(self, budget: int | None) -> None:
        self._step("set budget")
        held = self.held()
        plan = self.pool.set_budget(budget)
        self.book.budget = budget
        assert plan.evict == self.evicted()
        self._shrunk(held)
        self.settle()

    def _shrunk(self, held: list[Held]) -> None:
        """As much has gone as the budget asks for and may go."""
        budget, evicted = self.book.budget, self.evicted()
        possible = self.outcomes(lambda other: over_budget(budget, other, held))
        assert evicted in {outcome[1] for outcome in possible if outcome is not None}
        for name in evicted:
            assert not self.book.entries[name].pinned and not self.book.views_of(name)
            self.book.remove(name, "evicted")
        self.world.seen["evicted by the budget"] += len(evicted)
        mine = sum(array.nbytes for array in self.mine)
        self.excused = over_budget(budget, mine, held).short_bytes > 0
        if self.excused:
            kept = {name for name, entry in self.book.entries.items() if entry.pinned}
            bases = {self.book.entries[name].base for name in kept}
            assert self.book.entries.keys() <= kept | bases
            assert not any(r.cache_bytes for r in self.pool.status().residents)

    @rule(seconds=st.sampled_from([600.0, 2000.0]))
    def time_passes(self, seconds: float) -> None:
        self._step("time passes")
        with self.pool._lock:
            for resident in self.pool._residents.values():
                resident.idle_since -= seconds
        for entry in self.book.entries.values():
            entry.idle += seconds
        self.settle()

    @rule(kib=st.sampled_from([16, 64, 300]))
    def make_an_array(self, kib: int) -> None:
        if len(self.mine) > 3:
            return
        self._step("make an array")
        self.mine.append(self.world.on_thread(lambda: _array(kib * 1024)))
        self.excused = True
        self.settle()

    @rule()
    def drop_an_array(self) -> None:
        if self.mine:
            self._step("drop an array")
            self.mine.pop()
            self.settle()

    # What holds after each step.

    def settle(self) -> None:
        """Come to rest: the idle ones go, nothing runs, and everything is as the book has it."""
        before = len(self.book.entries)
        for _ in range(self.book.expire() + 1):
            self.pool._expire()
        self.world.seen["expired"] += before - len(self.book.entries)
        active = self.world.on_thread(_active_bytes)
        status = self.pool.status()
        self._residents_are_right(status.residents)
        self._ledger_balances(status, active)
        self._budget_holds(status, active)
        self._all_is_told(status)
        self.caches = {r.name: r.cache_bytes for r in status.residents}

    def _residents_are_right(self, residents: Sequence[Any]) -> None:
        assert [r.name for r in residents] == list(self.book.entries)
        for resident in residents:
            entry = self.book.entries[resident.name]
            assert not resident.busy
            assert resident.weight_bytes == entry.ware.own_bytes
            assert (resident.pinned, resident.base) == (entry.pinned, entry.base)
            assert (resident.requests, resident.ttl_seconds) == (entry.requests, entry.ttl)
            assert resident.base is None or resident.base in self.book.entries

    def _ledger_balances(self, status: Any, active: int) -> None:
        held = sum(r.weight_bytes + r.cache_bytes for r in status.residents)
        assert abs(held + status.other_bytes - active) <= active / 100
        mine = sum(array.nbytes for array in self.mine)
        assert abs(status.other_bytes - mine) <= SLACK_BYTES
        assert abs(held + mine - active) <= SLACK_BYTES

    def _budget_holds(self, status: Any, active: int) -> None:
        assert status.budget_bytes == self.book.budget
        if status.budget_bytes is not None and not self.excused:
            assert active <= status.budget_bytes + SLACK_BYTES

    def _all_is_told(self, status: Any) -> None:
        changes = self.pool.changes(self.seen)
        assert [(c.kind, c.name) for c in changes] == self.book.told
        numbers = [c.number for c in changes]
        assert numbers == list(range(self.seen + 1, self.seen + 1 + len(changes)))
        assert status.changes == self.seen + len(changes)
        self.seen = status.changes
        self.book.told.clear()


def _active_bytes() -> int:
    import mlx.core as mx

    from mlx_magic.engines import device

    device.free_unused()
    return int(mx.get_active_memory())


def _reset_peak() -> int:
    """The active bytes now, from which on the peak is measured."""
    import mlx.core as mx

    active = _active_bytes()
    mx.reset_peak_memory()
    return active


def _peak_bytes() -> int:
    import mlx.core as mx

    return int(mx.get_peak_memory())


def _array(size_bytes: int) -> Any:
    import mlx.core as mx

    array = mx.zeros((size_bytes,), dtype=mx.uint8)
    mx.eval(array)
    return array


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    gc.unfreeze()
    world.thread.close()


def test_whatever_happens_the_books_balance(world: World) -> None:
    run_state_machine_as_test(
        lambda: PoolMachine(world),
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not SOAK,
            database=None,
            phases=[Phase.generate],  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{world.steps.total():,} steps: {dict(world.steps)}; {dict(world.seen)}")
    assert world.steps.total() >= (20_000 if SOAK else 2_000)
    # It has been through what it is there for.
    for what in (
        "evicted",
        "evicted by the budget",
        "refused",
        "refused for the busy one",
        "brought back",
        "base brought in",
        "a base kept",
        "caches dropped",
        "expired",
    ):
        assert world.seen[what], what
