"""Results of jobs in their order, made ahead by several processes."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_make: Callable[[Any], Any] | None = None


def _start(make: Callable[[Any], Any]) -> None:
    global _make
    _make = make


def _work(jobs: list[Any]) -> list[Any]:
    assert _make is not None
    return [_make(job) for job in jobs]


def made_ahead(
    make: Callable[[Job], Result], jobs: Iterable[Job], workers: int, together: int = 1
) -> Iterator[Result]:
    """`make(job)` for each job; each of `workers` processes takes `together` jobs in a row and
    keeps four such rows ready."""
    if workers == 0:
        yield from map(make, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers, _start, (make,)) as pool:
        waiting: deque[multiprocessing.pool.AsyncResult[list[Result]]] = deque()
        coming = iter(jobs)
        while some := list(islice(coming, together)):
            waiting.append(pool.apply_async(_work, (some,)))
            if len(waiting) >= 4 * workers:
                yield from waiting.popleft().get()
        while waiting:
            yield from waiting.popleft().get()
