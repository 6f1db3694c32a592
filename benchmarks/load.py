"""Loading a resident against bare `mlx_lm.load`, in one process, by turns, files in the page cache.

Both load the same folder and free it again; the resident through the pool on the MLX thread.
"""

import gc
import time
from pathlib import Path

from .models import random_llama
from .notebook import judge, summary

ROUNDS = 31


def measure(folder: Path) -> None:
    import mlx.core as mx
    from mlx_lm import load

    from mlx_magic.hub import resolve
    from mlx_magic.sessions import close_session, get_session

    def bare() -> float:
        started = time.perf_counter()
        kept = load(str(folder))
        seconds = time.perf_counter() - started
        del kept
        gc.collect()
        mx.clear_cache()
        return seconds

    pool = get_session().pool

    def resident() -> float:
        started = time.perf_counter()
        pool.load(resolve(str(folder)), name="m")
        seconds = time.perf_counter() - started
        pool.unload("m")
        return seconds

    bare(), resident()
    pairs = [(bare(), resident()) for _ in range(ROUNDS)]
    ratios = [ours / theirs for theirs, ours in pairs]
    print(f"{folder.name}: bare {summary([b for b, _ in pairs], ' ms', 1e3)}")
    judge("resident / bare", ratios, at_most=1.1)
    close_session()


def main() -> None:
    from mlx_magic import demo

    measure(demo.find("qwen").path)
    measure(random_llama("llama-16m", hidden=384, layers=8))
    measure(random_llama("llama-160m", hidden=1024, layers=16))
