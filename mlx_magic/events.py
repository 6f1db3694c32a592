"""What a generation yields and what the pool answers: frozen values, no behaviour.

Sizes are bytes, times seconds, rates tokens per second.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Channel = Literal["text", "reasoning", "tool_call"]
FinishReason = Literal["stop", "length", "interrupted", "tool_calls"]
Kind = Literal["text", "vision"]


@dataclass(frozen=True)
class PrefillProgress:
    """How much of the prompt the model has read."""

    done_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class TextDelta:
    """The next piece of decoded text, and whether it is answer, reasoning or a tool call."""

    text: str
    channel: Channel = "text"


@dataclass(frozen=True)
class GenerationStats:
    """Counts and speeds of one generation.

    `ttft_seconds` runs from the request's start on the MLX thread to the first token;
    `generation_tokens` counts the stop token as mlx-lm does; `generation_tps` is over the tokens
    after the first; `peak_memory_bytes` is the most that MLX
    held at once during the generation, models included; `seed` makes the run repeatable.
    """

    prompt_tokens: int
    cached_tokens: int
    generation_tokens: int
    ttft_seconds: float
    prompt_tps: float
    generation_tps: float
    peak_memory_bytes: int
    finish_reason: FinishReason
    seed: int
    revision: str | None


@dataclass(frozen=True)
class Finished:
    """The last event of a generation; `tokens` are the generated ids, the stop token left out."""

    stats: GenerationStats
    tokens: tuple[int, ...]


Event = PrefillProgress | TextDelta | Finished


@dataclass(frozen=True)
class ResidentStatus:
    """One resident model, as the pool sees it.

    `weight_bytes` are its own, `shared_bytes` those of the base whose weights it uses,
    `cache_bytes` its KV caches kept between turns. `adapter` and `draft` are specs, `base` is a
    name; `ttl_seconds` is how long it may stay idle, None for ever. A `towerless` model is one of
    kind text whose config speaks of pictures. `generation_tps` is the speed of its last finished
    answer, None before one; a `leaving` resident goes when its answer has ended.
    """

    name: str
    spec: str
    revision: str | None
    family: str
    kind: Kind
    weight_bytes: int
    shared_bytes: int
    cache_bytes: int
    pinned: bool
    busy: bool
    adapter: str | None
    requests: int
    load_seconds: float
    last_used: datetime
    base: str | None = None
    draft: str | None = None
    ttl_seconds: float | None = None
    towerless: bool = False
    generation_tps: float | None = None
    leaving: bool = False


@dataclass(frozen=True)
class Unloaded:
    """What became of a resident that was freed: its last status, the bytes that came back, and
    what in the notebook still holds some of it (`the variable model`, `Out[3]`)."""

    status: ResidentStatus
    freed_bytes: int
    held_by: tuple[str, ...]


LoadStage = Literal["waiting", "importing", "reading"]


@dataclass(frozen=True)
class LoadProgress:
    """What a load is doing: it waits for its turn, imports its engine's library, or reads."""

    stage: LoadStage
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DownloadProgress:
    """One reading during a download.

        hub.resolve("owner/name", on_progress=lambda p: print(p.done_bytes / p.total_bytes))

    `done_bytes` and `total_bytes` count all files of the snapshot, those found on disk included;
    `bytes_per_second` is the mean of the last five seconds; `seconds_left` is None while nothing
    arrives.
    """

    file: str
    done_bytes: int
    total_bytes: int
    bytes_per_second: float
    seconds_left: float | None


ChangeKind = Literal["loaded", "unloaded", "evicted", "expired", "pinned", "unpinned"]


@dataclass(frozen=True)
class PoolChange:
    """One thing that happened to the pool; `size_bytes` came or went, `why` says what for."""

    number: int
    at: datetime
    kind: ChangeKind
    name: str
    size_bytes: int
    why: str


@dataclass(frozen=True)
class PoolStatus:
    """The pool at one moment. `residents` stand in LRU order, the next to go first.

    `budget_bytes` is None when no budget is enforced, and before the first load. `active_bytes` is
    what MLX holds in use, `buffer_pool_bytes` what it keeps for reuse, `other_bytes` the part of
    the active memory that belongs to no resident (the notebook's own arrays, and what an answer
    under way uses). `changes` is the number of the last `PoolChange`.
    """

    budget_bytes: int | None
    active_bytes: int
    buffer_pool_bytes: int
    other_bytes: int
    residents: tuple[ResidentStatus, ...]
    changes: int = 0

    @property
    def views_first(self) -> tuple[ResidentStatus, ...]:
        """The residents in an order in which all can be freed: a base after what lies over it."""
        return tuple(sorted(self.residents, key=lambda r: r.base is None))


@dataclass(frozen=True)
class SystemMemory:
    """The machine's memory: what there is (or what its container may use), what of it is still to
    be had, and what this process holds of it."""

    total_bytes: int
    available_bytes: int
    process_bytes: int
