"""`%pool` in a real kernel: what it sends, what its buttons do, and what stays when it ends."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kernel import Kernel

pytestmark = pytest.mark.kernel

WIDGET = "application/vnd.jupyter.widget-view+json"
COUNT = """
import ipywidgets, threading
print(len(ipywidgets.widgets.widget._instances),
      [t.name for t in threading.enumerate() if t.name.startswith("mlx-magic-panel")])
"""


@pytest.fixture(scope="module")
def kernel(tiny: dict[str, Path]) -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.ok("%load_ext mlx_magic")
        assert kernel.ok("import sys; print('ipywidgets' in sys.modules)").text == "False\n"
        kernel.ok("%load_model demo:qwen\n%load_model demo:llama")
        kernel.ok(f"%load_model {tiny['slow']} --as slow")
        # What other programs do to the system's memory is no business of these tests.
        kernel.ok(
            "import mlx_magic as mm\n"
            "seen = mm.session().system_memory()\n"
            "mm.session().system_memory = lambda: seen"
        )
        yield kernel


def _residents(kernel: Kernel) -> dict[str, dict[str, Any]]:
    status = json.loads(kernel.ok("%models --json").text)
    return {resident["name"]: resident for resident in status["residents"]}


def _heard(kernel: Kernel, seconds: float) -> list[dict[str, Any]]:
    """The messages that come by themselves within some time."""
    heard, end = [], time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            heard.append(kernel.client.get_iopub_msg(timeout=left))
        except Empty:
            break
    return heard


def _button(kernel: Kernel, description: str) -> str:
    """The comm of the last button of that name (rows stand in the order of their loading)."""
    code = (
        "import ipywidgets\n"
        "print([w.comm.comm_id for w in ipywidgets.widgets.widget._instances.values()"
        f" if getattr(w, 'tooltip', None) == {description!r}][-1])"
    )
    return kernel.ok(code).text.strip()


def _subshell(kernel: Kernel) -> str:
    """A shell beside the main one, as JupyterLab asks for it."""
    control = kernel.client.control_channel
    control.send(kernel.client.session.msg("create_subshell_request", {}))
    return str(kernel.client.get_control_msg(timeout=20)["content"]["subshell_id"])


def _click(kernel: Kernel, comm: str, subshell: str) -> None:
    data = {"method": "custom", "content": {"event": "click"}}
    message = kernel.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
    message["header"]["subshell_id"] = subshell
    kernel.client.shell_channel.send(message)


def test_a_panel_is_a_snapshot_and_a_widget_that_says_nothing_by_itself(kernel: Kernel) -> None:
    shown = kernel.ok("%pool --budget 40MiB", cell="one")
    snapshot, live = shown.displays
    assert (
        set(snapshot) == {"text/html", "text/plain"} and "budget 40.0 MiB" in snapshot["text/plain"]
    )
    assert WIDGET in live and live["text/plain"] == live["text/html"] == ""
    for _ in range(6):
        if not (heard := _heard(kernel, 2.5)):
            break
    assert heard == []


def test_an_answer_is_followed_with_a_few_messages_a_second_and_then_saved(kernel: Kernel) -> None:
    kernel.ok("%pool", cell="one")
    _heard(kernel, 2.6)
    kernel.client.execute("%%chat slow --new --max-tokens 250\nHello")
    heard, seconds = [], time.monotonic()
    while not any("cut off at 250" in str(message["content"]) for message in heard):
        heard += _heard(kernel, 0.5)
    seconds = time.monotonic() - seconds
    for _ in range(15):
        heard += _heard(kernel, 1)
        if "mlx-magic-snapshot" in str(heard[-3:]):
            break
    comms = [message["content"] for message in heard if message["msg_type"] == "comm_msg"]
    assert 3 <= len(comms) <= 6 * 2 * seconds + 12
    assert "answering" in str(comms) and sum(len(str(comm)) for comm in comms) < 100_000
    updates = [m for m in heard if m["msg_type"] == "update_display_data"]
    saved = [m["content"] for m in updates if "mlx-magic-snapshot" in str(m["content"])]
    assert 1 <= len(saved) <= 2 and "tok/s" in saved[-1]["data"]["text/plain"]


def test_clicks_act_while_a_cell_runs(kernel: Kernel) -> None:
    """Also with ipykernel 7.4.0, which sends them to the main shell where it is let."""
    kernel.ok("%pool", cell="one")
    pin = _button(kernel, "Keep llama in memory, whatever else is loaded")
    unload = _button(kernel, "Free the memory of slow")
    subshell = _subshell(kernel)

    def click(kernel: Kernel, output: Any) -> bool:
        if "answering" not in str(output.displays):
            return False
        _click(kernel, unload, subshell)
        _click(kernel, pin, subshell)
        return True

    code = "%%chat slow --new --max-tokens 400 -o reply\nHello"
    kernel.ok(code, during=click)
    kernel.ok(
        "import mlx_magic as mm, time\n"
        "for _ in range(100):\n"
        "    time.sleep(0.1)\n"
        "    if mm.session().pool.changes()[-1].kind == 'unloaded': break"
    )
    changes = "[(c.kind, c.name) for c in mm.session().pool.changes()][-2:]"
    seen = kernel.ok(f"print({changes}, reply.stats.generation_tokens)").text
    assert seen == "[('pinned', 'llama'), ('unloaded', 'slow')] 400\n"
    assert _residents(kernel)["llama"]["pinned"] and "slow" not in _residents(kernel)


def test_a_cell_that_runs_again_leaves_no_widget_behind(kernel: Kernel) -> None:
    kernel.ok("%pool --close")
    without = kernel.ok(COUNT).text
    assert without in ("0 []\n", "8 []\n")  # the last stop line is closed by the next one
    kernel.ok("%pool", cell="one")
    time.sleep(1)
    once = kernel.ok(COUNT).text
    for _ in range(2):
        kernel.ok("%pool", cell="one")
    time.sleep(1)
    assert kernel.ok(COUNT).text == once and once.count("mlx-magic-panel") == 1
    kernel.ok("%pool", cell="two")
    closed = kernel.ok("%pool --close")
    assert closed.text == "2 panels closed\n"
    assert [set(d) for d in closed.displays] == [{"text/html", "text/plain"}] * 4
    assert kernel.ok(COUNT).text == without
    assert kernel.ok("%pool --close").text == "no panel is open\n"


def test_without_ipywidgets_it_is_a_table(kernel: Kernel) -> None:
    hidden = (
        "import sys; hidden = sys.modules.pop('ipywidgets', None); sys.modules['ipywidgets'] = "
    )
    kernel.ok(f"{hidden}None")
    (shown,) = kernel.ok("%pool").displays
    assert "<table" in shown["text/html"] and "qwen" in shown["text/plain"]
    kernel.ok("sys.modules['ipywidgets'] = hidden")


def test_unloading_the_extension_ends_panel_and_thread(kernel: Kernel) -> None:
    without = kernel.ok(COUNT).text
    kernel.ok("%pool")
    ended = kernel.ok("%unload_ext mlx_magic")
    assert "2 models freed" in ended.text and len(ended.displays) == 2
    assert kernel.ok(COUNT).text == without


@pytest.mark.parametrize("how", ["shutdown", "term"])
def test_a_kernel_that_ends_with_a_live_panel_does_not_abort(how: str) -> None:
    with Kernel() as kernel:
        kernel.ok("%load_ext mlx_magic\n%load_model demo:qwen\n%pool")
        code = kernel.exit_code(how)
    assert code in ((0,) if how == "shutdown" else (0, -15))
