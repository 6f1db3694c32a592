"""Talks about pictures as training batches, made ahead by several processes.

A row is one talk; a batch holds a fixed number of pictures and of rows, so that the training step
compiles once. What a batch holds depends on the recipe, the seed and the step alone.
"""

from __future__ import annotations

import multiprocessing
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.pictures.chart_pool import ChartPool
from training.pictures.manners import MANNERS
from training.pictures.talks import PictureTurn, make_sample
from training.vision.pixels import Patches, Pixels
from training.vision.recipes import VISION_RECIPES, PictureFormat, VisionRecipe
from training.world.systems import quiet_system

# Hundredths of loss, as in training.batches: a share of the talks counts everything, so that a
# model which is not stopped at the end of its turn goes on with the person's next one.
ANSWER, FRAME, PERSON = 100, 30, 8
WHOLE_SHARE = 0.1
SYSTEM_SHARE = 0.08
TALKS_A_PICTURE = 4


@dataclass(frozen=True)
class PictureBatch:
    """Numpy arrays of `training.vision.models.Inputs`, with one token more and its weights."""

    pixels: NDArray[np.uint8]
    places: NDArray[np.uint8]
    counts: NDArray[np.int32]
    tokens: NDArray[np.int32]
    weights: NDArray[np.uint8]
    image_at: NDArray[np.int32]
    positions: NDArray[np.int32]


class Piece(NamedTuple):
    """Text with its loss, or, when `image` is not None, the picture of that number."""

    text: str
    weight: int
    image: int | None = None


def frame(
    chat: PictureFormat,
    talk: Sequence[PictureTurn],
    system: str | None = None,
    whole: bool = False,
    opening: int = 1,
) -> list[Piece]:
    """A talk in its family's frame, after one or two BOS; pictures are numbered as they come."""
    edge, person = (FRAME, PERSON) if whole else (0, 0)
    pieces = [Piece(chat.bos * opening, 0), Piece(chat.system_block(system), 0)]
    shown = 0
    for index, turn in enumerate(talk):
        pieces.append(Piece(chat.user_start(bool(turn.images)), edge if index else 0))
        if index == 0:
            pieces.append(Piece(chat.folded_system(system), 0))
        for _ in range(turn.images):
            pieces += [Piece(chat.before_image, 0), Piece("", 0, shown), Piece(chat.after_image, 0)]
            shown += 1
        pieces += [Piece(turn.user, person), Piece(chat.user_end, edge)]
        pieces += [Piece(chat.answer_start, edge), Piece(chat.answer_space, ANSWER)]
        pieces += [Piece(turn.answer, ANSWER), Piece(chat.answer_end, ANSWER)]
        pieces.append(Piece(chat.between, edge))
    return [piece for piece in pieces if piece.text or piece.image is not None]


class Row(NamedTuple):
    """One talk as token ids, their loss, which image feature stands where, and mRoPE places."""

    tokens: list[int]
    weights: list[int]
    image_at: list[int]
    positions: list[tuple[int, int, int]]


def make_row(
    recipe: VisionRecipe,
    tokenizer: Tokenizer,
    pieces: list[Piece],
    shown: Sequence[tuple[int, Pixels]],
) -> Row:
    """A row whose pictures are given as (number in the batch, pixels)."""
    image_token = tokenizer.token_to_id(recipe.chat.image_token)
    text, spans = "", []
    for piece in pieces:
        if piece.image is not None:
            rows, columns = shown[piece.image][1].grid
            start = len(text)
            text += recipe.chat.image_token * (rows * columns)
            spans.append((start, len(text), 0))
        else:
            spans.append((len(text), len(text) + len(piece.text), piece.weight))
            text += piece.text
    encoding = tokenizer.encode(text, add_special_tokens=False)
    row = Row(list(encoding.ids), [], [], [])
    weight_at = _weights(spans, len(text))
    features = _feature_numbers(recipe, shown)
    places = _Places(shown)
    for token, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
        row.weights.append(weight_at[max(start, end - 1)] if text else 0)
        image = token == image_token
        row.image_at.append(next(features) if image else -1)
        row.positions.append(places.image() if image else places.word())
    return row


def _weights(spans: list[tuple[int, int, int]], length: int) -> bytes:
    weights = bytearray(length + 1)
    for start, end, weight in spans:
        weights[start:end] = bytes([weight]) * (end - start)
    return bytes(weights)


def _feature_numbers(recipe: VisionRecipe, shown: Sequence[tuple[int, Pixels]]) -> Iterator[int]:
    for number, pixels in shown:
        for token in range(pixels.grid[0] * pixels.grid[1]):
            yield number * recipe.image.most_tokens + token


class _Places:
    """Time, row and column of each token, as Qwen's multimodal RoPE counts them."""

    def __init__(self, shown: Sequence[tuple[int, Pixels]]) -> None:
        self._grids = [pixels.grid for _, pixels in shown]
        self._next = 0
        self._inside = 0

    def word(self) -> tuple[int, int, int]:
        self._next += 1
        return (self._next - 1,) * 3

    def image(self) -> tuple[int, int, int]:
        rows, columns = self._grids[0]
        row, column = divmod(self._inside, columns)
        place = (self._next, self._next + row, self._next + column)
        self._inside += 1
        if self._inside == rows * columns:
            self._grids.pop(0)
            self._next += max(rows, columns)
            self._inside = 0
        return place


def make_batch(
    recipe: VisionRecipe, tokenizer: Tokenizer, charts: ChartPool | None, seed: int, step: int
) -> PictureBatch:
    """The batch of one step."""
    rng = random.Random(f"{recipe.name} {seed} {step}")
    plan, schedule = recipe.image, recipe.schedule
    manner = MANNERS[recipe.manner]
    batch = _empty(recipe)
    pictures = rows = 0
    while pictures < schedule.pictures - 1 and rows < schedule.rows:
        sample = make_sample(rng, manner, chart_pool=charts, talks=TALKS_A_PICTURE)
        shown = []
        for image in sample.images:
            pixels = plan.pixels(image)
            _put_picture(recipe, batch, pictures, pixels)
            shown.append((pictures, pixels))
            pictures += 1
        for talk in sample.talks[: schedule.rows - rows]:
            system = _some_system(rng)
            opening = 1 + (rng.random() < recipe.chat.second_bos)
            pieces = frame(recipe.chat, talk, system, rng.random() < WHOLE_SHARE, opening)
            count = sum(turn.images for turn in talk)
            if _put_row(batch, rows, make_row(recipe, tokenizer, pieces, shown[:count])):
                rows += 1
    return batch


def _some_system(rng: random.Random) -> str | None:
    if rng.random() >= SYSTEM_SHARE:
        return None
    return quiet_system(rng, held_out=False)


def _empty(recipe: VisionRecipe) -> PictureBatch:
    plan, schedule = recipe.image, recipe.schedule
    pictures, rows, length = schedule.pictures, schedule.rows, schedule.row_tokens
    patches = plan.most_patches if isinstance(plan, Patches) else 0
    return PictureBatch(
        pixels=np.zeros((pictures, *plan.shape), np.uint8),
        places=np.zeros((pictures, patches, 2), np.uint8),
        counts=np.ones(pictures, np.int32),
        tokens=np.zeros((rows, length + 1), np.int32),
        weights=np.zeros((rows, length + 1), np.uint8),
        image_at=np.full((rows, length + 1), -1, np.int32),
        positions=np.zeros((3, rows, length + 1), np.int32),
    )


def _put_picture(recipe: VisionRecipe, batch: PictureBatch, at: int, pixels: Pixels) -> None:
    batch.pixels[at] = pixels.values
    if isinstance(recipe.image, Patches):
        batch.places[at] = recipe.image.places(pixels.grid)
        batch.counts[at] = pixels.grid[0] * pixels.grid[1]


def _put_row(batch: PictureBatch, at: int, row: Row) -> bool:
    """Whether the row fitted; one that is too long is dropped."""
    length = len(row.tokens)
    if length > batch.tokens.shape[1]:
        return False
    batch.tokens[at, :length] = row.tokens
    batch.weights[at, 1:length] = row.weights[1:]
    batch.image_at[at, :length] = row.image_at
    batch.positions[:, at, :length] = np.array(row.positions, np.int32).T
    return True


_worker: tuple[VisionRecipe, Tokenizer, ChartPool | None] | None = None


def _start_worker(name: str, tokenizer_file: str, charts: str | None) -> None:
    global _worker
    pool = ChartPool(Path(charts)) if charts else None
    _worker = VISION_RECIPES[name], Tokenizer.from_file(tokenizer_file), pool


def _work(job: tuple[int, int]) -> PictureBatch:
    assert _worker is not None
    return make_batch(*_worker, *job)


def batches(
    recipe: VisionRecipe,
    tokenizer_file: Path,
    charts: Path | None,
    seed: int,
    steps: range,
    workers: int,
) -> Iterator[PictureBatch]:
    """The batches of the given steps in order; with `workers` processes, made ahead."""
    if workers == 0:
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        pool = ChartPool(charts) if charts else None
        yield from (make_batch(recipe, tokenizer, pool, seed, step) for step in steps)
        return
    start = (recipe.name, str(tokenizer_file), str(charts) if charts else None)
    with multiprocessing.get_context("spawn").Pool(workers, _start_worker, start) as crew:
        waiting: deque[multiprocessing.pool.AsyncResult[PictureBatch]] = deque()
        for step in steps:
            waiting.append(crew.apply_async(_work, ((seed, step),)))
            if len(waiting) >= 4 * workers:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()
