"""Downloads through `%load_model` in a real kernel, from a Hub on this machine."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from fake_hub import FakeHub, Fault
from kernel import Kernel, Output

pytestmark = pytest.mark.kernel

REPO = "acme/tiny-llama"
WEIGHTS = "model.safetensors"


@pytest.fixture
def hub(tiny: dict[str, Path]) -> Iterator[FakeHub]:
    with FakeHub() as fake:
        files = {path.name: path.read_bytes() for path in tiny["slow"].iterdir()}
        fake.add(REPO, files)
        yield fake


@pytest.fixture
def kernel(hub: FakeHub, tmp_path: Path) -> Iterator[Kernel]:
    with Kernel(HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0") as kernel:
        kernel.ok("%load_ext mlx_magic")
        yield kernel


def _slowly(hub: FakeHub) -> None:
    hub.faults[WEIGHTS] = Fault(chunk=500_000, pause=0.08, times=2)  # its first bytes, then all


def _while_downloading(act: Any) -> Any:
    def during(kernel: Kernel, output: Output) -> bool:
        if len(output.displays) >= 3:
            act(kernel)
            return True
        return False

    return during


def test_a_download_shows_one_line_that_becomes_the_result_and_is_never_asked_for_again(
    hub: FakeHub, kernel: Kernel
) -> None:
    _slowly(hub)
    output = kernel.ok(f"%load_model {REPO} --as a")
    assert len(output.final) == 1 and not output.text
    bars = [d for d in output.displays if "<progress" in d["text/html"]]
    assert len(bars) >= 3
    assert " of " in bars[1]["text/plain"] and "/s" in bars[-1]["text/plain"]
    assert output.card.startswith("a · llama text model · ")
    asked = len(hub.requests)
    kernel.ok("%unload_model a")
    assert "loaded in" in kernel.ok(f"%load_model {REPO}").text
    assert len(hub.requests) == asked
    assert "2 tokens" in kernel.ok("%%chat tiny-llama --max-tokens 2\nHello").card


def _on_disk(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "hub").rglob("*") if path.is_file()]


def test_a_dry_run_says_what_it_would_download_and_a_misfit_is_refused_before_it(
    hub: FakeHub, kernel: Kernel, tiny: dict[str, Path], tmp_path: Path
) -> None:
    lora = tiny_models.build_adapter(tmp_path / "lora", tiny["slow"])
    hub.add("acme/lora", {path.name: path.read_bytes() for path in lora.iterdir()})
    kernel.ok("%pool --budget 100MiB")
    said = kernel.ok(f"%load_model {REPO} --adapter acme/lora --dry-run").text
    size = r"\d[\d.]+ [KM]iB"
    assert re.fullmatch(
        rf"{REPO} · needs {size} · {size} of 100 MiB free · would evict nothing"
        rf" · would download {size}\n",
        said,
    )
    kernel.ok("%load_model demo:llama")
    kernel.ok("%pool --budget 4MiB")
    refused = kernel.run(f"%load_model {REPO}").error
    assert len(refused) == 1 and "more than the whole budget of 4.00 MiB" in refused[0]
    assert kernel.ok("%models").card.splitlines()[1].startswith("llama ")
    assert {request.range for request in hub.fetched()} == {"bytes=0-7"}
    assert _on_disk(tmp_path) == []


def test_an_interrupted_dry_run_is_one_line(hub: FakeHub, kernel: Kernel, tmp_path: Path) -> None:
    hub.info_pause = 5

    def while_asking(kernel: Kernel, _: Output) -> bool:
        while not any(REPO in request.path for request in hub.requests):
            time.sleep(0.01)
        kernel.interrupt()
        return True

    output = kernel.run(f"%load_model {REPO} --dry-run", during=while_asking)
    assert output.error == ["interrupted; nothing has changed"] and output.seconds < 5
    assert _on_disk(tmp_path) == []


def test_an_interrupted_download_says_what_is_kept_and_resumes(
    hub: FakeHub, kernel: Kernel
) -> None:
    _slowly(hub)
    output = kernel.run(f"%load_model {REPO}", during=_while_downloading(Kernel.interrupt))
    assert output.status == "error"
    assert len(output.error) == 1
    assert "run the cell again to resume; nothing was loaded" in output.error[0]
    assert "no model is loaded" in kernel.ok("%models").card
    assert "partial" in kernel.ok("%models --cached").card
    assert kernel.ok(f"%load_model {REPO}").card.startswith("tiny-llama · ")
    assert not hub.fetched(WEIGHTS)[-1].range.startswith("bytes=0-")


@pytest.mark.parametrize("how", ["shutdown", "term"])
def test_a_kernel_ended_during_a_download_does_not_abort(
    hub: FakeHub, kernel: Kernel, how: str
) -> None:
    _slowly(hub)
    kernel.client.execute(f"%load_model {REPO}")
    while kernel.client.get_iopub_msg(timeout=20)["msg_type"] != "update_display_data":
        pass
    assert kernel.exit_code(how) in ((0,) if how == "shutdown" else (0, -15))


def test_a_missing_model_is_one_line_with_the_close_names(hub: FakeHub, kernel: Kernel) -> None:
    output = kernel.run("%load_model demo/qwen")
    assert len(output.error) == 1 and "did you mean 'demo:qwen'" in output.error[0]


PANEL = f"""
import ipywidgets, time
widgets = list(ipywidgets.widgets.widget._instances.values())
field = next(w for w in widgets if isinstance(w, ipywidgets.Combobox))
load, cancel = (
    next(w for w in widgets if getattr(w, "description", None) == name)
    for name in ("Load model", "Cancel")
)
def says(*words):
    for _ in range(300):
        lines = [w.value for w in widgets if isinstance(w, ipywidgets.HTML)]
        if any(all(word in line for word in words) for line in lines):
            return
        time.sleep(0.05)
    raise AssertionError(lines)
hidden = cancel.layout.display
field.value = "{REPO}"
load.click()
"""


def test_a_download_begun_in_the_panel_is_cancelled_and_resumes(
    hub: FakeHub, kernel: Kernel
) -> None:
    hub.faults[WEIGHTS] = Fault(chunk=200_000, pause=0.1)
    kernel.ok("%pool")
    kernel.ok(PANEL + 'says("MiB of ", "/s")\nshown = cancel.layout.display\ncancel.click()')
    kernel.ok(f'says("loading {REPO} was cancelled; what was downloaded is kept")')
    assert kernel.ok("print(hidden, shown, cancel.layout.display)").text == "none None none\n"
    assert kernel.ok("%models").card.startswith("no model")
    hub.faults.clear()
    kernel.ok('load.click()\nsays("tiny-llama · llama text model")')
    assert not hub.fetched(WEIGHTS)[-1].range.startswith("bytes=0-")
