"""Terminal IPython: the answer streams as plain text."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def _type(tmp_path: Path, *cells: str) -> str:
    script = tmp_path / "cells.ipy"
    script.write_text("\n".join(cells))
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=nocolor", "--no-banner", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_an_answer_is_printed_with_a_plain_footer(tmp_path: Path, tiny: Any) -> None:
    printed = _type(
        tmp_path,
        "%load_ext mlx_magic",
        "%load_model demo:qwen",
        "get_ipython().run_cell_magic('chat', '', 'What is the capital of France?')",
        "%models",
    )
    lines = [line for line in printed.splitlines() if line]
    assert lines[0].startswith("qwen · qwen text model · ")
    thought = "They ask for the capital of France. It is Paris."
    assert lines[1:4] == ["[reasoning]", thought, "[answer]"]
    assert lines[4] == "The capital of France is Paris."
    assert lines[5].startswith("[qwen · ") and "tok/s" in lines[5]
    assert lines[6].split()[:2] == ["name", "model"]
    assert "<" not in printed and "\x1b" not in printed
