"""A kernel that is ended in the middle of anything ends with a clean code, never an abort."""

import time
from pathlib import Path
from typing import Any

import pytest
from kernel import Kernel

pytestmark = pytest.mark.kernel

PROMPT = "word " * 4000

# phase -> (cell, what its output shows once the phase has begun)
PHASES = {
    "idle": ("1 + 1", ""),
    "warming up": ("print('begun')\n%reload_ext mlx_magic", "begun"),
    "load": ("print('begun')\n%load_model {slow} --as other", "begun"),
    "prefill": ("%%chat slow\n" + PROMPT, "reading the prompt"),
    "decode": ("%%chat slow --max-tokens 100000\nHello", "answering"),
}


@pytest.mark.parametrize("how", ["shutdown", "term"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_kernel_ended_in_any_phase_does_not_abort(tiny: Any, phase: str, how: str) -> None:
    with Kernel() as kernel:
        kernel.ok("%load_ext mlx_magic")
        if phase in ("prefill", "decode"):
            kernel.ok(f"%load_model {tiny['slow']} --as slow")
        _begin(kernel, phase, tiny)
        code = kernel.exit_code(how)
    # A termination by signal is the signal's own code; anything else would be a crash.
    assert code in ((0,) if how == "shutdown" else (0, -15))


def _begin(kernel: Kernel, phase: str, tiny: dict[str, Path]) -> None:
    cell, marker = PHASES[phase]
    kernel.client.execute(cell.format(slow=tiny["slow"]))
    deadline = time.monotonic() + 20
    while marker and time.monotonic() < deadline:
        message = kernel.client.get_iopub_msg(timeout=20)
        content = message["content"]
        if marker in content.get("text", content.get("data", {}).get("text/plain", "")):
            return
    assert not marker, f"{phase} never began"
