"""The pool: the resident models in LRU order, the leases of those that answer, the memory budget.

Room is made before a model's first array is read: `budget` plans, this file carries the plan out.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic, perf_counter

from . import demo
from .adapters import AdapterSnapshot
from .budget import AdmissionPlan, over_budget, plan_admission
from .engines import device, load_engine, preload
from .engines.protocol import Cancelled, Engine
from .errors import MlxMagicError, ResidentBusy, ResidentNotFound, UsageProblem, did_you_mean
from .events import (
    ChangeKind,
    LoadProgress,
    PoolChange,
    PoolStatus,
    ResidentStatus,
    Unloaded,
)
from .messages import Message
from .names import default_name
from .options import GenerationOptions
from .remote import Remote
from .residents import Asked, Reading, Resident, Wanted
from .snapshot import Snapshot
from .worker import Job, MLXThread, Stream, let_go

_CHANGES_KEPT = 1000
_POLL_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 86_400.0  # of one timer: threads can't wait for ever so long


class ModelPool:
    """The models of one kernel. Its methods may be called from any thread.

    Loading, answering and freeing happen on the MLX thread that it is given. A failed or
    interrupted load leaves the pool as it was. `default_budget` gives the budget in bytes, or None
    for none; it is asked on the MLX thread before the first load, unless `set_budget` came first.
    """

    def __init__(
        self, thread: MLXThread, default_budget: Callable[[], int | None] = lambda: None
    ) -> None:
        self._thread = thread
        self._lock = threading.RLock()
        self._quiet = threading.Condition(self._lock)  # told when a lease ends
        self._residents: OrderedDict[str, Resident] = OrderedDict()  # least recently used first
        self._default_budget: Callable[[], int | None] | None = default_budget
        self._budget: int | None = None
        self._changes: deque[PoolChange] = deque(maxlen=_CHANGES_KEPT)
        self._counted = 0
        self._timer: threading.Timer | None = None

    # Loading.

    def load(
        self,
        snapshot: Snapshot,
        *,
        name: str,
        pinned: bool = False,
        adapter: AdapterSnapshot | None = None,
        draft: Snapshot | None = None,
        ttl_seconds: float | None = None,
        on_progress: Callable[[LoadProgress], None] | None = None,
    ) -> ResidentStatus:
        """Bring a snapshot in under `name`, or find it there already.

        With `adapter` it is a view over the resident base's weights; a base that is not resident
        is brought in first, under its own name. Room is made within the budget, least recently
        used first. Raises `UsageProblem` when the name belongs to another model,
        `MemoryBudgetExceeded` when no plan makes enough room, and whatever the engine raises when
        the files can't be loaded; then nothing has changed. `on_progress` hears of a load that
        takes longer than a moment.
        """
        wanted = Wanted(snapshot, name, pinned, adapter, draft, ttl_seconds)
        reading = Reading(wanted.own_bytes)
        status = self._thread.call(
            lambda job: self._load(job, wanted, reading),
            on_wait=None if on_progress is None else lambda: on_progress(reading.progress()),
        )
        self._watch_idle()
        return status

    def plan(
        self,
        snapshot: Snapshot | Remote[Snapshot],
        *,
        name: str,
        adapter: AdapterSnapshot | Remote[AdapterSnapshot] | None = None,
        draft: Snapshot | Remote[Snapshot] | None = None,
    ) -> AdmissionPlan:
        """What loading it would do, without doing it. Raises what `load` would.

        Of what isn't on disk only the bytes can be judged, not whether the parts fit together.
        """
        if isinstance(snapshot, Remote) or isinstance(adapter, Remote) or isinstance(draft, Remote):
            asked = Asked(snapshot, name, False, adapter, draft)
        else:
            asked = Wanted(snapshot, name, False, adapter, draft)
        return self._thread.call(lambda _: self._plan(asked))

    def _plan(self, asked: Asked) -> AdmissionPlan:
        preload()
        with self._lock:
            need_bytes = self._need(asked)
        self._tidy(need_bytes)
        with self._lock:
            if self._there(asked) is not None:  # found without making room, even over the budget
                held = [resident.held() for resident in self._residents.values()]
                plan = over_budget(self._limit(), self._other_bytes(), held)
                return replace(plan, drop_caches=(), evict=(), freed_bytes=0, short_bytes=0)
            base = self._base_of(asked)
            plan = self._admission(need_bytes, base)
        if isinstance(asked, Wanted):
            for engine in reversed(self._built(asked, base)):  # refuses what loading would refuse
                engine.close()
        return plan

    def _tidy(self, need_bytes: int) -> None:
        """Free what nobody uses; garbage is collected if it may hold what counts beside a need."""
        with self._lock:
            in_the_way = self._other_bytes() > need_bytes // 100
        device.free_unused(collect=in_the_way)

    def _need(self, asked: Asked) -> int:
        """What it costs, with the base that it would bring in."""
        missing = asked.adapter is not None and self._base_of(asked) is None
        return asked.own_bytes + (asked.snapshot.weight_bytes if missing else 0)

    def _admission(self, need_bytes: int, base: Resident | None) -> AdmissionPlan:
        """The plan that makes room, sparing the base."""
        held = [resident.held() for resident in self._residents.values()]
        if base is not None:
            held = [replace(h, busy=False, needed=True) if h.name == base.name else h for h in held]
        return plan_admission(need_bytes, self._limit(), self._other_bytes(), held)

    def _load(self, job: Job, wanted: Wanted, reading: Reading) -> ResidentStatus:
        there = self._there(wanted)
        if there is not None:
            return self._found(there, wanted)
        if job.cancelled:
            raise Cancelled
        reading.stage = "importing"
        preload(wanted.snapshot.kind)  # the imports are no part of the load's time
        with self._lock:
            base, need_bytes = self._base_of(wanted), self._need(wanted)
        self._tidy(need_bytes)
        with self._lock:
            self._admission(need_bytes, base)  # refused before it is built
        order, evicted = list(self._residents), []
        with self._leased(base):
            started = perf_counter()
            engines = self._built(wanted, base)
            try:
                evicted = self._make_room(need_bytes, base, wanted.name)
                reading.begin(need_bytes)
                for engine in engines:
                    engine.read_weights()
                if job.cancelled:  # interrupted meanwhile: it enters whole and wanted, or not
                    raise Cancelled
            except BaseException as error:
                for engine in reversed(engines):
                    engine.close()
                let_go(error)  # or what was read in vain would lie beside what comes back
                lost = self._bring_back(evicted, order)
                if lost and isinstance(error, MlxMagicError):
                    gone = f"{' and '.join(lost)} had made room for it and can't be loaded again"
                    error.args = (f"{error}; {gone} (%load_model says why)",)
                raise
            return self._enter(wanted, base, engines, perf_counter() - started)

    def _built(self, wanted: Wanted, base: Resident | None) -> list[Engine]:
        """The engines to be read, a base that is to be brought in before the view over it.

        Whatever doesn't fit is refused here, before anything is evicted for it.
        """
        if wanted.adapter is None:
            return [load_engine(wanted.snapshot, wanted.draft)]
        if base is not None:
            return [base.engine.view(wanted.adapter)]
        under = load_engine(wanted.snapshot)
        return [under, under.view(wanted.adapter)]

    def _enter(
        self, wanted: Wanted, base: Resident | None, engines: list[Engine], seconds: float
    ) -> ResidentStatus:
        """Make what was read residents, all at once."""
        *under, engine = engines
        with self._lock:
            if under:
                own = Wanted(
                    wanted.snapshot, self._base_name(wanted), ttl_seconds=wanted.ttl_seconds
                )
                base = self._residents[own.name] = Resident(own, under[0], seconds, _now(), False)
                self._tell(
                    "loaded", own.name, under[0].weight_bytes, f"as the base of {wanted.name}"
                )
            resident = Resident(wanted, engine, seconds, _now(), wanted.pinned, base)
            self._residents[wanted.name] = resident
            self._touch(resident)
            self._tell("loaded", wanted.name, engine.weight_bytes)
            return resident.status()

    @contextmanager
    def _leased(self, base: Resident | None) -> Iterator[None]:
        """Let nobody unload a base while an adapter is laid over it."""
        if base is None:
            yield
            return
        with self._lock:
            if base.leaving or base.name not in self._residents:
                raise ResidentBusy(f"{base.name} is being unloaded; load the adapter once more")
            base.leases += 1
        try:
            yield
        finally:
            with self._quiet:
                base.leases -= 1
                self._quiet.notify_all()

    def _make_room(self, need_bytes: int, base: Resident | None, what_for: str) -> list[Resident]:
        """Carry the plan out; the residents that it evicted, which can be brought back."""
        with self._lock:  # nobody can lease one between the plan and its eviction
            plan = self._admission(need_bytes, base)
            dropping = [self._residents[name] for name in plan.drop_caches]
            evicted = [self._residents.pop(name) for name in plan.evict]
        for resident in dropping:
            resident.engine.drop_caches()
        for resident in evicted:
            size = resident.engine.weight_bytes
            resident.engine.close()
            self._tell("evicted", resident.name, size, f"to make room for {what_for}")
        return evicted

    def _bring_back(self, evicted: Sequence[Resident], order: Sequence[str]) -> list[str]:
        """Load again what was evicted for a model whose files could not be read after all.

        Returns the names of those that stay evicted.
        """
        for resident in reversed(evicted):  # a base comes before the views that were over it
            base = resident.base
            if base is not None and self._residents.get(base.name) is not base:
                continue
            with suppress(Exception):  # its own files may have gone: then it stays evicted
                (engine,) = self._built(resident.wanted, base)
                try:
                    engine.read_weights()
                except BaseException:
                    engine.close()
                    raise
                with self._lock:
                    resident.engine = engine
                    self._residents[resident.name] = resident
                    self._tell("loaded", resident.name, engine.weight_bytes, "back after a failure")
        with self._lock:
            for name in filter(self._residents.__contains__, order if evicted else ()):
                self._residents.move_to_end(name)
            return [r.name for r in evicted if self._residents.get(r.name) is not r]

    def require_free(self, name: str, spec: str) -> None:
        """Raise `UsageProblem` when `name` belongs to the resident of another spec."""
        with self._lock:
            resident = self._residents.get(name)
            if resident is not None and resident.spec != spec:
                raise UsageProblem(
                    f"the name {name!r} is taken by {resident.spec}; "
                    f"choose another with --as NAME, or %unload_model {name} first"
                )

    def _there(self, asked: Asked) -> Resident | None:
        """The resident that the name stands for, which must be what is asked for."""
        with self._lock:
            self.require_free(asked.name, asked.snapshot.spec)
            resident = self._residents.get(asked.name)
            if resident is not None and resident.leaving:
                raise ResidentBusy(
                    f"{asked.name} is being unloaded; load it again once it has gone"
                )
            if resident is None or resident.wanted.is_same(asked):
                return resident
            raise UsageProblem(
                f"the name {asked.name!r} is taken by {resident.described_for(asked)}; "
                f"choose another with --as NAME, or %unload_model {asked.name} first"
            )

    def _found(self, resident: Resident, wanted: Wanted) -> ResidentStatus:
        with self._lock:
            if wanted.pinned and not resident.pinned:
                resident.pinned = True
                self._tell("pinned", resident.name, 0)
            if wanted.ttl_seconds is not None:
                resident.wanted = replace(resident.wanted, ttl_seconds=wanted.ttl_seconds)
            self._touch(resident)
            return resident.status()

    def _base_of(self, asked: Asked) -> Resident | None:
        """The resident over whose weights an adapter of this snapshot can lie."""
        if asked.adapter is None:
            return None
        plain = Asked(asked.snapshot, asked.name)
        return next((r for r in self._residents.values() if r.wanted.is_same(plain)), None)

    def _base_name(self, wanted: Wanted) -> str:
        """A name for the base that nobody named: not that of its view."""
        name = default_name(wanted.snapshot.spec)
        with self._lock:
            while name in self._residents or name == wanted.name:
                name += "-base"
        return name

    # Letting go.

    def unload(self, name: str, *, force: bool = False) -> Unloaded:
        """Free a resident, and say what it gave back and what in the notebook still holds it.

        One that is answering is freed when its answer has ended; nobody new can ask it meanwhile.
        `force` cancels the answer. Raises `ResidentNotFound`, and `ResidentBusy` for a base whose
        weights an adapter's view is using.
        """
        with self._lock:
            resident = self._find(name)
            self._require_no_view(resident)
            resident.leaving = True
            for stream in list(resident.streams) if force else ():
                stream.cancel()
        try:
            with self._quiet:
                while resident.leases:  # in short steps, so that an interrupt ends the wait
                    self._quiet.wait(_POLL_SECONDS)
            unloaded = self._thread.call(lambda _: self._take_out(resident))
        except BaseException:
            resident.leaving = False
            raise
        self._watch_idle()  # a base without views may grow idle
        return unloaded

    def _take_out(self, resident: Resident) -> Unloaded:
        """In one job of the MLX thread, so that no load in between counts what is on its way."""
        with self._lock:
            self._require_no_view(resident)
            if self._residents.get(resident.name) is not resident:
                raise ResidentNotFound(f"{resident.name!r} has been unloaded meanwhile")
            del self._residents[resident.name]
            status = resident.status()
        freed, held_by = _close_and_look(resident.engine)
        self._tell("unloaded", status.name, freed)
        return Unloaded(status, freed, held_by)

    def _require_no_view(self, base: Resident) -> None:
        views = [r.name for r in self._residents.values() if r.base is base]
        if views:
            raise ResidentBusy(
                f"{' and '.join(views)} {'use' if len(views) > 1 else 'uses'} the weights of "
                f"{base.name}; %unload_model {' '.join(views)} first"
            )

    def _free(self, resident: Resident, kind: ChangeKind, why: str) -> None:
        """Take a resident out and free it, on the MLX thread."""
        with self._lock:
            self._residents.pop(resident.name, None)
        size = resident.engine.weight_bytes
        resident.engine.close()
        self._tell(kind, resident.name, size, why)

    def pin(self, name: str, pinned: bool = True) -> ResidentStatus:
        """Keep a resident from ever being evicted, or allow it again."""
        with self._lock:
            resident = self._find(name)
            resident.pinned = pinned
            self._tell("pinned" if pinned else "unpinned", resident.name, 0)
        if not pinned and self._is_over():  # it may have been what kept it so
            self._thread.call(lambda _: self._shrink())
        self._watch_idle()
        return resident.status()

    def set_budget(self, budget_bytes: int | None) -> AdmissionPlan:
        """Set the most that residents, caches and the notebook's own arrays may hold; None: no
        limit. Evicts at once what a lower budget asks for and what may be evicted; the plan says
        what is still over it (`short_bytes`)."""
        with self._lock:
            self._budget, self._default_budget = budget_bytes, None
            if not self._residents:
                return over_budget(budget_bytes, self._other_bytes(), ())
        plan = self._thread.call(lambda _: self._shrink())
        self._watch_idle()
        return plan

    def budget(self) -> int | None:
        """The budget in force, in bytes; the machine is asked once where none was set."""
        with self._lock:
            if self._default_budget is None:
                return self._budget

        def limit(_: Job) -> int | None:
            preload()
            with self._lock:
                return self._limit()

        return self._thread.call(limit)

    def _shrink(self) -> AdmissionPlan:
        device.free_unused()
        with self._lock:
            held = [resident.held() for resident in self._residents.values()]
            plan = over_budget(self._budget, self._other_bytes(), held)
            dropping = [self._residents[name] for name in plan.drop_caches]
            evicting = [self._residents.pop(name) for name in plan.evict]
        for resident in dropping:
            resident.engine.drop_caches()
        for resident in evicting:
            self._free(resident, "evicted", "the budget asks for it")
        return plan

    # The idle ones.

    def _watch_idle(self) -> None:
        """Set a timer for the next resident whose idle time ends."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            ends = self._idle_ends()
            if ends:
                next_end = min(end for _, end in ends)
                wait = min(max(0.0, next_end - monotonic()), _LONGEST_WAIT_SECONDS)
                self._timer = threading.Timer(wait, self._expire)
                self._timer.daemon = True
                self._timer.start()

    def _idle_ends(self) -> list[tuple[Resident, float]]:
        """When each is to be freed; not what has no limit, is pinned, busy or a base in use."""
        in_use = {id(resident.base) for resident in self._residents.values()}
        return [
            (resident, resident.idle_since + ttl)
            for resident in self._residents.values()
            if (ttl := resident.wanted.ttl_seconds) is not None
            and not (resident.pinned or resident.leases or id(resident) in in_use)
        ]

    def _expire(self) -> None:
        with suppress(Exception):  # the thread may have ended meanwhile
            self._thread.submit(lambda _: self._free_idle()).result()
            self._watch_idle()

    def _free_idle(self) -> None:
        with self._lock:
            due = [resident for resident, end in self._idle_ends() if end <= monotonic()]
            for resident in due:
                del self._residents[resident.name]
        for resident in due:
            self._free(resident, "expired", "it was idle")

    # Answering.

    def resident(self, name: str | None = None) -> ResidentStatus:
        """The resident of that name or spec; without a name the most recently used one.

        Raises `ResidentNotFound` with the close names.
        """
        with self._lock:
            return self._find(name).status()

    def stream(self, name: str, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        """Let a resident answer. Until the answer has ended it is leased and can't be freed.

        Raises `UsageProblem` when it reads text only and there are pictures.
        """
        with self._lock:
            resident = self._find(name)
            self._require_sight(resident, messages)
            if resident.leaving:
                raise ResidentBusy(f"{resident.name} is being unloaded; load it again to ask it")
            resident.leases += 1
            resident.requests += 1
            self._touch(resident)
        engine = resident.engine
        try:
            stream = self._thread.stream(
                lambda control: resident.timed(engine.stream(messages, options, control)),
                done=lambda: self._answered(resident),
            )
        except BaseException:
            self._release(resident)
            raise
        resident.streams.add(stream)
        return stream

    def _require_sight(self, resident: Resident, messages: Sequence[Message]) -> None:
        """Refuse pictures, of this turn or of an earlier one, for a model that reads text only."""
        if resident.engine.kind == "vision" or not any(message.images for message in messages):
            return
        seeing = [r.name for r in reversed(self._residents.values()) if r.engine.kind == "vision"]
        why = " (its files hold no vision tower)" if resident.status().towerless else ""
        remedy = f"ask {' or '.join(seeing)}" if seeing else vision_hint()
        if not messages[-1].images:
            remedy += ", or go on without the pictures in another conversation (--conversation)"
        raise UsageProblem(f"{resident.name} reads text only{why}; {remedy}")

    def _find(self, name: str | None) -> Resident:
        if not self._residents:
            raise ResidentNotFound("no model is loaded; try %load_model demo:qwen (tiny, offline)")
        if name is None:
            return next(reversed(self._residents.values()))
        if name in self._residents:
            return self._residents[name]
        for resident in reversed(self._residents.values()):
            if name == (resident.wanted.adapter or resident.wanted.snapshot).spec:
                return resident
        raise ResidentNotFound(
            f"no loaded model is called {name!r}; {did_you_mean(name, self._residents)} "
            "(%models lists them, %load_model brings one in)"
        )

    def _touch(self, resident: Resident) -> None:
        """Used just now; a view's base with it, and before it."""
        if resident.base is not None:
            self._touch(resident.base)
        resident.last_used, resident.idle_since = _now(), monotonic()
        if resident.name in self._residents:  # not so once the pool has been closed
            self._residents.move_to_end(resident.name)

    def _answered(self, resident: Resident) -> None:
        """The answer has ended: on the MLX thread."""
        self._release(resident)
        self._trim_caches()

    def _is_over(self) -> bool:
        """Whether MLX holds more than the budget, what it will free at its next chance included."""
        return self._budget is not None and device.memory_bytes()[0] > self._budget

    def _trim_caches(self) -> None:
        """Drop kept caches, least recently used first, as far as an answer's break the budget."""
        if not self._is_over():
            return
        device.free_unused()  # the answer's last step
        with self._lock:
            # An answer evicts nobody, however much the notebook's own arrays have grown.
            held = [replace(r.held(), pinned=True) for r in self._residents.values()]
            plan = over_budget(self._budget, self._other_bytes(), held)
            dropping = [self._residents[name] for name in plan.drop_caches]
        for resident in dropping:
            resident.engine.drop_caches()

    def _release(self, resident: Resident) -> None:
        with self._quiet:
            resident.leases -= 1
            self._touch(resident)
            self._quiet.notify_all()
        if resident.wanted.ttl_seconds is not None:
            self._watch_idle()

    # What there is.

    def status(self) -> PoolStatus:
        """The residents in LRU order, and where MLX's memory is. Never waits for the MLX thread."""
        with self._lock:
            residents = tuple(resident.status() for resident in self._residents.values())
            budget, changes = self._budget, self._counted
        active, buffer_pool = device.memory_bytes()
        held = sum(r.weight_bytes + r.cache_bytes for r in residents)
        return PoolStatus(
            budget_bytes=budget,
            active_bytes=active,
            buffer_pool_bytes=buffer_pool,
            other_bytes=max(0, active - held),
            residents=residents,
            changes=changes,
        )

    def changes(self, since: int = 0) -> tuple[PoolChange, ...]:
        """What has happened after change number `since`, oldest first; the last thousand are kept.

        Whoever shows the pool compares `PoolStatus.changes` with the number it has seen.
        """
        with self._lock:
            return tuple(change for change in self._changes if change.number > since)

    def _tell(self, kind: ChangeKind, name: str, size_bytes: int, why: str = "") -> None:
        with self._lock:
            self._counted += 1
            self._changes.append(PoolChange(self._counted, _now(), kind, name, size_bytes, why))

    def _limit(self) -> int | None:
        """The budget; the default one is asked for once, on the MLX thread."""
        if self._default_budget is not None:
            self._budget, self._default_budget = self._default_budget(), None
        return self._budget

    def _other_bytes(self) -> int:
        """What MLX holds for nobody here: the notebook's own arrays."""
        held = (r.engine.weight_bytes + r.engine.cache_bytes for r in self._residents.values())
        return max(0, device.memory_bytes()[0] - sum(held))

    def close(self) -> None:
        """Forget every resident. Runs on the MLX thread, as its last job."""
        with self._lock:
            self._residents.clear()
            if self._timer is not None:
                self._timer.cancel()


def vision_hint() -> str:
    """What to type for a model that can see: one of the package's, or a small one of the Hub."""
    demos = [model.spec for model in demo.list() if model.kind == "vision"]
    spec = demos[0] if demos else "mlx-community/gemma-3-4b-it-4bit"
    return f"load a vision model, e.g. %load_model {spec}"


def _close_and_look(engine: Engine) -> tuple[int, tuple[str, ...]]:
    from .engines.holders import close_and_look  # imports MLX, which only a loaded model needs

    return close_and_look(engine)


def _now() -> datetime:
    return datetime.now(UTC)
