"""Tables, units and progress lines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlx_magic.budget import AdmissionPlan
from mlx_magic.events import DownloadProgress, PoolChange, PoolStatus, ResidentStatus, Unloaded
from mlx_magic.render.models import (
    disk_table,
    loaded_line,
    plan_line,
    pool_table,
    shrunk_line,
    unloaded_line,
)
from mlx_magic.render.progress import progress_bar, progress_html, progress_line
from mlx_magic.render.table import Table
from mlx_magic.units import count, format_bytes, format_seconds, parse_bytes, parse_seconds

RESIDENT = ResidentStatus(
    name="qwen", spec="demo:qwen", revision=None, family="qwen", kind="text",
    weight_bytes=3 * 2**20, shared_bytes=0, cache_bytes=0, pinned=True, busy=False, adapter=None,
    requests=1234, load_seconds=0.05, last_used=datetime.now(UTC),
)  # fmt: skip


@pytest.mark.parametrize(
    "size, text",
    [(0, "0 B"), (999, "999 B"), (1000, "0.98 KiB"), (1536, "1.50 KiB"), (3 * 2**20, "3.00 MiB"),
     (17 * 2**30, "17.0 GiB"), (250 * 2**30, "250 GiB"), (5000 * 2**40, "5000 TiB")],
)  # fmt: skip
def test_bytes_read_in_three_figures(size: int, text: str) -> None:
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    "text, size",
    [("24GiB", 24 * 2**30), ("1.5 gb", 1_500_000_000), ("512 MiB", 2**29), ("4096", 4096)],
)
def test_a_size_is_read_as_a_person_writes_it(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text, seconds", [("30m", 1800), ("2h", 7200), ("90", 90), ("1.5 s", 1.5)])
def test_a_time_is_read_as_a_person_writes_it(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "much", "-3GiB", "3 bananas", "GiB", "1e3"])
def test_what_is_no_size_and_no_time_is_refused(text: str) -> None:
    for parse in (parse_bytes, parse_seconds):
        with pytest.raises(ValueError, match="is not a"):
            parse(text)


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.031, "31 ms"),
        (0.9996, "1.0 s"),
        (4.24, "4.2 s"),
        (42, "42 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_seconds_read_at_a_glance(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_one_is_not_plural() -> None:
    assert (count(1, "token"), count(0, "token"), count(1200, "token")) == (
        "1 token", "0 tokens", "1,200 tokens",
    )  # fmt: skip


def test_the_load_line_tells_name_family_size_and_seconds() -> None:
    assert loaded_line(RESIDENT, already=False) == (
        "qwen · qwen text model · 3.00 MiB · loaded in 50 ms · pinned"
    )
    assert "already loaded" in loaded_line(RESIDENT, already=True)


def test_the_load_line_tells_what_lies_over_what_and_who_had_to_go() -> None:
    pirate = replace(RESIDENT, name="pirate", adapter="demo:pirate", base="llama", pinned=False)
    gone = PoolChange(1, datetime.now(UTC), "evicted", "gemma", 3 * 2**20, "to make room")
    assert loaded_line(pirate, changes=[gone]) == (
        "pirate · demo:pirate over llama · 3.00 MiB · loaded in 50 ms · evicted gemma (3.00 MiB)"
    )
    assert "drafts by demo:tiny" in loaded_line(replace(RESIDENT, draft="demo:tiny"))


def test_a_plan_says_what_it_needs_and_what_it_would_do() -> None:
    plan = AdmissionPlan(2**20, 2**19, 2**22, ("llama",), ("gemma", "qwen"), 2**21)
    assert plan_line("demo:mistral", plan) == (
        "demo:mistral · needs 1.00 MiB · 512 KiB of 4.00 MiB free · "
        "would drop the caches of llama and evict gemma, qwen"
    )
    assert plan_line("x", AdmissionPlan(0, 0, None)) == (
        "x · is loaded already · no budget is set · would evict nothing"
    )


def test_unloading_says_what_came_back_and_who_holds_the_rest() -> None:
    assert unloaded_line(Unloaded(RESIDENT, 3 * 2**20, ())) == "qwen unloaded, 3.00 MiB freed"
    held = unloaded_line(Unloaded(RESIDENT, 2**20, ("the variable model", "Out[3]")))
    assert held.endswith("2.00 MiB still held by the variable model and Out[3]")


def test_a_lowered_budget_says_what_went_and_what_is_missing() -> None:
    plan = AdmissionPlan(0, -5, 100, (), ("a", "b"), 3, 2**20)
    assert shrunk_line(plan).startswith("evicted a, b; still 1.00 MiB over the budget")


def test_the_pool_table_is_aligned_and_says_when_it_is_empty() -> None:
    used = datetime.now(UTC) - timedelta(hours=2, minutes=3)
    text = str(pool_table(PoolStatus(None, 0, 0, 0, (replace(RESIDENT, last_used=used),))))
    head, row, note = text.splitlines()
    assert head.split() == ["name", "model", "kind", "memory", "state", "requests", "last", "used"]
    unpinned = PoolStatus(None, 0, 0, 0, (replace(RESIDENT, pinned=False),))
    assert "state" not in str(pool_table(unpinned)) + pool_table(unpinned).to_html()
    assert row.index("3.00 MiB") + len("3.00 MiB") == head.index("memory") + len("memory")
    assert "2 h 03 min ago" in row and "pinned" in row and "1,234" in row
    assert note == "1 model, 3.00 MiB; least recently used first"
    assert "%load_model demo:qwen" in str(pool_table(PoolStatus(None, 0, 0, 0, ())))


def test_the_disk_table_marks_what_is_partial() -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    rows = [
        {"spec": "demo:qwen", "bytes": 2**20, "complete": True, "last_used": None},
        {"spec": "a/b", "bytes": 2**30, "complete": False, "last_used": when},
    ]
    text = str(disk_table(rows))
    assert "partial" in text and "2026-01-02" in text and "2 models on disk" in text


def test_what_a_cell_of_a_table_says_is_escaped() -> None:
    table = Table(("<b>",), [("<script>",)], note="<i>")
    assert not {"<b>", "<script>", "<i>"} & set(table.to_html().replace(">", ">\n").split("\n"))
    assert set(table._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_a_download_shows_bytes_rate_and_time_left() -> None:
    def line(file: str, *numbers: Any) -> str:
        return progress_line("a/b", DownloadProgress(file, *numbers))

    running = line("config.json", 2**30, 4 * 2**30, 100 * 2**20, 31.0)
    assert running == "a/b: 1.00 GiB of 4.00 GiB · 100 MiB/s · 31 s left"
    assert line("config.json", 0, 100, 0, None) == "a/b: 0 B of 100 B"
    parted = line("model-00002-of-00003.safetensors", 0, 100, 0, None)
    assert parted == "a/b: 0 B of 100 B · part 2 of 3"
    assert 'value="5" max="10"' in progress_html("<x>", 5, 10) and "<x>" not in progress_html(
        "<x>", 5, 10
    )
    assert progress_bar(5, 10) == "[" + "#" * 12 + "." * 12 + "]"
    assert progress_bar(0, 0) == "[" + "." * 24 + "]"
