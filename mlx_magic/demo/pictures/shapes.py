"""The things of a scene: their words and how each is drawn.

Sizes are in ninety-sixths of the canvas's geometric mean side, positions are fractions of it.
"""

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

from .backgrounds import RGB

SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star", "heart", "cross")
COLOURS: dict[str, RGB] = {
    "red": (216, 36, 36),
    "orange": (246, 134, 18),
    "yellow": (250, 220, 30),
    "green": (36, 158, 62),
    "blue": (34, 84, 216),
    "purple": (128, 44, 170),
    "pink": (248, 128, 190),
    "black": (22, 22, 24),
}
SIZES = ("small", "large")

Spot = tuple[float, float]


@dataclass(frozen=True)
class Thing:
    """One shape: its words, and how exactly it looks. `x`, `y` are its middle."""

    shape: str
    colour: str
    size: str
    rgb: RGB
    x: float
    y: float
    extent: float
    turn: float

    @property
    def kind(self) -> str:
        """`red circle`."""
        return f"{self.colour} {self.shape}"

    @property
    def full_name(self) -> str:
        """`large red circle`."""
        return f"{self.size} {self.colour} {self.shape}"


def _heart() -> list[Spot]:
    points = []
    for i in range(36):
        t = 2 * math.pi * i / 36
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((x / 32, -(y + 2) / 32))
    return points


def _star() -> list[Spot]:
    points = []
    for i in range(10):
        radius, angle = (0.56 if i % 2 == 0 else 0.235), math.pi * (i / 5 - 0.5)
        points.append((radius * math.cos(angle), radius * math.sin(angle) + 0.03))
    return points


_ARM = 0.165
_OUTLINES: dict[str, list[Spot]] = {
    "circle": [
        (0.5 * math.cos(math.pi * i / 24), 0.5 * math.sin(math.pi * i / 24)) for i in range(48)
    ],
    "square": [(-0.44, -0.44), (0.44, -0.44), (0.44, 0.44), (-0.44, 0.44)],
    "triangle": [(0, -0.5), (0.54, 0.43), (-0.54, 0.43)],
    "star": _star(),
    "heart": _heart(),
    "cross": [
        (-_ARM, -0.5), (_ARM, -0.5), (_ARM, -_ARM), (0.5, -_ARM), (0.5, _ARM), (_ARM, _ARM),
        (_ARM, 0.5), (-_ARM, 0.5), (-_ARM, _ARM), (-0.5, _ARM), (-0.5, -_ARM), (-_ARM, -_ARM),
    ],
}  # fmt: skip


def draw_thing(image: Image.Image, thing: Thing, unit: float, supersample: int) -> None:
    """The thing's colour through a mask, `supersample` times as fine as the picture."""
    x, y = thing.x * image.width, thing.y * image.height
    reach = math.ceil(thing.extent * unit * 0.72) + 1
    left, top = math.floor(x) - reach, math.floor(y) - reach
    side = 2 * reach + 1
    mask = Image.new("L", (side * supersample, side * supersample))
    angle, scale = math.radians(thing.turn), thing.extent * unit * supersample
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    middle_x, middle_y = (x - left) * supersample, (y - top) * supersample
    outline = [
        (middle_x + a * cos - b * sin, middle_y + a * sin + b * cos)
        for a, b in _OUTLINES[thing.shape]
    ]
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    image.paste(thing.rgb, (left, top), mask.reduce(supersample) if supersample > 1 else mask)
