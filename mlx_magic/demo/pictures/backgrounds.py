"""What stands behind shapes and words: plain, striped, noisy or like a photograph.

A `Background` is a value; `paint` draws it at any size with the same look. Lengths are in
ninety-sixths of the canvas, since that is about how finely the vision models see.
"""

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw

RGB = tuple[int, int, int]
KINDS = ("plain", "striped", "noisy", "photo")
UNITS = 96
_NOISE_SIDE = 1024

PAINTS: tuple[RGB, ...] = (
    (255, 255, 255), (236, 236, 236), (250, 244, 225), (214, 230, 245), (220, 238, 214),
    (232, 222, 242), (165, 203, 236), (222, 203, 165), (178, 212, 158), (168, 168, 168),
    (205, 215, 220), (190, 225, 225), (130, 140, 150), (240, 225, 210), (24, 30, 58),
    (42, 42, 48), (66, 48, 36), (22, 54, 40), (70, 84, 100), (10, 10, 14),
)  # fmt: skip


@dataclass(frozen=True)
class Background:
    """Two colours and how they mix; `seed` places stripes, grain and hills."""

    kind: str
    first: RGB
    second: RGB
    seed: int
    period: float = 12.0
    grain: float = 0.0


def distance(one: RGB, other: RGB) -> float:
    """How different two colours look, 0 to 765 (the "redmean" formula of CompuPhase)."""
    red = (one[0] + other[0]) / 2
    r, g, b = (one[i] - other[i] for i in range(3))
    return math.sqrt((2 + red / 256) * r * r + 4 * g * g + (2 + (255 - red) / 256) * b * b)


def light(colour: RGB) -> float:
    """Perceived lightness, 0 to 255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def mixed(one: RGB, other: RGB, share: float) -> RGB:
    """A colour on the way from one to the other."""
    r, g, b = (round(a + (z - a) * share) for a, z in zip(one, other, strict=True))
    return r, g, b


def jittered(rng: random.Random, colour: RGB, by: int) -> RGB:
    """The colour with each channel moved a little."""
    r, g, b = (min(255, max(0, c + rng.randint(-by, by))) for c in colour)
    return r, g, b


# Pairs of paints that may stand in one background: near enough that nothing hides between them.
PAIRS = tuple(
    (one, other)
    for one in PAINTS
    for other in PAINTS
    if one != other and 12 < distance(one, other) < 260
)


def sample_background(
    rng: random.Random, kind: str, pairs: tuple[tuple[RGB, RGB], ...] = PAIRS
) -> Background:
    """A background of that kind in one of the colour pairs."""
    first, second = rng.choice(pairs)
    grain = {"plain": 0.0, "striped": 0.0, "noisy": rng.uniform(0.08, 0.2)}.get(
        kind, rng.uniform(0.02, 0.1)
    )
    return Background(
        kind,
        jittered(rng, first, 5),
        jittered(rng, second, 5),
        rng.getrandbits(32),
        rng.uniform(5, 18),
        grain,
    )


def paint(background: Background, width: int, height: int) -> Image.Image:
    """The background at that size in pixels."""
    rng = random.Random(background.seed)
    size = (width, height)
    image = Image.new("RGB", size, background.first)
    if background.kind == "striped":
        _stripes(image, background, rng)
    elif background.kind == "photo":
        mask = _hills(rng) if rng.random() < 0.5 else _clouds(rng)
        soft = mask.resize(size, Image.Resampling.BICUBIC)
        image.paste(background.second, (0, 0), soft)
    if background.grain:
        image = Image.blend(image, _grain(rng, width, height), background.grain)
    return image


def _stripes(image: Image.Image, background: Background, rng: random.Random) -> None:
    """Stripes across the whole canvas, straight or slanted."""
    width, height = image.size
    draw = ImageDraw.Draw(image)
    period = background.period * math.sqrt(width * height) / UNITS
    share = rng.uniform(0.3, 0.6)
    angle = math.radians(rng.choice((0, 90, 45, 135, rng.uniform(0, 180))))
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    reach = math.hypot(width, height) / 2 + period
    at = -reach + rng.random() * period
    while at < reach:
        corners = []
        for end, side in ((-1, 0.0), (1, 0.0), (1, share), (-1, share)):
            off = at + side * period
            corners.append(
                (
                    width / 2 + along[0] * end * reach + across[0] * off,
                    height / 2 + along[1] * end * reach + across[1] * off,
                )
            )
        draw.polygon(corners, fill=background.second)
        at += period


def _clouds(rng: random.Random) -> Image.Image:
    """Smooth random light, as an out-of-focus wall or sky has."""
    columns, rows = rng.randint(2, 6), rng.randint(2, 6)
    return Image.frombytes("L", (columns, rows), rng.randbytes(columns * rows))


def _hills(rng: random.Random) -> Image.Image:
    """A pale sky over one or two rows of hills."""
    side = 40
    mask = Image.linear_gradient("L").resize((side, side)).point(lambda v: 90 - v // 3)
    draw = ImageDraw.Draw(mask)
    for value, low, high in ((170, 0.3, 0.55), (255, 0.55, 0.8)):
        line = [(x * side / 4, side * rng.uniform(low, high)) for x in range(5)]
        draw.polygon([(0, side), *line, (side, side)], fill=value)
    return mask


@lru_cache(maxsize=1)
def _noise() -> Image.Image:
    """Colour noise to cut grain from; the same in every process."""
    size = (_NOISE_SIDE, _NOISE_SIDE)
    return Image.frombytes("RGB", size, random.Random(1).randbytes(3 * _NOISE_SIDE**2))


def _grain(rng: random.Random, width: int, height: int) -> Image.Image:
    """Noise in cells whose size goes with the canvas, so that a small copy looks the same."""
    cell = max(1.0, rng.uniform(0.5, 1.6) * math.sqrt(width * height) / UNITS)
    w, h = math.ceil(width / cell), math.ceil(height / cell)
    x, y = rng.randint(0, _NOISE_SIDE - w), rng.randint(0, _NOISE_SIDE - h)
    piece = _noise().crop((x, y, x + w, y + h))
    if rng.random() < 0.5:
        piece = piece.convert("L").convert("RGB")
    return piece if cell == 1 else piece.resize((width, height), Image.Resampling.NEAREST)


def sample_canvas(rng: random.Random) -> tuple[int, int]:
    """Width and height in pixels: 128 to 640, from 3:2 upright to 3:2 lying."""
    side = rng.choice((128, 160, 192, 224, 256, 320, 384, 448, 512, 640))
    other = side if rng.random() < 0.4 else max(128, round(side / rng.uniform(1.0, 1.5)))
    return (side, other) if rng.random() < 0.5 else (other, side)


def sample_quality(rng: random.Random) -> int | None:
    """The quality of a JPEG file, or None for a lossless one."""
    return rng.randint(60, 95) if rng.random() < 0.5 else None


def as_file(image: Image.Image, quality: int | None) -> Image.Image:
    """The picture as it comes back from a JPEG file of that quality; None changes nothing."""
    if quality is None:
        return image
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def scaled(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """The size with its longer side at most `max_side`."""
    share = min(1.0, (max_side or width) / max(width, height)) if max_side else 1.0
    return max(1, round(width * share)), max(1, round(height * share))
