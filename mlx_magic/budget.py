"""The memory budget: what has to go, and in which order, so that something else fits.

Knows nothing of models, of MLX or of what a byte is made of: it decides, the pool acts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import MemoryBudgetExceeded
from .events import PoolStatus
from .units import format_bytes, typed_bytes

_MOST_NAMES = 3  # in one message
_LEAST_NAMED = 1 << 16  # bytes; MLX itself holds a few for a sampler's state


@dataclass(frozen=True)
class Held:
    """What one resident holds, as far as making room is concerned.

    `own_bytes` come back when it is evicted: its own weights, or of a LoRA view over another
    resident, its `base`, the adapter only. `cache_bytes` are its KV and feature caches, which come
    back with it or on their own. `busy` is one that is leased by a running generation, `needed`
    the base of what is to be loaded.
    """

    name: str
    own_bytes: int
    cache_bytes: int = 0
    pinned: bool = False
    busy: bool = False
    base: str | None = None
    needed: bool = False


@dataclass(frozen=True)
class AdmissionPlan:
    """What to do before `need_bytes` are allocated: drop these caches, then evict these residents.

    Both stand in the order in which to do it, as names. `free_bytes` is the room before anything
    is done, negative when the budget is overdrawn already, and just the need when there is no
    budget. `freed_bytes` is what the plan gives back, `short_bytes` what is over the budget even
    then, `in_the_way` the words for what holds it and what to type, and `enough_bytes` the budget
    that would do.
    """

    need_bytes: int
    free_bytes: int
    budget_bytes: int | None
    drop_caches: tuple[str, ...] = ()
    evict: tuple[str, ...] = ()
    freed_bytes: int = 0
    short_bytes: int = 0
    in_the_way: str = ""
    enough_bytes: int = 0


def plan_admission(
    need_bytes: int, budget_bytes: int | None, other_bytes: int, held: Sequence[Held]
) -> AdmissionPlan:
    """How to make `need_bytes` fit beside `held` (least recently used first) and all other memory.

        plan = plan_admission(6, 10, 1, [Held("qwen", 3), Held("llama", 5)])
        plan.evict  # ("llama",): qwen alone would be too little, and with llama gone it may stay

    Caches of idle residents go first, pinned or not, then residents that are neither busy nor
    pinned. A base goes only after all its views. A budget of None is no limit.
    Raises `MemoryBudgetExceeded` when all that may go is not enough.
    """
    plan = _make_room(need_bytes, budget_bytes, other_bytes, held)
    if plan.short_bytes:
        raise MemoryBudgetExceeded(_why_not(plan))
    return plan


def over_budget(budget_bytes: int | None, other_bytes: int, held: Sequence[Held]) -> AdmissionPlan:
    """What has to go once the budget was lowered: like `plan_admission` for nothing new.

        plan = over_budget(4, 0, [Held("qwen", 3), Held("llama", 5, pinned=True)])
        plan.evict, plan.short_bytes  # ("qwen",), 1

    Does as much as may be done, and never raises: the rest is in `short_bytes`.
    """
    return _make_room(0, budget_bytes, other_bytes, held)


def foresee(status: PoolStatus, need_bytes: int, budget_bytes: int | None) -> AdmissionPlan:
    """What would have to go for `need_bytes` more, or for another budget, by what the pool shows.

        foresee(status, snapshot.weight_bytes, status.budget_bytes).evict
        foresee(status, 0, parse_bytes("8GiB")).short_bytes

    A glance that waits for nobody: garbage counts as in use, and who is answering as idle, since
    a load begins when the answers before it have ended. Never raises; see `short_bytes`.
    """
    held = [
        Held(r.name, r.weight_bytes, r.cache_bytes, pinned=r.pinned, base=r.base)
        for r in status.residents
    ]
    return _make_room(need_bytes, budget_bytes, status.other_bytes, held)


def _make_room(
    need_bytes: int, budget_bytes: int | None, other_bytes: int, held: Sequence[Held]
) -> AdmissionPlan:
    """Give up all that may go, then spare what isn't needed, from the most recently used on."""
    if budget_bytes is None:
        return AdmissionPlan(need_bytes, need_bytes, None)
    free_bytes = budget_bytes - other_bytes - sum(h.own_bytes + h.cache_bytes for h in held)
    missing_bytes = max(0, need_bytes - free_bytes)

    going = {h.name: h for h in _eviction_order(held)}
    drops = {h.name: h.cache_bytes for h in held if not h.busy}
    freed_bytes = sum(h.own_bytes for h in going.values()) + sum(drops.values())
    enough_bytes = min(missing_bytes, freed_bytes)

    for victim in reversed(list(going.values())):
        needed = freed_bytes - victim.own_bytes < enough_bytes
        if not needed and victim.base not in going:  # a base comes up before its views
            del going[victim.name]
            freed_bytes -= victim.own_bytes
    for name, cache_bytes in reversed(list(drops.items())):
        if name not in going and freed_bytes - cache_bytes >= enough_bytes:
            del drops[name]
            freed_bytes -= cache_bytes

    short_bytes = missing_bytes - enough_bytes
    return AdmissionPlan(
        need_bytes=need_bytes,
        free_bytes=free_bytes,
        budget_bytes=budget_bytes,
        drop_caches=tuple(name for name in drops if name not in going),
        evict=tuple(going),
        freed_bytes=freed_bytes,
        short_bytes=short_bytes,
        in_the_way=_in_the_way(need_bytes, budget_bytes, other_bytes, held) if short_bytes else "",
        enough_bytes=budget_bytes + short_bytes if short_bytes else 0,
    )


def _eviction_order(held: Iterable[Held]) -> list[Held]:
    """Residents that may be evicted, least recently used first, but each base after its views."""
    order: list[Held] = []
    staying = list(held)
    while True:
        in_use = {h.base for h in staying}
        fixed = {h.name for h in staying if h.busy or h.pinned or h.needed}
        leaving = (h for h in staying if h.name not in fixed | in_use)
        victim = next(leaving, None)
        if victim is None:
            return order
        order.append(victim)
        staying.remove(victim)


def _why_not(plan: AdmissionPlan) -> str:
    """The words for a plan that can't fit."""
    assert plan.budget_bytes is not None  # without one nothing is ever short
    need, budget = format_bytes(plan.need_bytes), format_bytes(plan.budget_bytes)
    if plan.need_bytes > plan.budget_bytes:
        excess = format_bytes(plan.need_bytes - plan.budget_bytes)
        return (
            f"{need} is {excess} more than the whole budget of {budget}, so no unloading can help; "
            f"load a smaller model, or {_raise_to(plan.enough_bytes)}"
        )
    return (
        f"{need} won't fit into the budget of {budget}, {format_bytes(plan.short_bytes)} short: "
        f"{plan.in_the_way}"
    )


def _in_the_way(need_bytes: int, budget_bytes: int, other_bytes: int, held: Sequence[Held]) -> str:
    """What holds the memory that may not go, and what to type."""
    may_go = {h.name for h in _eviction_order(held)}
    staying = [h for h in held if h.name not in may_go]
    kept_bytes = sum(h.own_bytes + (h.cache_bytes if h.busy else 0) for h in staying)
    if need_bytes + other_bytes > budget_bytes:  # were there no resident at all
        remedies = ["delete some of those arrays"]
    else:
        remedies = _how_to_free(staying)
    holders = ", ".join(_what_holds(other_bytes, staying))
    enough = _raise_to(need_bytes + other_bytes + kept_bytes)
    return f"{holders}; {', or '.join([*remedies, enough])}"


def _raise_to(count: int) -> str:
    return f"raise the budget with %pool --budget {typed_bytes(count)}"


def _what_holds(other_bytes: int, staying: Sequence[Held]) -> list[str]:
    parts = [f"other arrays of the notebook hold {format_bytes(other_bytes)}"]
    groups = {
        "busy models": [h for h in staying if h.busy],
        "pinned models": [h for h in staying if h.pinned and not h.busy],
        "the base": [h for h in staying if h.needed and not (h.pinned or h.busy)],
        "the bases of these": [h for h in staying if not (h.pinned or h.busy or h.needed)],
    }
    for what, group in groups.items():
        size = sum(h.own_bytes + (h.cache_bytes if h.busy else 0) for h in group)
        verb = "holds" if what == "the base" else "hold"
        parts += [f"{what} {verb} {format_bytes(size)} ({_names(group)})"] if group else []
    return parts if other_bytes >= _LEAST_NAMED or len(parts) == 1 else parts[1:]


def _how_to_free(staying: Sequence[Held]) -> list[str]:
    pinned = [h for h in staying if h.pinned]
    busy = [h for h in staying if h.busy]
    named = " ".join(h.name for h in pinned) if len(pinned) <= _MOST_NAMES else "NAME"
    unpin = [f"unpin with %pin_model {named} --off"] if pinned else []
    return unpin + ([f"wait for {_names(busy)} to finish"] if busy else [])


def _names(group: Sequence[Held]) -> str:
    more = f" and {len(group) - _MOST_NAMES} more" if len(group) > _MOST_NAMES else ""
    return ", ".join(h.name for h in group[:_MOST_NAMES]) + more
