"""What the pool keeps: a resident, what was asked for when it was loaded, a load as it goes on."""

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from .adapters import AdapterSnapshot
from .budget import Held
from .engines import device
from .engines.protocol import Engine
from .events import Event, Finished, LoadProgress, LoadStage, ResidentStatus
from .families import model_kind
from .remote import Remote
from .snapshot import Snapshot
from .worker import Stream


@dataclass(frozen=True)
class Asked:
    """What is asked for, and as what: a model, perhaps a LoRA adapter over it or a draft model
    beside it. `ttl_seconds`: how long it may stay idle, None for ever."""

    snapshot: Snapshot | Remote[Snapshot]
    name: str
    pinned: bool = False
    adapter: AdapterSnapshot | Remote[AdapterSnapshot] | None = None
    draft: Snapshot | Remote[Snapshot] | None = None
    ttl_seconds: float | None = None

    @property
    def own_bytes(self) -> int:
        """What it costs beside its base, if it has one, by the files' headers."""
        if self.adapter is not None:
            return self.adapter.weight_bytes
        return self.snapshot.weight_bytes + (self.draft.weight_bytes if self.draft else 0)

    def is_same(self, other: "Asked") -> bool:
        """Whether both are the same files, whatever they are called."""
        return _files(self) == _files(other)


@dataclass(frozen=True)
class Wanted(Asked):
    """The same with all of it on disk: it can be loaded, not only planned for."""

    snapshot: Snapshot
    adapter: AdapterSnapshot | None = None
    draft: Snapshot | None = None


def _files(asked: Asked) -> tuple[object, ...]:
    parts = (asked.snapshot, asked.adapter, asked.draft)
    return tuple(part and part.path for part in parts)


@dataclass
class Resident:
    """A model in memory. Only the pool changes it, under its lock; its speed is noted outside."""

    wanted: Wanted
    engine: Engine
    load_seconds: float
    last_used: datetime
    pinned: bool
    base: "Resident | None" = None
    idle_since: float = field(default_factory=monotonic)
    requests: int = 0
    leases: int = 0
    leaving: bool = False
    generation_tps: float | None = None
    streams: "weakref.WeakSet[Stream]" = field(default_factory=weakref.WeakSet)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.wanted.name

    @property
    def spec(self) -> str:
        """What was typed to load it."""
        return self.wanted.snapshot.spec

    def held(self) -> Held:
        """What it holds, as the budget's plans see it."""
        return Held(
            name=self.name,
            own_bytes=self.engine.weight_bytes,
            cache_bytes=self.engine.cache_bytes,
            pinned=self.pinned,
            busy=self.leases > 0,
            base=self.base.name if self.base else None,
        )

    def status(self) -> ResidentStatus:
        """What others may know of it, as it is now."""
        wanted = self.wanted
        return ResidentStatus(
            name=self.name,
            spec=self.spec,
            revision=wanted.snapshot.revision,
            family=self.engine.family.name,
            kind=self.engine.kind,
            weight_bytes=self.engine.weight_bytes,
            shared_bytes=self.base.engine.weight_bytes if self.base else 0,
            cache_bytes=self.engine.cache_bytes,
            pinned=self.pinned,
            busy=self.leases > 0,
            adapter=wanted.adapter.spec if wanted.adapter else None,
            requests=self.requests,
            load_seconds=self.load_seconds,
            last_used=self.last_used,
            base=self.base.name if self.base else None,
            draft=wanted.draft.spec if wanted.draft else None,
            ttl_seconds=wanted.ttl_seconds,
            towerless=self.engine.kind == "text" and model_kind(wanted.snapshot.config) == "vision",
            generation_tps=self.generation_tps,
            leaving=self.leaving,
        )

    def timed(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events; the speed that the last of them tells is kept."""
        for event in events:
            if isinstance(event, Finished) and event.stats.generation_tps:
                self.generation_tps = event.stats.generation_tps
            yield event

    def described_for(self, asked: Asked) -> str:
        """What this is, said to whoever wanted something else of the same model by its name."""
        if self.wanted.adapter is not None:
            return f"{self.wanted.adapter.spec} over {self.spec}"
        if _files(self.wanted)[0] != _files(asked)[0]:
            return f"another revision of {self.spec}"
        if self.wanted.draft is not None:
            return f"{self.spec} with {self.wanted.draft.spec} as its draft"
        return f"{self.spec} by itself"


class Reading:
    """A load as whoever waits for it sees it: by the memory that MLX holds more than before."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._before_bytes = 0
        self.stage: LoadStage = "waiting"

    def begin(self, total_bytes: int) -> None:
        """Room has been made; so much is read now."""
        self._total_bytes, self._before_bytes = total_bytes, device.memory_bytes()[0]
        self.stage = "reading"

    def progress(self) -> LoadProgress:
        """How far it is, seen from any thread."""
        read_bytes = 0
        if self.stage == "reading":
            read_bytes = max(0, device.memory_bytes()[0] - self._before_bytes)
        return LoadProgress(self.stage, min(read_bytes, self._total_bytes), self._total_bytes)
