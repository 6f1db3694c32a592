"""Results of jobs in their order, made ahead by several processes."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_make: Callable[[Any], Any] | None = None


def _start(make: Callable[[Any], Any]) -> None:
    global _make
    _make = make


def _work(job: Any) -> Any:
    assert _make is not None
    return _make(job)


def made_ahead(
    make: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Iterator[Result]:
    """`make(job)` for each job; `workers` processes keep four times as many ready."""
    if workers == 0:
        yield from map(make, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers, _start, (make,)) as pool:
        waiting: deque[multiprocessing.pool.AsyncResult[Result]] = deque()
        for job in jobs:
            waiting.append(pool.apply_async(_work, (job,)))
            if len(waiting) >= 4 * workers:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()
