"""What residents cost: the swap of two that don't fit together, adapters over one base, the ledger.

    python -m benchmarks.memory                # swaps and adapters, on any machine
    python -m benchmarks.memory --gpu          # a random 3B Llama in bf16 and 4 bit: 9 GB of disk
    python -m benchmarks.memory --gpu --tiny   # the same with a small one, to try it

It needs mlx, mlx_lm, transformers and this package, and none of the development tools. Bare is
mlx-lm in the same process, by turns with the pool, the files in the page cache.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlx_magic import hub
from mlx_magic.adapters import resolve_adapter
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions
from mlx_magic.pool import ModelPool
from mlx_magic.snapshot import Snapshot
from mlx_magic.worker import MLXThread

from .models import LLAMA_3B, LLAMA_TINY, build_llama, random_llama
from .ratios import judge, missed, summary

HELLO = Message.of("user", "Hello")
ONE_TOKEN = GenerationOptions(max_tokens=1, temperature=0)
ADAPTERS = 8
MB = 1e-6


@contextmanager
def new_pool(budget_bytes: int | None = None) -> Iterator[ModelPool]:
    """A pool with an MLX thread of its own."""
    thread = MLXThread()
    pool = ModelPool(thread)
    pool.set_budget(budget_bytes)
    try:
        yield pool
    finally:
        thread.call(lambda _: pool.close())  # arrays are freed where they live
        thread.close()


def active_bytes() -> int:
    import mlx.core as mx

    return int(mx.get_active_memory())


def ask(pool: ModelPool, name: str) -> float:
    """Seconds until one token has been answered."""
    started = time.perf_counter()
    list(pool.stream(name, [HELLO], ONE_TOKEN))
    return time.perf_counter() - started


# The swap.


@dataclass(frozen=True)
class Taken:
    """Seconds of a load (the pool's with its eviction), of the load with the first token, and of
    freeing the model by hand."""

    load: float
    use: float
    free: float = 0.0


def swap(folders: Sequence[Path], rounds: int) -> None:
    """Each model in turn takes the place of the one before; freeing that is in the pool's time."""
    snapshots = [hub.resolve(folder) for folder in folders]
    sizes = [snapshot.weight_bytes for snapshot in snapshots]
    readings: dict[str, list[tuple[Taken, Taken]]] = {s.spec: [] for s in snapshots}
    with new_pool(max(sizes) + min(sizes) // 2) as pool:  # for one and the KV caches, not for two
        for n in range(1 + rounds):
            for snapshot in snapshots:
                pair = _bare(snapshot), _swapped_in(pool, snapshot)
                if n:  # the first time compiles kernels and reads the files
                    readings[snapshot.spec].append(pair)
    for snapshot, size in zip(snapshots, sizes, strict=True):
        pairs = readings[snapshot.spec]
        bare = [theirs.load for theirs, _ in pairs]
        speed = size / statistics.median(bare) / 1e9
        print(f"{Path(snapshot.path).name}, {size * MB:.4g} MB at {speed:.2g} GB/s bare")
        print(f"  bare load  {summary(bare, ' ms', 1e3)}")
        print(f"  evict and load  {summary([ours.load for _, ours in pairs], ' ms', 1e3)}")
        judge("evict and load / bare load", [o.load / t.load for t, o in pairs], at_most=1.1)
        by_hand = [o.load / (t.free + t.load) for t, o in pairs]
        print(f"  evict and load / bare free and load  {summary(by_hand)}")
        judge("evict, load, first token / bare", [o.use / t.use for t, o in pairs], at_most=1.1)


def _bare(snapshot: Snapshot) -> Taken:
    import mlx.core as mx
    from mlx_lm import load, stream_generate

    started = time.perf_counter()
    model, tokenizer = load(str(snapshot.path))[:2]
    loaded = time.perf_counter()
    prompt = tokenizer.apply_chat_template([HELLO.to_openai()], add_generation_prompt=True)
    for _ in stream_generate(model, tokenizer, prompt, max_tokens=1):
        pass
    used = time.perf_counter()
    mx.synchronize()  # generation runs one step ahead
    ready = time.perf_counter()
    del model, tokenizer
    mx.clear_cache()
    return Taken(loaded - started, used - started, time.perf_counter() - ready)


def _swapped_in(pool: ModelPool, snapshot: Snapshot) -> Taken:
    started = time.perf_counter()
    pool.load(snapshot, name=str(snapshot.path))
    loaded = time.perf_counter()
    ask(pool, str(snapshot.path))
    used = time.perf_counter()
    assert len(pool.status().residents) == 1, "the other one was to be evicted"
    return Taken(loaded - started, used - started)


# Adapters.


def adapters(base: Path, what: str, *, copies: bool = True, rounds: int = 25, **made: Any) -> None:
    """Eight adapters over one base: the bytes that MLX holds, and the time of changing views.

    `made` says how `tiny_models.build_adapter` makes them. `copies`: load eight copies too.
    """
    import tiny_models

    snapshot = hub.resolve(base)
    with TemporaryDirectory() as folder, new_pool() as pool:
        paths = [
            tiny_models.build_adapter(Path(folder, f"adapter-{n}"), base, seed=n, **made)
            for n in range(ADAPTERS)
        ]
        before = active_bytes()
        pool.load(snapshot, name="base")
        one = active_bytes() - before
        views = [
            pool.load(snapshot, name=path.name, adapter=resolve_adapter(path)) for path in paths
        ]
        held = active_bytes() - before
        charged = sum(resident.weight_bytes for resident in pool.status().residents)
        own = views[0].weight_bytes
        print(
            f"{base.name}, {one * MB:.4g} MB, {ADAPTERS} adapters of {own / 1e3:.4g} kB "
            f"({own / one:.1%} of it): {what}"
        )
        judge("held / one base", [held / one], at_most=1.1)
        if copies:
            print(f"  held / eight copies  {held / _copies_bytes(base, paths):.3f}")
        print(f"  held beyond what is charged  {held - charged} bytes")
        print(f"  a view's load  {summary([view.load_seconds for view in views], ' ms', 1e3)}")
        _switch(pool, [view.name for view in views], rounds)


def _copies_bytes(base: Path, paths: Sequence[Path]) -> int:
    """What eight models hold that mlx-lm has loaded, each with its adapter."""
    import mlx.core as mx
    from mlx_lm import load

    before = active_bytes()
    models = [load(str(base), adapter_path=str(path))[0] for path in paths]
    mx.eval([model.parameters() for model in models])
    held = active_bytes() - before
    del models
    mx.clear_cache()
    return held


def _switch(pool: ModelPool, names: Sequence[str], rounds: int) -> None:
    """A token of the view that has just answered, and of another one; both know the prompt."""
    for name in names:
        ask(pool, name), ask(pool, name)
    stays, changes = [], []
    for n in range(rounds):
        name, other = names[n % len(names)], names[(n + 1) % len(names)]
        ask(pool, name)
        stays.append(ask(pool, name))
        changes.append(ask(pool, other))
    print(f"  a token of the same view  {summary(stays, ' ms', 1e3)}")
    added = [change - stay for stay, change in zip(stays, changes, strict=True)]
    print(f"  added by another view's turn  {summary(added, ' ms', 1e3)}")


# The ledger.


def ledger(folder: Path) -> None:
    """What the pool charges a resident with, against what MLX holds more than before."""
    snapshot = hub.resolve(folder)
    before = active_bytes()
    with new_pool() as pool:
        charged = pool.load(snapshot, name="m").weight_bytes
        held = active_bytes() - before
        ask(pool, "m")
        resident = pool.resident("m")
        charged_then = resident.weight_bytes + resident.cache_bytes
        held_then = active_bytes() - before
        freed = pool.unload("m").freed_bytes
        left = active_bytes() - before
    print(f"{folder.name}, {snapshot.weight_bytes:,} bytes announced by the files")
    for when, said, there in (
        ("loaded", charged, held),
        ("after an answer", charged_then, held_then),
    ):
        print(f"  {when}: {said:,} charged, {there:,} held, {said / there - 1:+.4%}")
    print(f"  unloaded: {freed:,} given back, {left:,} left")


def gpu(tiny: bool) -> None:
    """A random 3B Llama in bf16 and in 4 bit: ledger, load speed, swap, adapters."""
    name, shape = ("llama-tiny", LLAMA_TINY) if tiny else ("llama-3b", LLAMA_3B)
    with TemporaryDirectory() as folder:
        pair = [
            build_llama(Path(folder, f"{name}-bf16"), shape),
            build_llama(Path(folder, f"{name}-4bit"), shape, bits=4),
        ]
        for model in pair:
            ledger(model)
        swap(pair, rounds=3 if tiny else 5)
        for model in pair:
            adapters(model, "rank 8, 16 layers", copies=tiny, rank=8, num_layers=16)


def main() -> None:
    from mlx_magic import demo

    qwen, llama = demo.find("qwen").path, demo.find("llama").path
    large = [
        random_llama(name, hidden=1024, layers=16, seed=seed)
        for seed, name in enumerate(("llama-160m", "llama-160m-other"))
    ]
    swap([qwen, llama], rounds=25)
    swap(large, rounds=11)
    adapters(llama, "rank 6, as the demo adapters", rank=6)
    base = random_llama("llama-48m", hidden=576, layers=16)
    few = ["self_attn.q_proj", "self_attn.v_proj"]
    adapters(base, "rank 8, 16 layers, all projections", rank=8, num_layers=16)
    adapters(base, "rank 8, 16 layers, queries and values", rank=8, num_layers=16, keys=few)


def _run() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--gpu", action="store_true", help="a 3B Llama in bf16 and in 4 bit")
    parser.add_argument("--tiny", action="store_true", help="with --gpu: a small one instead")
    chosen = parser.parse_args()
    if chosen.gpu:
        import mlx.core as mx

        print(f"MLX {mx.__version__}, {mx.device_info()}")
        gpu(chosen.tiny)
    else:
        main()
    if missed:
        sys.exit(f"\nbelow the bar: {', '.join(missed)}")


if __name__ == "__main__":
    _run()
