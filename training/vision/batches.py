"""Talks about pictures as training batches, made ahead by several processes.

A row is one talk; a batch holds a fixed number of pictures and of rows of each length, so that the
training step compiles once. What a batch holds depends on the recipe, the seed and the step alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.ahead import made_ahead
from training.batches import ANSWER, FRAME, PERSON
from training.pictures.chart_pool import ChartPool
from training.pictures.manners import MANNERS
from training.pictures.talks import PictureTurn, make_sample
from training.vision.pixels import Patches, Pixels
from training.vision.recipes import PictureFormat, VisionRecipe
from training.world.systems import quiet_system

# Weights are those of training.batches; a share of the talks counts everything, as there.
WHOLE_SHARE = 0.1
SYSTEM_SHARE = 0.08
TALKS_A_PICTURE = 4


@dataclass(frozen=True)
class Rows:
    """Talks of like length: `(rows, tokens + 1)` each, `positions` with 3 in front."""

    tokens: NDArray[np.int32]
    weights: NDArray[np.uint8]
    image_at: NDArray[np.int32]
    positions: NDArray[np.int32]


@dataclass(frozen=True)
class PictureBatch:
    """Pictures as in `training.vision.models.Pictures`, and the talks about them."""

    pixels: NDArray[np.uint8]
    places: NDArray[np.uint8]
    counts: NDArray[np.int32]
    rows: tuple[Rows, ...]


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
        """The place of the next token of text."""
        self._next += 1
        return (self._next - 1,) * 3

    def image(self) -> tuple[int, int, int]:
        """The place of the next image token."""
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
    pictures = 0
    filled = [0] * len(batch.rows)
    talks = sum(number for number, _ in schedule.rows)
    while pictures < schedule.pictures - 1 and sum(filled) < talks:
        sample = make_sample(rng, manner, chart_pool=charts, talks=TALKS_A_PICTURE)
        shown = []
        for image in sample.images:
            pixels = plan.pixels(image)
            _put_picture(recipe, batch, pictures, pixels)
            shown.append((pictures, pixels))
            pictures += 1
        for talk in sample.talks:
            opening = 1 + (rng.random() < recipe.chat.second_bos)
            whole = rng.random() < WHOLE_SHARE
            pieces = frame(recipe.chat, talk, _some_system(rng), whole, opening)
            count = sum(turn.images for turn in talk)
            _put_row(batch, filled, make_row(recipe, tokenizer, pieces, shown[:count]))
    return batch


def _some_system(rng: random.Random) -> str | None:
    if rng.random() >= SYSTEM_SHARE:
        return None
    return quiet_system(rng, held_out=False)


def _empty(recipe: VisionRecipe) -> PictureBatch:
    plan, schedule = recipe.image, recipe.schedule
    patches = plan.most_patches if isinstance(plan, Patches) else 0
    return PictureBatch(
        pixels=np.zeros((schedule.pictures, *plan.shape), np.uint8),
        places=np.zeros((schedule.pictures, patches, 2), np.uint8),
        counts=np.ones(schedule.pictures, np.int32),
        rows=tuple(_empty_rows(number, tokens + 1) for number, tokens in schedule.rows),
    )


def _empty_rows(number: int, length: int) -> Rows:
    return Rows(
        tokens=np.zeros((number, length), np.int32),
        weights=np.zeros((number, length), np.uint8),
        image_at=np.full((number, length), -1, np.int32),
        positions=np.zeros((3, number, length), np.int32),
    )


def _put_picture(recipe: VisionRecipe, batch: PictureBatch, at: int, pixels: Pixels) -> None:
    batch.pixels[at] = pixels.values
    if isinstance(recipe.image, Patches):
        batch.places[at] = recipe.image.places(pixels.grid)
        batch.counts[at] = pixels.grid[0] * pixels.grid[1]


def _put_row(batch: PictureBatch, filled: list[int], row: Row) -> None:
    """Puts a row where it fits best; one that fits nowhere is dropped."""
    length = len(row.tokens)
    for group, rows in enumerate(batch.rows):
        at = filled[group]
        if at < rows.tokens.shape[0] and length <= rows.tokens.shape[1]:
            rows.tokens[at, :length] = row.tokens
            rows.weights[at, 1:length] = row.weights[1:]
            rows.image_at[at, :length] = row.image_at
            rows.positions[:, at, :length] = np.array(row.positions, np.int32).T
            filled[group] += 1
            return


def batches(
    recipe: VisionRecipe,
    tokenizer: Tokenizer,
    charts: ChartPool | None,
    seed: int,
    steps: range,
    workers: int,
) -> Iterator[PictureBatch]:
    """The batches of the given steps in order; with `workers` processes, made ahead."""
    return made_ahead(partial(make_batch, recipe, tokenizer, charts, seed), steps, workers)
