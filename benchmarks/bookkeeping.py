"""The pool's own work with a thousand residents: microseconds for each operation.

The engines are fakes that answer at once, and MLX's memory counters are left out: what stays is
the plan, the locks and the way to the MLX thread and back. Beside it the same with ten residents.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mlx_magic import pool as pool_module
from mlx_magic.budget import Held, plan_admission
from mlx_magic.engines import device
from mlx_magic.events import TextDelta
from mlx_magic.families import resolve_family
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions
from mlx_magic.pool import ModelPool
from mlx_magic.snapshot import Snapshot
from mlx_magic.worker import MLXThread

MANY, FEW = 1000, 10
ROUNDS = 30
SIZE = 1000  # bytes of each resident
HELLO = [Message.of("user", "Hello")]
ONE_TOKEN = GenerationOptions(max_tokens=1)


class _Engine:
    """An engine at the pool's border that says one word."""

    kind = "text"
    family = resolve_family({"model_type": "llama"})
    weight_bytes = SIZE
    cache_bytes = 0

    def __init__(self, *_: object) -> None: ...

    def read_weights(self) -> None: ...

    def view(self, _: object) -> "_Engine":
        return self

    def stream(self, *_: object) -> Iterator[TextDelta]:
        yield TextDelta("yes")

    def drop_caches(self) -> None: ...

    def close(self) -> None: ...


def _snapshot(name: str) -> Snapshot:
    return Snapshot(name, Path(name), None, {"model_type": "llama"}, {}, SIZE, "folder")


@contextmanager
def _filled(count: int, ttl_seconds: float | None = None) -> Iterator[ModelPool]:
    """A pool with so many fake residents and no room for another one."""
    with (
        patch.object(pool_module, "load_engine", _Engine),
        patch.object(pool_module, "preload", lambda *_: None),
        patch.object(device, "_imported_mlx", lambda: None),  # as before anybody has imported it
    ):
        thread = MLXThread()
        pool = ModelPool(thread)
        for n in range(count):
            pool.load(_snapshot(f"m{n}"), name=f"m{n}")
        # Not said to `load`, which would look through all of them a thousand times.
        for resident in pool._residents.values():
            resident.wanted = replace(resident.wanted, ttl_seconds=ttl_seconds)
        pool.set_budget(count * SIZE)
        try:
            yield pool
        finally:
            thread.call(lambda _: pool.close())
            thread.close()


def _seconds(operation: Callable[[int], Any]) -> list[float]:
    times = []
    for n in range(ROUNDS + 1):
        started = time.perf_counter()
        operation(n)
        times.append(time.perf_counter() - started)
    return times[1:]


def _plans(count: int) -> dict[str, Callable[[int], Any]]:
    models = [Held(f"m{n}", SIZE) for n in range(count)]
    # Nine views over each base, which is older than they are.
    views = [Held(f"m{n}", SIZE, base=f"m{n - n % 10}" if n % 10 else None) for n in range(count)]
    full = count * SIZE
    return {
        "a plan with room": lambda _: plan_admission(SIZE, full + SIZE, 0, models),
        "a plan that evicts one": lambda _: plan_admission(SIZE, full, 0, models),
        "a plan that evicts half": lambda _: plan_admission(full // 2, full, 0, models),
        "the same, nine of ten are views": lambda _: plan_admission(full // 2, full, 0, views),
    }


def _operations(pool: ModelPool, count: int) -> dict[str, Callable[[int], Any]]:
    return {
        "status of the pool": lambda _: pool.status(),
        "status of one resident": lambda n: pool.resident(f"m{n % count}"),
        "pin": lambda n: pool.pin(f"m{n % count}", n % 2 == 0),
        "an answer of one word": lambda n: list(pool.stream(f"m{n % count}", HELLO, ONE_TOKEN)),
        "a load of what is there": lambda n: pool.load(
            _snapshot(f"m{n % count}"), name=f"m{n % count}"
        ),
        "a load that evicts one": lambda n: pool.load(_snapshot(f"new{n}"), name=f"new{n}"),
    }


def _measure(count: int, ttl_seconds: float | None = None) -> dict[str, Sequence[float]]:
    with _filled(count, ttl_seconds) as pool:
        return {what: _seconds(do) for what, do in _operations(pool, count).items()}


def _compare(few: dict[str, Sequence[float]], many: dict[str, Sequence[float]]) -> None:
    for what, times in many.items():
        print(f"  {what:32}{_microseconds(times):36}{_microseconds(few[what])}")


def _microseconds(times: Sequence[float]) -> str:
    median, low, high = (f(times) * 1e6 for f in (statistics.median, min, max))
    return f"{median:9,.0f} µs ({low:,.0f} to {high:,.0f})"


def main() -> None:
    print(f"with {MANY:,} residents, and with {FEW}")
    few, many = (
        {what: _seconds(plan) for what, plan in _plans(count).items()} for count in (FEW, MANY)
    )
    _compare(few, many)
    _compare(_measure(FEW), _measure(MANY))
    print("each with an idle time")
    _compare(_measure(FEW, 3600.0), _measure(MANY, 3600.0))
