"""Decode speed of `%%chat` with a live pool panel against the same without one, by turns.

The difference is smaller than the noise of a shared machine; so the processor time that the
panel's thread takes while an answer runs stands beside it.
"""

import math

from .models import random_llama
from .notebook import Notebook
from .ratios import judge

SET_UP = """
%load_ext mlx_magic
%load_model {model} --as m
%load_model demo:qwen
%load_model demo:llama
import json, threading, time

def panel_seconds():
    threads = [t for t in threading.enumerate() if t.name == "mlx-magic-panel"]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(t.ident)) for t in threads)
"""
CHAT = "%%chat m --new -o reply --temperature 0 --max-tokens {tokens}\nHello"
STATS = "print(json.dumps(reply.stats.generation_tps))"
MARK = "began = time.perf_counter(), panel_seconds()"
SHARE = """
print(json.dumps((panel_seconds() - began[1]) / (time.perf_counter() - began[0])))
"""


def measure(model: str, tokens: int, rounds: int) -> None:
    with Notebook() as notebook:
        notebook.run(SET_UP.format(model=model))
        cell = CHAT.format(tokens=tokens)
        notebook.run(cell)  # kernels compiled
        ratios, shares, speed = [], [], 0.0
        for turn in range(rounds):
            with_panel, without = 0.0, 0.0
            for live in (True, False) if turn % 2 else (False, True):
                notebook.run("%pool" if live else "%pool --close")
                notebook.run("time.sleep(0.5)")  # the panel is drawn
                notebook.run(MARK)
                notebook.run(cell)
                speed = notebook.value(STATS)
                if live:
                    with_panel = speed
                    shares.append(notebook.value(SHARE))
                else:
                    without = speed
            ratios.append(with_panel / without)
        spread = math.sqrt(sum((r - 1) ** 2 for r in ratios)) / len(ratios)
        print(f"{model.rsplit('/', 1)[-1]}, {tokens} tokens at {speed:.0f} tok/s")
        judge("decode, with a panel / without", ratios, at_least=0.99)
        print(f"  mean {sum(ratios) / len(ratios):.4f}, standard error about {spread:.4f}")
        judge("processor time of the panel's thread", shares, " %", 100, at_most=1)


def main() -> None:
    large = str(random_llama("llama-16m", hidden=384, layers=8))
    measure(large, 300, rounds=15)
