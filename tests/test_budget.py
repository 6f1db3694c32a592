"""Making room: who goes, who stays, and what is said when nothing fits."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlx_magic.budget import AdmissionPlan, Held, foresee, over_budget, plan_admission
from mlx_magic.errors import MemoryBudgetExceeded
from mlx_magic.events import PoolStatus, ResidentStatus
from mlx_magic.units import parse_bytes

GIB = 2**30
Names = frozenset[str]


@st.composite
def residents(draw: st.DrawFn, /, most: int = 5, **fixed: Any) -> list[Held]:
    """Residents in LRU order, some of them views over others (or over views), in any order.

    A keyword fixes a field of all of them.
    """
    made: list[Held] = []
    for name in "abcdefgh"[: draw(st.integers(0, most))]:
        bases = [None, None, "elsewhere", *(h.name for h in made)]
        fields = {
            "own_bytes": draw(st.integers(0, 6)),
            "cache_bytes": draw(st.integers(0, 3)),
            "pinned": draw(st.sampled_from([False, False, False, True])),
            "busy": draw(st.sampled_from([False, False, False, True])),
            "base": draw(st.sampled_from(bases)),
        }
        made.append(Held(name, **(fields | fixed)))
    return draw(st.permutations(made))


needs, budgets, others = st.integers(0, 20), st.integers(0, 30), st.integers(0, 5)


def used_bytes(held: Sequence[Held]) -> int:
    return sum(h.own_bytes + h.cache_bytes for h in held)


def freed(held: Sequence[Held], evict: Names, drops: Names) -> int:
    """What comes back, counted from the rule's own words."""
    return sum(
        h.own_bytes + h.cache_bytes if h.name in evict else h.cache_bytes
        for h in held
        if h.name in evict | drops
    )


def may_evict(held: Sequence[Held], evict: Names) -> bool:
    """No victim is busy, pinned, or the base of one that stays."""
    bases_in_use = {h.base for h in held if h.name not in evict}
    return all(not (h.busy or h.pinned or h.name in bases_in_use) for h in held if h.name in evict)


def subsets(names: Sequence[str]) -> Iterator[Names]:
    every = (combinations(names, size) for size in range(len(names) + 1))
    return map(frozenset, chain.from_iterable(every))


def evictions(held: Sequence[Held]) -> Iterator[Names]:
    return (names for names in subsets([h.name for h in held]) if may_evict(held, names))


def idle(held: Sequence[Held]) -> Names:
    return frozenset(h.name for h in held if not h.busy)


def most_freed(held: Sequence[Held]) -> int:
    return max(freed(held, evict, idle(held)) for evict in evictions(held))


def planned(need: int, budget: int, other: int, held: Sequence[Held]) -> AdmissionPlan | None:
    try:
        return plan_admission(need, budget, other, held)
    except MemoryBudgetExceeded:
        return None


def recency(held: Sequence[Held]) -> list[str]:
    """Names from the least recently used on. A base is in use when a view over it is."""

    def last_used(resident: Held) -> tuple[int, int]:
        over = [last_used(h) for h in held if h.base == resident.name]
        return max([(held.index(resident), 0), *((used, step + 1) for used, step in over)])

    return [h.name for h in sorted(held, key=last_used)]


@given(needs, budgets, others, residents())
def test_a_plan_makes_it_fit_and_its_numbers_add_up(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    plan = planned(need, budget, other, held)
    if plan is None:
        return
    evict, drops = frozenset(plan.evict), frozenset(plan.drop_caches)
    assert (plan.need_bytes, plan.budget_bytes, plan.short_bytes) == (need, budget, 0)
    assert plan.free_bytes == budget - other - used_bytes(held)
    assert plan.freed_bytes == freed(held, evict, drops)
    assert plan.need_bytes <= plan.free_bytes + plan.freed_bytes
    assert len(evict) + len(drops) == len(plan.evict + plan.drop_caches)


@given(needs, budgets, others, residents())
def test_what_fits_already_costs_nobody_anything(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    room = max(0, budget - other - used_bytes(held))
    plan = planned(min(need, room), budget + other + used_bytes(held), other, held)
    assert plan is not None and (plan.evict, plan.drop_caches, plan.freed_bytes) == ((), (), 0)


@given(needs, budgets, others, residents())
def test_pinned_and_busy_ones_and_the_bases_of_views_that_stay_are_kept(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    for plan in (planned(need, budget, other, held), over_budget(budget, other, held)):
        if plan is not None:
            assert may_evict(held, frozenset(plan.evict))
            assert frozenset(plan.drop_caches) <= idle(held) - frozenset(plan.evict)


@given(needs, budgets, others, residents())
def test_it_raises_exactly_when_even_all_that_may_go_is_not_enough(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    room = budget - other - used_bytes(held)
    assert (planned(need, budget, other, held) is None) == (room + most_freed(held) < need)


@given(needs, budgets, others, residents())
def test_nothing_in_a_plan_could_be_left_out(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    plan = planned(need, budget, other, held)
    if plan is None:
        return
    evict, drops = frozenset(plan.evict), frozenset(plan.drop_caches)
    for name in drops:
        assert plan.free_bytes + freed(held, evict, drops - {name}) < need
    for fewer in subsets(plan.evict):
        if fewer != evict and may_evict(held, fewer):  # its cache, dropped instead, is no help
            assert plan.free_bytes + freed(held, fewer, idle(held)) < need


@given(needs, budgets, others, residents())
@settings(max_examples=300)
def test_one_goes_only_when_all_that_was_used_before_it_is_not_enough(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    """Of all the ways to make room the plan is the one that keeps the most recently used."""
    plan = planned(need, budget, other, held)
    if plan is None:
        return
    newest_first = recency(held)[::-1]
    enough = [
        evict
        for evict in evictions(held)
        if plan.free_bytes + freed(held, evict, idle(held)) >= need
    ]
    evict = min(enough, key=lambda names: [name in names for name in newest_first])
    assert plan.evict == tuple(name for name in recency(held) if name in evict)

    by_use = [h.name for h in held]
    enough = [
        drops
        for drops in subsets([h.name for h in held if h.name in idle(held) - evict])
        if plan.free_bytes + freed(held, evict, drops) >= need
    ]
    drops = min(enough, key=lambda names: [name in names for name in by_use[::-1]])
    assert plan.drop_caches == tuple(name for name in by_use if name in drops)


@given(needs, budgets, residents(own_bytes=3, cache_bytes=0, base=None))
def test_of_equal_ones_those_go_that_have_not_been_used_for_longest(
    need: int, budget: int, held: list[Held]
) -> None:
    plan = planned(need, budget, 0, held)
    if plan is None:
        return
    eligible = [h.name for h in held if not (h.busy or h.pinned)]
    wanted = max(0, -(-(need - plan.free_bytes) // 3))
    assert plan.evict == tuple(eligible[:wanted])


@given(needs, budgets, others, residents())
def test_no_model_goes_as_long_as_caches_are_enough(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    plan = planned(need, budget, other, held)
    caches = sum(h.cache_bytes for h in held if not h.busy)
    if plan is not None:
        assert bool(plan.evict) == (plan.free_bytes + caches < need)


@given(needs, budgets, others, residents())
def test_views_go_before_their_base(need: int, budget: int, other: int, held: list[Held]) -> None:
    for plan in (planned(need, budget, other, held), over_budget(budget, other, held)):
        evict = plan.evict if plan is not None else ()
        for view in held:
            if view.base in evict:
                assert evict.index(view.name) < evict.index(view.base)


@given(budgets, others, residents())
def test_a_lowered_budget_is_kept_as_far_as_may_be_and_never_raises(
    budget: int, other: int, held: list[Held]
) -> None:
    plan = over_budget(budget, other, held)
    missing = max(0, other + used_bytes(held) - budget)
    assert plan.need_bytes == 0
    assert plan.freed_bytes == freed(held, frozenset(plan.evict), frozenset(plan.drop_caches))
    assert plan.short_bytes == max(0, missing - most_freed(held))
    assert plan.short_bytes == max(0, missing - plan.freed_bytes)
    if not plan.short_bytes:
        assert plan == plan_admission(0, budget, other, held)


@given(budgets, others, residents())
def test_a_lowered_budget_out_of_reach_takes_nothing_that_gives_nothing_back(
    budget: int, other: int, held: list[Held]
) -> None:
    plan = over_budget(budget, other, held)
    evict, drops = frozenset(plan.evict), frozenset(plan.drop_caches)
    for name in drops:
        assert freed(held, evict, drops - {name}) < plan.freed_bytes
    for fewer in subsets(plan.evict):
        if fewer != evict and may_evict(held, fewer):
            assert freed(held, fewer, idle(held)) < plan.freed_bytes


@given(needs, others, residents())
def test_without_a_budget_nothing_ever_goes(need: int, other: int, held: list[Held]) -> None:
    assert plan_admission(need, None, other, held) == AdmissionPlan(need, need, None)
    assert over_budget(None, other, held) == AdmissionPlan(0, 0, None)


@given(needs, budgets, others, residents(most=8))
def test_a_refusal_is_one_line_that_ends_in_what_to_type(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    try:
        plan_admission(need, budget, other, held)
    except MemoryBudgetExceeded as error:
        (line,) = error._render_traceback_()
        assert "\n" not in str(error) and not line.endswith("…")
        enough = line.rpartition("raise the budget with %pool --budget ")[2]
        plan_admission(need, parse_bytes(enough), other, held)  # what it says to type is enough


PLAIN: list[tuple[str, int, list[Held], tuple[str, ...], tuple[str, ...]]] = [
    ("it fits", 4, [Held("a", 6)], (), ()),
    ("the older is too little, so only the newer goes",
     5, [Held("a", 1), Held("b", 9)], (), ("b",)),
    ("both are needed", 10, [Held("a", 1), Held("b", 9)], (), ("a", "b")),
    ("a cache is enough", 3, [Held("a", 4, 3), Held("b", 2, 1)], ("a",), ()),
    ("the older cache is too little, so only the newer goes",
     3, [Held("a", 3, 1), Held("b", 3, 3)], ("b",), ()),
    ("a pinned one gives its cache", 3, [Held("a", 4, 3, pinned=True), Held("b", 3)], ("a",), ()),
    ("a busy one keeps even its cache",
     3, [Held("a", 3, 3, busy=True), Held("b", 4)], (), ("b",)),
    ("caches go with their resident", 5, [Held("a", 5, 1), Held("b", 4)], (), ("a",)),
    ("a victim and another's cache",
     8, [Held("a", 5), Held("b", 1, 3), Held("c", 1, pinned=True)], ("b",), ("a",)),
    ("a view goes alone", 2, [Held("base", 6), Held("view", 3, base="base")], (), ("view",)),
    ("a base goes with all its views, after them",
     8, [Held("base", 6), Held("v", 1, base="base"), Held("w", 2, base="base")],
     (), ("v", "w", "base")),
    ("a base in use by a newer view outlasts an older model",
     4, [Held("base", 5), Held("a", 4), Held("view", 1, base="base")], (), ("a",)),
    ("a pinned view keeps its base",
     2, [Held("base", 6), Held("view", 1, pinned=True, base="base"), Held("a", 2)], (), ("a",)),
    ("an older view is spared with its base",
     4, [Held("base", 2), Held("view", 1, base="base"), Held("a", 7)], (), ("a",)),
]  # fmt: skip


@pytest.mark.parametrize(
    "need, held, drops, evict", [pytest.param(*row[1:], id=row[0]) for row in PLAIN]
)
def test_in_a_budget_of_ten(
    need: int, held: list[Held], drops: tuple[str, ...], evict: tuple[str, ...]
) -> None:
    plan = plan_admission(need, 10, 0, held)
    assert (plan.drop_caches, plan.evict) == (drops, evict)


def test_the_notebooks_own_arrays_count() -> None:
    plan = plan_admission(4, 10, 5, [Held("a", 6)])
    assert plan == AdmissionPlan(4, -1, 10, evict=("a",), freed_bytes=6)


def test_a_lowered_budget_out_of_reach_says_what_is_missing() -> None:
    plan = over_budget(4, 1, [Held("a", 3, 1), Held("b", 5, 2, pinned=True), Held("c", 0)])
    words = "pinned models hold 5 B (b); unpin with %pin_model b --off, or raise the budget with "
    assert plan == AdmissionPlan(
        0, -8, 4, ("b",), ("a",), 6, 2, in_the_way=words + "%pool --budget 6", enough_bytes=6
    )


def test_the_base_of_what_is_to_be_loaded_stays_and_is_called_by_that_name() -> None:
    held = [gib("llama", 3, needed=True), gib("phi", 2)]
    assert plan_admission(GIB, 5 * GIB, 0, held).evict == ("phi",)
    assert "the base holds 3.00 GiB (llama); raise the budget" in refusal(3, 5, 0, held)


def test_the_examples_of_the_docstrings_hold() -> None:
    assert plan_admission(6, 10, 1, [Held("qwen", 3), Held("llama", 5)]).evict == ("llama",)
    plan = over_budget(4, 0, [Held("qwen", 3), Held("llama", 5, pinned=True)])
    assert (plan.evict, plan.short_bytes) == (("qwen",), 1)


def gib(name: str, own: float, cache: float = 0, **how: Any) -> Held:
    return Held(name, int(own * GIB), int(cache * GIB), **how)


def refusal(need: int, budget: int, other: int, held: Sequence[Held]) -> str:
    """What is said when `need` GiB don't fit."""
    with pytest.raises(MemoryBudgetExceeded) as caught:
        plan_admission(need * GIB, budget * GIB, other * GIB, held)
    return str(caught.value)


REFUSALS: list[tuple[int, int, int, list[Held], str]] = [
    (
        20, 16, 1, [gib("qwen", 3, pinned=True)],
        "20.0 GiB is 4.00 GiB more than the whole budget of 16.0 GiB, so no unloading can help; "
        "load a smaller model, or raise the budget with %pool --budget 24GiB",
    ),
    (
        6, 8, 3, [gib("qwen", 3)],
        "6.00 GiB won't fit into the budget of 8.00 GiB, 1.00 GiB short: "
        "other arrays of the notebook hold 3.00 GiB; "
        "delete some of those arrays, or raise the budget with %pool --budget 9GiB",
    ),
    (
        8, 8, 0, [gib("qwen", 3, 1, pinned=True), gib("phi", 2)],
        "8.00 GiB won't fit into the budget of 8.00 GiB, 3.00 GiB short: "
        "pinned models hold 3.00 GiB (qwen); "
        "unpin with %pin_model qwen --off, or raise the budget with %pool --budget 11GiB",
    ),
    (
        6, 8, 0, [gib(name, 1, pinned=True) for name in "xyz"],
        "6.00 GiB won't fit into the budget of 8.00 GiB, 1.00 GiB short: "
        "pinned models hold 3.00 GiB (x, y, z); "
        "unpin with %pin_model x y z --off, or raise the budget with %pool --budget 9GiB",
    ),
    (
        6, 8, 2, [gib("gemma", 2, 1, busy=True), gib("phi", 2)],
        "6.00 GiB won't fit into the budget of 8.00 GiB, 3.00 GiB short: "
        "other arrays of the notebook hold 2.00 GiB, busy models hold 3.00 GiB (gemma); "
        "wait for gemma to finish, or raise the budget with %pool --budget 11GiB",
    ),
    (
        6, 10, 1,
        [
            gib("pirate", 0.25, busy=True, pinned=True, base="llama"),
            *[gib(name, 0.5, pinned=True) for name in "wxyz"],
            gib("llama", 3),
            gib("phi", 2),
        ],
        "6.00 GiB won't fit into the budget of 10.0 GiB, 2.25 GiB short: "
        "other arrays of the notebook hold 1.00 GiB, busy models hold 256 MiB (pirate), "
        "pinned models hold 2.00 GiB (w, x, y and 1 more), the bases of these hold 3.00 GiB "
        "(llama); unpin with %pin_model NAME --off, or wait for pirate to finish, "
        "or raise the budget with %pool --budget 12.3GiB",
    ),
]  # fmt: skip


@pytest.mark.parametrize("need, budget, other, held, message", REFUSALS)
def test_a_refusal_says_what_is_in_the_way_and_what_to_type(
    need: int, budget: int, other: int, held: list[Held], message: str
) -> None:
    assert refusal(need, budget, other, held) == message


def test_what_keeps_nothing_in_memory_is_not_blamed() -> None:
    assert "empty" not in refusal(4, 8, 0, [gib("empty", 0), gib("qwen", 6, pinned=True)])


def _shown(held: Sequence[Held], other_bytes: int) -> PoolStatus:
    """The same residents as a pool shows them."""
    residents = tuple(
        ResidentStatus(
            name=h.name, spec=h.name, revision=None, family="llama", kind="text",
            weight_bytes=h.own_bytes, shared_bytes=0, cache_bytes=h.cache_bytes, pinned=h.pinned,
            busy=h.busy, adapter=None, requests=0, load_seconds=0.0,
            last_used=datetime.now(UTC), base=h.base,
        )
        for h in held
    )  # fmt: skip
    return PoolStatus(None, 0, 0, other_bytes, residents)


@given(needs, budgets, others, residents(busy=False))
def test_what_is_foreseen_is_what_will_be_planned(
    need: int, budget: int, other: int, held: list[Held]
) -> None:
    foreseen = foresee(_shown(held, other), need, budget)
    try:
        assert foreseen == plan_admission(need, budget, other, held)
    except MemoryBudgetExceeded:
        assert foreseen.short_bytes


def test_who_answers_now_is_foreseen_to_be_idle_by_then() -> None:
    held = [Held("a", 6, busy=True)]
    assert foresee(_shown(held, 0), 6, 8).evict == ("a",)
