"""Loading a resident against bare `mlx_lm.load`, files in the page cache.

Every reading comes from a process of its own that has loaded and freed the demo model before, by
turns: a second load of the same model would find its memory mapped already, and would say more
about the allocator than about loading. The resident's includes `hub.resolve`.
"""

import subprocess
import sys
from pathlib import Path

from .models import random_llama
from .ratios import judge, summary

ROUNDS = 15
BARE = """
import sys, time
from mlx_lm import load
import mlx.core as mx
from mlx_magic import demo
load(str(demo.find("qwen").path))
mx.clear_cache()
started = time.perf_counter()
kept = load(sys.argv[1])
print(time.perf_counter() - started)
"""
RESIDENT = """
import sys, time
import mlx_magic as mm
mm.load_model("demo:qwen", "other")
mm.unload_model("other")
started = time.perf_counter()
mm.load_model(sys.argv[1], "m")
print(time.perf_counter() - started)
"""


def _seconds(program: str, folder: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def measure(folder: Path) -> None:
    _seconds(BARE, folder)
    pairs = [(_seconds(BARE, folder), _seconds(RESIDENT, folder)) for _ in range(ROUNDS)]
    print(f"{folder.name}: bare {summary([b for b, _ in pairs], ' ms', 1e3)}")
    judge("resident / bare", [ours / theirs for theirs, ours in pairs], at_most=1.1)


def main() -> None:
    from mlx_magic import demo

    measure(demo.find("qwen").path)
    measure(random_llama("llama-16m", hidden=384, layers=8))
    measure(random_llama("llama-160m", hidden=1024, layers=16))
