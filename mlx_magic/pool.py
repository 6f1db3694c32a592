"""The pool: the resident models, in LRU order, and the leases of those that are answering."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

from .engines import device, load_engine, preload
from .engines.protocol import Cancelled, Engine
from .errors import ResidentBusy, ResidentNotFound, UsageProblem, did_you_mean
from .events import PoolStatus, ResidentStatus
from .hub import Snapshot
from .messages import Message
from .options import GenerationOptions
from .worker import Job, MLXThread, Stream


@dataclass
class _Resident:
    """A model in memory. Only the pool changes it, under its lock."""

    name: str
    snapshot: Snapshot
    engine: Engine
    pinned: bool
    load_seconds: float
    last_used: datetime
    requests: int = 0
    leases: int = 0

    def status(self) -> ResidentStatus:
        return ResidentStatus(
            name=self.name,
            spec=self.snapshot.spec,
            revision=self.snapshot.revision,
            family=self.engine.family.name,
            kind=self.engine.kind,
            weight_bytes=self.engine.weight_bytes,
            shared_bytes=0,
            cache_bytes=0,
            pinned=self.pinned,
            busy=self.leases > 0,
            adapter=None,
            requests=self.requests,
            load_seconds=self.load_seconds,
            last_used=self.last_used,
        )


class ModelPool:
    """The models of one kernel. Its methods may be called from any thread.

    Loading, answering and freeing happen on the MLX thread that it is given. A failed or
    interrupted load leaves the pool as it was.
    """

    def __init__(self, thread: MLXThread) -> None:
        self._thread = thread
        self._lock = threading.RLock()
        self._residents: OrderedDict[str, _Resident] = OrderedDict()  # least recently used first

    def load(self, snapshot: Snapshot, *, name: str, pinned: bool = False) -> ResidentStatus:
        """Bring a snapshot in under `name`, or find it there already.

        Raises `UsageProblem` when the name belongs to another model, and whatever the engine
        raises when the files can't be loaded.
        """
        return self._thread.call(lambda job: self._load(job, snapshot, name, pinned))

    def _load(self, job: Job, snapshot: Snapshot, name: str, pinned: bool) -> ResidentStatus:
        held = self._held(snapshot, name, pinned)
        if held is not None:
            return held
        if job.cancelled:
            raise Cancelled
        preload()  # the imports are no part of the load's time
        started = perf_counter()
        engine = load_engine(snapshot)
        seconds = perf_counter() - started
        if job.cancelled:  # interrupted meanwhile: a model enters whole and wanted, or not at all
            engine.close()
            raise Cancelled
        with self._lock:
            resident = _Resident(name, snapshot, engine, pinned, seconds, _now())
            self._residents[name] = resident
            return resident.status()

    def require_free(self, name: str, spec: str) -> None:
        """Raise `UsageProblem` when `name` belongs to the resident of another spec."""
        with self._lock:
            resident = self._residents.get(name)
            if resident is not None and resident.snapshot.spec != spec:
                raise UsageProblem(
                    f"the name {name!r} is taken by {resident.snapshot.spec}; "
                    f"choose another with --as NAME, or %unload_model {name} first"
                )

    def _held(self, snapshot: Snapshot, name: str, pinned: bool) -> ResidentStatus | None:
        """The resident that `name` and `snapshot` already stand for."""
        with self._lock:
            self.require_free(name, snapshot.spec)
            resident = self._residents.get(name)
            if resident is None:
                return None
            if resident.snapshot.path != snapshot.path:
                raise UsageProblem(
                    f"the name {name!r} is taken by another revision of {snapshot.spec}; "
                    f"choose another with --as NAME, or %unload_model {name} first"
                )
            resident.pinned |= pinned
            self._touch(resident)
            return resident.status()

    def unload(self, name: str) -> ResidentStatus:
        """Free a resident. Raises `ResidentNotFound`, or `ResidentBusy` while it is answering."""
        with self._lock:
            resident = self._find(name)
            if resident.leases:
                raise ResidentBusy(
                    f"{resident.name} is answering; wait for the answer or interrupt it, "
                    "then try again"
                )
            # From here on nobody can lease it, so the MLX thread may free it when it gets there.
            del self._residents[resident.name]
            status = resident.status()
        engine = resident.engine
        del resident
        self._thread.call(lambda _: engine.close())
        return status

    def pin(self, name: str, pinned: bool = True) -> ResidentStatus:
        """Keep a resident from ever being evicted, or allow it again."""
        with self._lock:
            resident = self._find(name)
            resident.pinned = pinned
            return resident.status()

    def resident(self, name: str | None = None) -> ResidentStatus:
        """The resident of that name or spec; without a name the most recently used one.

        Raises `ResidentNotFound` with the close names.
        """
        with self._lock:
            return self._find(name).status()

    def stream(self, name: str, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        """Let a resident answer. Until the answer has ended it is leased and can't be freed."""
        with self._lock:
            resident = self._find(name)
            resident.leases += 1
            resident.requests += 1
            self._touch(resident)
        engine = resident.engine
        try:
            return self._thread.stream(
                lambda control: engine.stream(messages, options, control),
                done=lambda: self._release(resident),
            )
        except BaseException:
            self._release(resident)
            raise

    def status(self) -> PoolStatus:
        """The residents in LRU order, and where MLX's memory is. Never waits for the MLX thread."""
        with self._lock:
            residents = tuple(resident.status() for resident in self._residents.values())
        active, buffer_pool = device.memory_bytes()
        held = sum(r.weight_bytes + r.cache_bytes for r in residents)
        return PoolStatus(
            budget_bytes=None,
            active_bytes=active,
            buffer_pool_bytes=buffer_pool,
            other_bytes=max(0, active - held),
            residents=residents,
        )

    def close(self) -> None:
        """Forget every resident. Runs on the MLX thread, as its last job."""
        with self._lock:
            self._residents.clear()

    def _find(self, name: str | None) -> _Resident:
        if not self._residents:
            raise ResidentNotFound("no model is loaded; try %load_model demo:qwen (tiny, offline)")
        if name is None:
            return next(reversed(self._residents.values()))
        if name in self._residents:
            return self._residents[name]
        for resident in reversed(self._residents.values()):
            if resident.snapshot.spec == name:
                return resident
        raise ResidentNotFound(
            f"no loaded model is called {name!r}; {did_you_mean(name, self._residents)} "
            "(%models lists them, %load_model brings one in)"
        )

    def _touch(self, resident: _Resident) -> None:
        resident.last_used = _now()
        if resident.name in self._residents:  # not so once the pool has been closed
            self._residents.move_to_end(resident.name)

    def _release(self, resident: _Resident) -> None:
        with self._lock:
            resident.leases -= 1
            self._touch(resident)


def _now() -> datetime:
    return datetime.now(UTC)
