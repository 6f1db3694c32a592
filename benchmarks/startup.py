"""`%load_ext mlx_magic` against `import ipywidgets`, and what the background warm-up costs.

Every reading comes from a kernel of its own. The next cell is sent as soon as %load_ext has
answered, and others after it for three seconds while the heavy imports run.
"""

import statistics
import time

from .notebook import Notebook
from .ratios import judge, summary

ROUNDS = 9
TIME = """
import time as _time
_started = _time.perf_counter()
{code}
print(_time.perf_counter() - _started)
"""
HEAVY = "import sys; print([m for m in ('transformers', 'mlx_lm', 'mlx_vlm') if m in sys.modules])"


def _time(code: str) -> float:
    with Notebook() as notebook:
        return float(notebook.run(TIME.format(code=code))[2])


def _cells(load: bool) -> list[float]:
    """Round trips of trivial cells, in seconds, with or without the extension just loaded."""
    with Notebook() as notebook:
        notebook.run("pass")
        notebook.run("%load_ext mlx_magic" if load else "pass")
        times, end = [], time.perf_counter() + 3
        while time.perf_counter() < end:
            times.append(notebook.run("pass")[0])
            time.sleep(0.02)
        return times


def main() -> None:
    pairs = [
        (_time("import ipywidgets"), _time("get_ipython().run_line_magic('load_ext', 'mlx_magic')"))
        for _ in range(ROUNDS)
    ]
    ratios = [ours / theirs for theirs, ours in pairs]
    print(f"import ipywidgets    {summary([t for t, _ in pairs], ' ms', 1e3)}")
    print(f"%load_ext mlx_magic  {summary([o for _, o in pairs], ' ms', 1e3)}")
    judge("load_ext / ipywidgets", ratios, at_most=0.5)
    with Notebook() as notebook:
        notebook.run("import mlx_magic.magics; mlx_magic.magics._start_warm_up = lambda: None")
        notebook.run("%load_ext mlx_magic")
        print(f"  heavy modules loaded by it: {notebook.run(HEAVY)[2].strip()}")
    plain = [_cells(False) for _ in range(3)]
    warm = [_cells(True) for _ in range(ROUNDS)]
    usual = statistics.median(t for times in plain for t in times)
    first = [times[0] - usual for times in warm]
    worst = [max(times) - usual for times in warm]
    judge("next cell delayed by", first, " ms", 1e3, at_most=50)
    print(f"  slowest cell of the 3 s after it  {summary(worst, ' ms', 1e3)}")
    print(f"  slowest cell of a plain kernel    {(max(map(max, plain)) - usual) * 1e3:.3g} ms")
