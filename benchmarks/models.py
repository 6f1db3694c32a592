"""Random Llamas of a chosen size, built once under build/benchmarks."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))


def random_llama(name: str, *, hidden: int, layers: int) -> Path:
    """The folder of a random bf16 Llama that never ends its turn."""
    import tiny_models

    folder = ROOT / "build" / "benchmarks" / name
    if not (folder / "config.json").exists():
        tiny_models.build(folder, "llama", hidden=hidden, layers=layers)
    return folder
