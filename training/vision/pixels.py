"""Pictures as the pixels that each family's own processor makes of them.

A plan says how one family resizes. Training goes through these few lines instead of the processor
because they are many times faster; tests hold the two equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Pixels:
    """One picture on its way to the tower.

    `values` is `(side, side, 3)` for a squashed picture and `(patches, patch * patch * 3)` for one
    that keeps its shape; `grid` is its rows and columns of image tokens.
    """

    values: Bytes
    grid: tuple[int, int]


@dataclass(frozen=True)
class Squash:
    """Any picture becomes one square; `through` is a longest edge to pass by on the way."""

    side: int
    tokens_per_side: int
    resample: Image.Resampling
    through: int | None = None
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one picture's values."""
        return (self.side, self.side, 3)

    @property
    def most_tokens(self) -> int:
        """Image tokens of a picture."""
        return self.tokens_per_side**2

    @property
    def seen(self) -> str:
        """What the model gets to see, in words."""
        return f"squeezed to {self.side} x {self.side} pixels"

    def pixels(self, image: Image.Image) -> Pixels:
        """The picture's square."""
        if self.through is not None:
            image = image.resize(_to_longest_edge(image.size, self.through), self.resample)
        square = image.resize((self.side, self.side), self.resample)
        return Pixels(np.asarray(square), (self.tokens_per_side, self.tokens_per_side))


def _to_longest_edge(size: tuple[int, int], edge: int) -> tuple[int, int]:
    """As SmolVLM's processor: the shorter edge is made even."""
    width, height = size
    ratio = width / height
    short = int(edge / ratio) if width >= height else int(edge * ratio)
    short = max(short + short % 2, 1)
    return (edge, short) if width >= height else (short, edge)


@dataclass(frozen=True)
class Patches:
    """A picture keeps its shape, in whole squares of `merge` by `merge` patches."""

    patch: int
    merge: int
    least_pixels: int
    most_pixels: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resample: Image.Resampling = Image.Resampling.BICUBIC

    @property
    def most_patches(self) -> int:
        """Patches of the largest picture that training sees."""
        return self.most_pixels // self.patch**2

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one picture's values."""
        return (self.most_patches, self.patch * self.patch * 3)

    @property
    def most_tokens(self) -> int:
        """Image tokens of the largest picture."""
        return self.most_patches // self.merge**2

    @property
    def seen(self) -> str:
        """What the model gets to see, in words."""
        side = round(self.most_pixels**0.5)
        return f"in its own shape at no more than {self.most_pixels} pixels ({side} x {side})"

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after resizing (Qwen2-VL's `smart_resize`)."""
        unit = self.patch * self.merge
        wide, high = round(width / unit) * unit, round(height / unit) * unit
        if wide * high > self.most_pixels:
            shrink = math.sqrt(width * height / self.most_pixels)
            return (
                max(unit, math.floor(width / shrink / unit) * unit),
                max(unit, math.floor(height / shrink / unit) * unit),
            )
        if wide * high < self.least_pixels:
            grow = math.sqrt(self.least_pixels / (width * height))
            return (
                math.ceil(width * grow / unit) * unit,
                math.ceil(height * grow / unit) * unit,
            )
        return wide, high

    def pixels(self, image: Image.Image) -> Pixels:
        """The picture's patches, those of one image token side by side, padded with zeros."""
        wide, high = self.size(*image.size)
        p, m = self.patch, self.merge
        rows, columns = high // p // m, wide // p // m
        array = np.asarray(image.resize((wide, high), self.resample))
        cut = array.reshape(rows, m, p, columns, m, p, 3).transpose(0, 3, 1, 4, 2, 5, 6)
        values = np.zeros(self.shape, np.uint8)
        values[: rows * columns * m * m] = cut.reshape(-1, p * p * 3)
        return Pixels(values, (rows, columns))

    def places(self, grid: tuple[int, int]) -> Bytes:
        """Row and column of each patch, `(most_patches, 2)`, in the order of `pixels`."""
        rows, columns = grid
        m = self.merge
        row, column = np.meshgrid(np.arange(rows * m), np.arange(columns * m), indexing="ij")
        both = np.stack([row, column], -1).reshape(rows, m, columns, m, 2)
        places = np.zeros((self.most_patches, 2), np.uint8)
        places[: rows * columns * m * m] = both.transpose(0, 2, 1, 3, 4).reshape(-1, 2)
        return places


ImagePlan = Squash | Patches
