"""Every notebook runs from top to bottom, and the demo model's answers in it are right."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

ANSWERS = {
    "01_first_chat": [
        "The capital of France is Paris.", "27 + 15 = 42.", "[reasoning]", "42 + 25 = 67",
        "12 + 30 + 25 = 67.", "40 + 9 = 49.", "Your name is Ada.",
        "A spider has 8 legs.", "A FROG IS GREEN.", "fox", "do not know",
        "The capital of Japan is Tokyo.", "['2 + 3 = 5.', '40 + 9 = 49.', '55 + 44 = 99.']",
    ],
    "02_pictures": [
        "[image: scene 320x310]", "I see 5 shapes.", "a large red circle", "prompt tokens reused",
        "I see 3 bars.", "I see 1 square.", "The second picture has more shapes.",
        "It says monkey.", "gemma    It's a bar chart!", "qwen     This is a bar chart.",
        "smolvlm  Bar chart.", "there is no file 'square.png'", "smolvlm unloaded",
    ],
    "03_memory": [
        "What a lovely question! The capital of France is Paris.", "Legs: 6", "matey!",
        "needs 3.30 MiB", "would evict llama", "evicted mistral (3.34 MiB)",
        "MemoryBudgetExceeded: ", "demo:pirate over llama · 173 KiB",
        "THE CAPITAL OF FRANCE IS PARIS.", "to make room for gemma", "3 models, 3.68 MiB",
    ],
}  # fmt: skip


@pytest.mark.kernel
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_leaves_a_page(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "notebooks" / "run.py", path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for answer in ANSWERS[path.stem]:
        assert answer in done.stdout
    page = (ROOT / "build" / f"{path.stem}.html").read_text()
    assert "mlx-magic-reply" in page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    assert '"outputs": []' in path.read_text()
    assert '"output_type"' not in path.read_text()
