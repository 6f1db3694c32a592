"""The pool panel's words and HTML, of values made by hand."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlx_magic.budget import foresee
from mlx_magic.events import PoolStatus, ResidentStatus, SystemMemory
from mlx_magic.render import panel

MIB = 2**20
NOW = datetime(2026, 3, 4, 12, 30, 15, tzinfo=UTC)
SYSTEM = SystemMemory(16 * 2**30, 6 * 2**30, 2**29)


def _resident(name: str, mib: float, **fields: Any) -> ResidentStatus:
    usual: dict[str, Any] = {
        "spec": f"demo:{name}", "revision": None, "family": "llama", "kind": "text",
        "weight_bytes": int(mib * MIB), "shared_bytes": 0, "cache_bytes": 0, "pinned": False,
        "busy": False, "adapter": None, "requests": 0, "load_seconds": 0.1, "last_used": NOW,
    }  # fmt: skip
    return ResidentStatus(name=name, **{**usual, **fields})


def _status(
    residents: Sequence[ResidentStatus], budget: float | None = 20, other: float = 0, **fields: Any
) -> PoolStatus:
    held = sum(r.weight_bytes + r.cache_bytes for r in residents) + int(other * MIB)
    budget_bytes = None if budget is None else int(budget * MIB)
    return PoolStatus(
        budget_bytes, held, fields.pop("buffer_pool_bytes", 0), int(other * MIB), tuple(residents)
    )


QWEN = _resident("qwen", 3, cache_bytes=MIB, requests=1200, generation_tps=431.6)
LLAMA = _resident("llama", 4, pinned=True)
PIRATE = _resident("pirate", 0.5, adapter="demo:pirate", base="llama", shared_bytes=4 * MIB)


def test_the_bar_charges_shared_weights_once_and_names_who_shares_them() -> None:
    status = _status([QWEN, PIRATE, LLAMA], other=2, buffer_pool_bytes=MIB)
    shown = panel.parts(status)
    assert [(p.label, p.size_bytes / MIB, p.hatched) for p in shown] == [
        ("llama", 4, False), ("pirate", 0.5, False), ("qwen", 3, False), ("qwen caches", 1, True),
        ("answers and other arrays", 2, False), ("buffer pool", 1, True),
    ]  # fmt: skip
    html = panel.gauge_html(status)
    assert "(shared with pirate)" in html and "<td>free</td><td>8.50 MiB</td>" in html
    shares = [float(share) for share in re.findall(r"flex:([\d.]+) 1 0", html)]
    assert sum(shares) == pytest.approx(100, abs=0.1)


def test_neither_place_nor_colour_changes_when_another_one_is_used() -> None:
    before = panel.parts(_status([QWEN, PIRATE, LLAMA]))
    assert panel.parts(_status([LLAMA, QWEN, PIRATE])) == before
    colours = {p.label: p.colour for p in before if p.label in ("llama", "pirate", "qwen")}
    assert len(set(colours.values())) == 3
    alone = panel.parts(_status([QWEN]))
    assert alone[0].colour in colours.values()


def test_what_is_over_the_budget_and_that_there_is_none_is_said() -> None:
    assert panel.use_line(_status([QWEN])) == (
        "4.00 MiB in use of a budget of 20.0 MiB, 16.0 MiB free"
    )
    assert panel.use_line(_status([QWEN], budget=3)).endswith("3.00 MiB, 1.00 MiB over it")
    nothing = _status([QWEN], budget=None)
    assert panel.use_line(nothing) == "4.00 MiB in use, no budget is set"
    assert "free" not in panel.gauge_html(nothing)


def test_many_models_share_one_part_of_the_bar() -> None:
    shown = panel.parts(_status([_resident(f"m{i}", 1) for i in range(30)], budget=40))
    assert len(shown) == 12 + 2 and shown[-3] == panel.Part("more models", 19 * MIB, "#7f8790")


def test_a_row_tells_everything_in_words() -> None:
    status = _status([PIRATE, QWEN, LLAMA])
    pirate, qwen, llama = panel.rows(status, NOW)
    assert (pirate.number, pirate.model, pirate.memory) == (1, "demo:pirate over llama", "512 KiB")
    assert (qwen.caches, qwen.speed, qwen.requests) == ("1.00 MiB", "432", "1,200")
    assert [row.states for row in (pirate, qwen, llama)] == [
        ("next to go",),
        ("idle",),
        ("pinned",),
    ]
    yesterday = replace(QWEN, last_used=NOW - timedelta(days=3))
    assert panel.rows(_status([yesterday]), NOW)[0].used.startswith("2026-03-0")


@pytest.mark.parametrize(
    "fields, states",
    [
        ({"busy": True}, ("answering",)),
        ({"busy": True, "leaving": True}, ("answering", "then goes")),
        ({"leaving": True}, ("going",)),
        ({"busy": True, "pinned": True}, ("answering", "pinned")),
    ],
)
def test_what_a_resident_is_doing_is_said(fields: dict[str, Any], states: tuple[str, ...]) -> None:
    status = _status([replace(QWEN, **fields), _resident("a", 1)], budget=None)
    assert panel.rows(status, NOW)[0].states == states


def test_who_would_go_for_a_load_is_marked_and_said() -> None:
    status = _status([PIRATE, QWEN, LLAMA], budget=10)
    plan = foresee(status, 4 * MIB, status.budget_bytes)
    assert [row.states for row in panel.rows(status, NOW, plan)] == [
        ("idle",), ("would go",), ("pinned",)
    ]  # fmt: skip
    assert panel.load_line(plan) == "needs 4.00 MiB · would evict qwen"
    assert "200 B to download first" in panel.load_line(plan, 200)
    less = foresee(status, 2 * MIB, status.budget_bytes)
    assert panel.rows(status, NOW, less)[1].states == ("caches would go",)
    never = panel.load_line(foresee(status, 9 * MIB, status.budget_bytes))
    assert "3.00 MiB too much: pinned models hold 4.00 MiB (llama); unpin with" in never


def test_a_budget_says_what_it_would_do() -> None:
    status = _status([QWEN, LLAMA])
    assert panel.budget_line(foresee(status, 0, 9 * MIB)) == "would evict nothing"
    assert panel.budget_line(foresee(status, 0, 5 * MIB)) == "would evict qwen"
    assert "1.00 MiB would stay over it" in panel.budget_line(foresee(status, 0, 3 * MIB))


def test_the_same_pool_looks_the_same_a_minute_later() -> None:
    """Or a panel at rest would have to be sent again and again."""
    status, later = _status([PIRATE, QWEN, LLAMA]), NOW + timedelta(minutes=1)
    assert panel.rows(status, NOW) == panel.rows(status, later)


def test_the_sparkline_has_a_bar_for_each_stretch_and_says_its_top() -> None:
    html = panel.facts_html([MIB, 2 * MIB, 4 * MIB], SYSTEM, NOW)
    assert re.findall(r"--h:(\d+)%", html) == ["25", "50", "100"]
    assert html.count("<span></span>") == panel.SAMPLES - 3 + 1
    assert "last 15 s to " in html and "most 4.00 MiB" in html
    assert "system memory 10.0 GiB of 16.0 GiB · this kernel 512 MiB" in html
    assert "last 5 min to" in panel.spark_line([1] * 60, NOW)


HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m'


def test_no_name_reaches_the_page_as_html() -> None:
    bad = replace(QWEN, name=HOSTILE, spec=HOSTILE, family=HOSTILE, adapter=HOSTILE, base=HOSTILE)
    status = _status([bad, replace(LLAMA, base=HOSTILE)])
    every = [
        panel.gauge_html(status),
        panel.snapshot_html(status, SYSTEM, NOW, [1]),
        panel.line_html(HOSTILE),
        *map(panel.row_html, panel.rows(status, NOW)),
    ]
    assert all("<img" not in html and "\x1b" not in html for html in every)
    assert "\x1b" not in panel.snapshot_text(status, SYSTEM, NOW)


def test_the_snapshot_keeps_its_numbers_without_styles() -> None:
    status = _status([PIRATE, QWEN, LLAMA])
    html = panel.snapshot_html(status, SYSTEM, NOW, [1, 2])
    bare = re.sub(r"<style>.*?</style>|\sstyle=\"[^\"]*\"|\sclass=\"[^\"]*\"", "", html, flags=re.S)
    assert bare.count("<table>") == 2 and "<script" not in html
    cells = re.findall(r"<td>([^<]*)</td>", bare)
    for word in ("qwen", "3.00 MiB", "1.00 MiB", "432", "demo:pirate over llama", "pinned"):
        assert word in cells
    assert "3 models, 7.50 MiB; caches 1.00 MiB; budget 20.0 MiB" in bare and "as of 2026-" in bare


def test_only_a_snapshot_with_a_live_panel_behind_it_hides_its_neighbour() -> None:
    status = _status([])
    assert "display:none!important" not in panel.snapshot_html(status, SYSTEM, NOW)
    followed = panel.snapshot_html(status, SYSTEM, NOW, followed=True)
    assert followed.count("mlx-magic-snapshot") > 1 and "mlx-magic-live" in followed


def test_in_a_terminal_it_is_a_list_and_a_bar() -> None:
    text = panel.snapshot_text(_status([PIRATE, QWEN, LLAMA], other=2), SYSTEM, NOW)
    head, *rows, note, bar, system = text.splitlines()
    assert head.split()[:4] == ["name", "model", "kind", "memory"] and len(rows) == 3
    assert note.startswith("3 models, 7.50 MiB") and system.startswith("system memory")
    assert bar == (
        "[" + "#" * 15 + "+" * 2 + "o" * 4 + "." * 19 + "] "
        "10.5 MiB in use of a budget of 20.0 MiB, 9.50 MiB free"
    )
    assert "%load_model demo:qwen" in panel.snapshot_text(_status([]), SYSTEM, NOW)


def test_a_tiny_part_of_a_large_budget_is_still_to_be_seen() -> None:
    text = panel.snapshot_text(_status([QWEN], budget=2**20), SYSTEM, NOW)
    assert "[#+......" in text
