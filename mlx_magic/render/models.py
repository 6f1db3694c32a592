"""The pool and what lies on disk, as tables and lines."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from ..budget import AdmissionPlan
from ..events import PoolChange, PoolStatus, ResidentStatus, Unloaded
from ..units import count, format_bytes, format_seconds
from .table import Table

_WORTH_NAMING = 1 << 16  # bytes; less is what a sampler or an empty cache leaves behind


def loaded_line(
    resident: ResidentStatus, already: bool = False, changes: Sequence[PoolChange] = ()
) -> str:
    """What a load came to, in one line; `changes` are those that it made."""
    evicted = [c for c in changes if c.kind == "evicted"]
    brought = [c for c in changes if c.kind == "loaded" and c.name == resident.base]
    facts = [
        resident.name,
        f"{resident.family} {resident.kind} model",
        format_bytes(resident.weight_bytes),
        "already loaded" if already else f"loaded in {format_seconds(resident.load_seconds)}",
    ]
    if resident.adapter:
        facts[1] = f"{resident.adapter} over {resident.base}"
    if resident.towerless:
        facts.append("reads text only: its files hold no vision tower")
    if brought:
        facts.append(f"with its base {_named((c.name, c.size_bytes) for c in brought)}")
    if resident.draft:
        facts.append(f"drafts by {resident.draft}")
    if resident.pinned:
        facts.append("pinned")
    if resident.ttl_seconds is not None and not resident.pinned:
        facts.append(f"goes after {format_seconds(resident.ttl_seconds)} without use")
    if evicted:
        facts.append("evicted " + _named((c.name, c.size_bytes) for c in evicted))
    return " · ".join(facts)


def unloaded_line(unloaded: Unloaded) -> str:
    """What freeing a resident gave back, and what still holds some of it."""
    line = f"{unloaded.status.name} unloaded, {format_bytes(unloaded.freed_bytes)} freed"
    if unloaded.held_by:
        held = unloaded.status.weight_bytes + unloaded.status.cache_bytes
        rest = max(0, held - unloaded.freed_bytes)
        line += f"; {format_bytes(rest)} still held by {' and '.join(unloaded.held_by)}"
    return line


def plan_line(spec: str, plan: AdmissionPlan, download_bytes: int = 0) -> str:
    """What loading would do; `download_bytes` are missing on disk."""
    if plan.budget_bytes is None:
        room = "no budget is set"
    else:
        room = f"{format_bytes(max(0, plan.free_bytes))} of {format_bytes(plan.budget_bytes)} free"
    need = f"needs {format_bytes(plan.need_bytes)}" if plan.need_bytes else "is loaded already"
    facts = [spec, need, room, f"would {does(plan)}"]
    facts += [f"would download {format_bytes(download_bytes)}"] if download_bytes else []
    return " · ".join(facts)


def does(plan: AdmissionPlan) -> str:
    """What a plan takes from whom: drop the caches of llama and evict gemma, qwen."""
    steps = [f"drop the caches of {', '.join(plan.drop_caches)}"] if plan.drop_caches else []
    steps += [f"evict {', '.join(plan.evict)}"] if plan.evict else []
    return " and ".join(steps) or "evict nothing"


def shrunk_line(plan: AdmissionPlan) -> str:
    """What a lower budget took, and by how much it is still exceeded."""
    parts = [f"evicted {', '.join(plan.evict)}"] if plan.evict else []
    if plan.short_bytes:
        short = format_bytes(plan.short_bytes)
        parts.append(f"still {short} over the budget: {plan.in_the_way}")
    return "; ".join(parts)


def _named(sizes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} ({format_bytes(size)})" for name, size in sizes)


def pool_table(status: PoolStatus) -> Table:
    """The residents, least recently used first, and what memory there is."""
    now = datetime.now(UTC)
    rows = [
        (
            r.name,
            model_of(r),
            f"{r.family} {r.kind}",
            format_bytes(r.weight_bytes),
            format_bytes(r.cache_bytes) if r.cache_bytes else "",
            _state(r),
            f"{r.requests:,}",
            f"{format_seconds((now - r.last_used).total_seconds())} ago",
        )
        for r in status.residents
    ]
    columns = ("name", "model", "kind", "memory", "caches", "state", "requests", "last used")
    numeric = frozenset({"memory", "caches", "requests", "last used"})
    return Table(columns, rows, numeric, pool_note(status))


def pool_note(status: PoolStatus) -> str:
    """The line below a list of the residents, or in its place when there are none."""
    if status.residents:
        return f"{memory_line(status)}; least recently used first"
    return f"no model is loaded{_budget(status)}; try %load_model demo:qwen (tiny, offline)"


def model_of(resident: ResidentStatus) -> str:
    """What a resident was made of: its spec, with an adapter or a draft model."""
    if resident.adapter:
        return f"{resident.adapter} over {resident.base}"
    return f"{resident.spec}, drafts by {resident.draft}" if resident.draft else resident.spec


def _state(resident: ResidentStatus) -> str:
    states = ["answering"] if resident.busy else []
    states += ["pinned"] if resident.pinned else []
    states += ["leaving"] if resident.leaving else []
    if resident.ttl_seconds is not None and not resident.pinned:
        states.append(f"ttl {format_seconds(resident.ttl_seconds)}")
    return ", ".join(states)


def memory_line(status: PoolStatus) -> str:
    """Who holds the memory, in one line: models, caches, other arrays, the budget."""
    weights = sum(r.weight_bytes for r in status.residents)
    caches = sum(r.cache_bytes for r in status.residents)
    parts = [f"{count(len(status.residents), 'model')}, {format_bytes(weights)}"]
    parts += [f"caches {format_bytes(caches)}"] if caches else []
    if status.other_bytes > _WORTH_NAMING:
        parts.append(f"other arrays {format_bytes(status.other_bytes)}")
    return "; ".join(parts) + _budget(status)


def _budget(status: PoolStatus) -> str:
    return "" if status.budget_bytes is None else f"; budget {format_bytes(status.budget_bytes)}"


def disk_table(rows: list[dict[str, Any]]) -> Table:
    texts = [
        (
            row["spec"],
            format_bytes(row["bytes"]),
            "" if row["complete"] else "partial",
            f"{row['last_used']:%Y-%m-%d}" if row["last_used"] else "",
        )
        for row in rows
    ]
    note = f"{count(len(rows), 'model')} on disk; %load_model SPEC brings one in"
    return Table(("spec", "size", "state", "last used"), texts, frozenset({"size"}), note)
