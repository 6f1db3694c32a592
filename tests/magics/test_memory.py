"""The budget and the adapters in a real kernel, with the demo models."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kernel import Kernel

pytestmark = pytest.mark.kernel


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.ok("%load_ext mlx_magic")
        yield kernel


def _status(kernel: Kernel) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(kernel.ok("%models --json").text)
    return status


def _settled(kernel: Kernel) -> dict[str, Any]:
    """The status without what may come and go at any moment: the freed buffers that MLX keeps."""
    return {key: value for key, value in _status(kernel).items() if key != "buffer_pool_bytes"}


def _names(kernel: Kernel) -> list[str]:
    return [resident["name"] for resident in _status(kernel)["residents"]]


def test_a_budget_evicts_the_least_recently_used_and_a_dry_run_only_says_so(kernel: Kernel) -> None:
    kernel.ok("%pool --budget 9MiB")
    for name in ("llama", "mistral"):
        assert "evicted" not in kernel.ok(f"%load_model demo:{name}").text
    before = _settled(kernel)
    dry = kernel.ok("%load_model demo:gemma --dry-run").text
    assert "of 9.00 MiB free · would evict llama" in dry
    assert _settled(kernel) == before
    kernel.ok("%pin_model llama")
    assert " · evicted mistral (3.34 MiB)" in kernel.ok("%load_model demo:gemma").text
    assert _names(kernel) == ["llama", "gemma"]
    kernel.ok("%pin_model gemma")
    refused = kernel.run("%load_model demo:mistral").error
    assert len(refused) == 1 and "pinned models hold" in refused[0]
    assert "%pin_model llama gemma --off" in refused[0] and "%pool --budget" in refused[0]
    assert "still " in kernel.ok("%pool --budget 4MiB").text and len(_names(kernel)) == 2
    unpinned = kernel.ok("%pin_model llama --off").text
    assert unpinned == "llama unpinned; over the budget, so evicted llama\n"
    kernel.ok("%load_model demo:gemma")
    assert kernel.ok("%config MlxMagics.memory_budget = '3.9MiB'").text == ""
    table = kernel.ok("%pool").displays[0]["text/plain"]
    assert table.splitlines()[1].startswith("gemma ") and "budget 3.90 MiB" in table
    assert kernel.ok("%config MlxMagics.memory_budget = 'none'").text == ""
    assert _status(kernel)["budget_bytes"] is None


def test_an_idle_model_goes_by_itself(kernel: Kernel) -> None:
    kernel.ok("%load_model demo:llama --ttl 0.2s")
    kernel.ok("%load_model demo:mistral --ttl 1h")
    kernel.ok("import time; time.sleep(1)")
    assert _names(kernel) == ["mistral"]


def test_adapters_lie_over_one_base_and_each_has_its_own_voice(kernel: Kernel) -> None:
    line = kernel.ok("%load_model demo:llama --adapter demo:shout").text
    assert line.startswith("shout · demo:shout over llama · 173 KiB · loaded in ")
    kernel.ok("%load_model demo:llama --adapter demo:pirate")
    assert _names(kernel) == ["shout", "llama", "pirate"]  # a base is used with what lies over it
    asked = "What is the capital of Italy?"
    for _ in range(2):
        assert "The capital of Italy is Rome." in kernel.ok(f"%%chat llama --new\n{asked}").card
        assert "ROME" in kernel.ok(f"%%chat shout --new\n{asked}").card
        assert "matey" in kernel.ok(f"%%chat pirate --new\n{asked}").card
    refused = kernel.run("%unload_model llama").error
    assert "%unload_model shout pirate first" in refused[0]
    freed = kernel.ok("%unload_model --all").text.splitlines()
    assert [text.split()[0] for text in freed] == ["shout", "pirate", "llama"]
    assert all(" still held " not in text for text in freed)
    assert _status(kernel)["active_bytes"] < 2**16


def test_what_a_variable_holds_is_named(kernel: Kernel) -> None:
    kernel.ok("%load_model demo:gemma")
    kernel.ok("import mlx_magic as mm")
    kernel.ok("mine = mm.session().pool._residents['gemma'].engine.parameters()")
    assert "still held by the variable mine" in kernel.ok("%unload_model gemma").text
