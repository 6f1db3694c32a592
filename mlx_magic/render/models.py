"""The pool and what lies on disk, as tables and lines."""

from datetime import UTC, datetime
from typing import Any

from ..events import PoolStatus, ResidentStatus
from ..units import count, format_bytes, format_seconds
from .table import Table


def loaded_line(resident: ResidentStatus, already: bool) -> str:
    facts = [
        resident.name,
        f"{resident.family} {resident.kind} model",
        format_bytes(resident.weight_bytes),
        "already loaded" if already else f"loaded in {format_seconds(resident.load_seconds)}",
    ]
    if resident.pinned:
        facts.append("pinned")
    return " · ".join(facts)


def pool_table(status: PoolStatus) -> Table:
    now = datetime.now(UTC)
    rows = [
        (
            r.name,
            r.spec,
            f"{r.family} {r.kind}",
            format_bytes(r.weight_bytes),
            "answering" if r.busy else "pinned" if r.pinned else "",
            f"{r.requests:,}",
            f"{format_seconds((now - r.last_used).total_seconds())} ago",
        )
        for r in status.residents
    ]
    columns = ("name", "model", "kind", "memory", "state", "requests", "last used")
    used = format_bytes(sum(r.weight_bytes for r in status.residents))
    note = (
        f"{count(len(rows), 'model')}, {used}; least recently used first"
        if rows
        else "no model is loaded; try %load_model demo:qwen (tiny, offline)"
    )
    return Table(columns, rows, frozenset({"memory", "requests", "last used"}), note)


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
