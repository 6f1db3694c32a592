"""Talks about pictures as training batches, made ahead by several processes.

A row is one talk; a batch holds a fixed number of pictures and of rows of each length, so that the
training step compiles once. What a batch holds depends on the recipe, the seed and the step alone,
and its pictures on seed and step, so that several models can learn from the same ones (`shared`).
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
from training.pictures.shown import Shown
from training.pictures.talks import PictureTurn, make_talk, sample_pictures
from training.vision.pixels import Patches, Pixels
from training.vision.recipes import PictureFormat, VisionRecipe
from training.world.systems import quiet_system

# Weights are those of training.batches; a share of the talks counts everything, as there.
WHOLE_SHARE = 0.1
SYSTEM_SHARE = 0.08


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
    """One talk: token ids, their loss, which image feature stands where, and mRoPE places
    `(3, tokens)`."""

    tokens: NDArray[np.int32]
    weights: NDArray[np.uint8]
    image_at: NDArray[np.int32]
    positions: NDArray[np.int32]


def make_row(
    recipe: VisionRecipe,
    tokenizer: Tokenizer,
    pieces: list[Piece],
    shown: Sequence[tuple[int, Pixels]],
) -> Row:
    """A row whose pictures are given as (number in the batch, pixels)."""
    texts = [recipe.chat.image_token if p.image is not None else p.text for p in pieces]
    encoding = tokenizer.encode("".join(texts), add_special_tokens=False)
    ids = np.array(encoding.ids, np.int32)
    ends = np.array(encoding.offsets, np.int32)
    weight_at = np.repeat(
        np.array([piece.weight for piece in pieces], np.uint8), [len(text) for text in texts]
    )
    weights = weight_at[np.maximum(ends[:, 0], ends[:, 1] - 1)]
    marks = np.flatnonzero(ids == tokenizer.token_to_id(recipe.chat.image_token))
    numbers = [shown[piece.image] for piece in pieces if piece.image is not None]
    sizes = [pixels.grid[0] * pixels.grid[1] for _, pixels in numbers]
    repeats = np.ones(len(ids), np.int64)
    repeats[marks] = sizes
    starts = (np.cumsum(repeats) - repeats)[marks]
    image_at = np.full(int(repeats.sum()), -1, np.int32)
    for start, size, (number, _) in zip(starts, sizes, numbers, strict=True):
        image_at[start : start + size] = number * recipe.image.most_tokens + np.arange(size)
    grids = [pixels.grid for _, pixels in numbers]
    places = _places(len(image_at), [int(start) for start in starts], grids)
    return Row(np.repeat(ids, repeats), np.repeat(weights, repeats), image_at, places)


def _places(length: int, starts: list[int], grids: list[tuple[int, int]]) -> NDArray[np.int32]:
    """Time, row and column of each token, as Qwen's multimodal RoPE counts them; pictures of
    `grids` stand at `starts`."""
    places = np.empty((3, length), np.int32)
    at = place = 0
    for start, (rows, columns) in zip(starts, grids, strict=True):
        places[:, at:start] = np.arange(place, place + start - at)
        place += start - at
        at = start + rows * columns
        row, column = np.divmod(np.arange(rows * columns), columns)
        places[:, start:at] = place + np.stack([np.zeros_like(row), row, column])
        place += max(rows, columns)
    places[:, at:] = np.arange(place, place + length - at)
    return places


def draw(charts: ChartPool | None, seed: int, step: int, room: int) -> list[tuple[Shown, ...]]:
    """What a step shows to any model: at most `room` pictures, mostly one by one."""
    rng = random.Random(f"pictures {seed} {step}")
    drawn: list[tuple[Shown, ...]] = []
    pictures = 0
    while pictures < room - 1:  # there is room for a pair
        drawn.append(sample_pictures(rng, chart_pool=charts))
        pictures += len(drawn[-1])
    return drawn


def make_batch(
    recipe: VisionRecipe,
    tokenizer: Tokenizer,
    drawn: Sequence[tuple[Shown, ...]],
    seed: int,
    step: int,
) -> PictureBatch:
    """The batch of one step, about what was drawn for it."""
    rng = random.Random(f"{recipe.name} {seed} {step}")
    batch = _empty(recipe)
    filled = [0] * len(batch.rows)
    pictures = 0
    for shown in drawn:
        numbered = [
            (number, recipe.image.pixels(one.image))
            for number, one in enumerate(shown, start=pictures)
        ]
        for number, pixels in numbered:
            _put_picture(recipe, batch, number, pixels)
        pictures += len(shown)
        talk = make_talk(rng, recipe.manner, shown)
        opening = 1 + (rng.random() < recipe.chat.second_bos)
        whole = rng.random() < WHOLE_SHARE
        pieces = frame(recipe.chat, talk, _some_system(rng), whole, opening)
        _put_row(batch, filled, make_row(recipe, tokenizer, pieces, numbered))
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
            rows.positions[:, at, :length] = row.positions
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
    return made_ahead(partial(drawn_batch, recipe, tokenizer, charts, seed), steps, workers)


def drawn_batch(
    recipe: VisionRecipe, tokenizer: Tokenizer, charts: ChartPool | None, seed: int, step: int
) -> PictureBatch:
    """The batch of one step with its pictures."""
    drawn = draw(charts, seed, step, recipe.schedule.pictures)
    return make_batch(recipe, tokenizer, drawn, seed, step)
