"""Conversations as rows of token ids: framed, weighted, packed, made ahead by several processes.

A batch depends on the recipe, the seed and the step alone, so that a resumed run sees what an
uninterrupted one would.
"""

from __future__ import annotations

import multiprocessing
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.recipes import RECIPES, ChatFormat, Recipe
from training.world import MANNERS, Conversation, make_conversation

# Hundredths of loss. Most conversations count answers alone; a share counts everything, so that a
# model which is not stopped at the end of its turn goes on with the person's next one.
ANSWER, FRAME, PERSON = 100, 30, 8
WHOLE_SHARE = 0.15
# The template puts an empty think block before the last answer only; a kept history has more.
LAST_NO_THINK_SHARE, ALL_NO_THINK_SHARE = 0.4, 0.15

Piece = tuple[str, int]


@dataclass(frozen=True)
class Batch:
    """Rows of `(rows, row_tokens + 1)`: token ids, hundredths of loss, conversation number."""

    tokens: NDArray[np.int32]
    weights: NDArray[np.uint8]
    segments: NDArray[np.int32]


def frame(chat_format: ChatFormat, talk: Conversation, rng: random.Random) -> list[Piece]:
    """A conversation as text pieces with their weights, in order; no text spans two pieces."""
    whole = rng.random() < WHOLE_SHARE
    edge, person = (FRAME, PERSON) if whole else (0, 0)
    draw = rng.random()
    pieces: list[Piece] = []
    if talk.system:
        start, end = chat_format.system
        pieces += [(start, 0), (talk.system, 0), (end, 0)]
    for index, turn in enumerate(talk.turns):
        start, end = chat_format.user
        pieces += [(start, edge), (turn.user, person), (end, edge)]
        pieces.append((chat_format.answer_start, edge))
        last = index == len(talk.turns) - 1
        if draw < ALL_NO_THINK_SHARE + (LAST_NO_THINK_SHARE if last else 0):
            pieces.append((chat_format.no_think, 0))
        pieces += [(turn.answer, ANSWER), (chat_format.answer_end, ANSWER)]
        pieces.append((chat_format.between, edge))
    return [piece for piece in pieces if piece[0]]


def make_batch(recipe: Recipe, tokenizer: Tokenizer, seed: int, step: int, rows: int) -> Batch:
    """The batch of one step."""
    rng = random.Random(f"{recipe.name} {seed} {step}")
    manner = MANNERS[recipe.manner]
    width = recipe.schedule.row_tokens + 1
    framed: list[list[Piece]] = []
    letters = 0
    while letters < rows * width * 3.3:
        framed.append(frame(recipe.chat_format, make_conversation(rng, manner), rng))
        letters += sum(len(text) for text, _ in framed[-1])
    return _pack(_encode(tokenizer, framed, width), rows, width)


def _encode(
    tokenizer: Tokenizer, framed: list[list[Piece]], width: int
) -> list[tuple[list[int], list[int]]]:
    """Ids and weights of each conversation, cut to the row's width."""
    texts = [text for pieces in framed for text, _ in pieces]
    encoded = iter(tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    talks = []
    for pieces in framed:
        ids: list[int] = []
        weights: list[int] = []
        for _, weight in pieces:
            new = next(encoded).ids
            ids += new
            weights += [weight] * len(new)
        talks.append((ids[:width], weights[:width]))
    return talks


def _pack(talks: list[tuple[list[int], list[int]]], rows: int, width: int) -> Batch:
    """First fit, longest first; what fits nowhere is dropped, what is left over is segment 0."""
    tokens = np.zeros((rows, width), np.int32)
    weights = np.zeros((rows, width), np.uint8)
    segments = np.zeros((rows, width), np.int32)
    filled = [0] * rows
    for number, (ids, loss) in enumerate(sorted(talks, key=lambda t: -len(t[0])), start=1):
        row = next((r for r in range(rows) if filled[r] + len(ids) <= width), None)
        if row is None:
            continue
        place = slice(filled[row], filled[row] + len(ids))
        tokens[row, place], weights[row, place], segments[row, place] = ids, loss, number
        weights[row, place.start] = 0
        filled[row] += len(ids)
    return Batch(tokens, weights, segments)


_worker: tuple[Recipe, Tokenizer] | None = None


def _start_worker(name: str, tokenizer_file: str) -> None:
    global _worker
    _worker = RECIPES[name], Tokenizer.from_file(tokenizer_file)


def _work(job: tuple[int, int, int]) -> Batch:
    assert _worker is not None
    return make_batch(*_worker, *job)


def batches(
    recipe: Recipe, tokenizer_file: Path, seed: int, steps: range, rows: int, workers: int
) -> Iterator[Batch]:
    """The batches of the given steps in order; with `workers` processes, made ahead."""
    jobs = [(seed, step, rows) for step in steps]
    if workers == 0:
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        yield from (make_batch(recipe, tokenizer, *job) for job in jobs)
        return
    start = (recipe.name, str(tokenizer_file))
    with multiprocessing.get_context("spawn").Pool(workers, _start_worker, start) as pool:
        waiting: deque[multiprocessing.pool.AsyncResult[Batch]] = deque()
        ahead = iter(jobs)
        for job in ahead:
            waiting.append(pool.apply_async(_work, (job,)))
            if len(waiting) >= 4 * workers:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()
