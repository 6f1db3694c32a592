"""A number or a short word written large: the spec, how it is drawn, what it says.

What it says is the word in small letters, however it is written.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from .backgrounds import (
    KINDS as BACKGROUNDS,
)
from .backgrounds import (
    PAIRS,
    RGB,
    Background,
    as_file,
    jittered,
    light,
    mixed,
    paint,
    sample_background,
    sample_canvas,
    sample_quality,
    scaled,
)
from .facts import Fact
from .words import HELD_OUT_WORDS, TRAIN_WORDS, number_held_out

BUILT_IN = ""  # Pillow's own font, which is everywhere
_EXTRA = ("STIXGeneral.ttf", "STIXGeneralBol.ttf", "cmr10.ttf", "cmss10.ttf", "cmtt10.ttf")
_INKS: tuple[RGB, ...] = (
    (15, 15, 18), (60, 60, 66), (170, 20, 28), (20, 50, 150), (14, 92, 42), (92, 24, 122),
    (120, 60, 10), (10, 96, 110), (255, 255, 255), (250, 236, 190), (255, 220, 60),
    (170, 226, 255), (190, 250, 180), (255, 190, 210), (255, 176, 90),
)  # fmt: skip
_CONTRAST = 95.0  # in lightness


@dataclass(frozen=True)
class Text:
    """What is written, and how; `fill` and `tall` bound its share of the canvas."""

    width: int
    height: int
    written: str
    font: str
    ink: RGB
    fill: float
    tall: float
    x: float
    y: float
    turn: float
    background: Background
    quality: int | None

    @property
    def value(self) -> str:
        """What it says, in small letters."""
        return self.written.lower()

    def facts(self, rng: random.Random) -> list[Fact]:  # noqa: ARG002 - as scenes and charts
        """True things about the picture."""
        kind = "number" if self.value.isdigit() else "word"
        return [
            Fact("reads", {"noun": kind}, self.value),
            Fact("word_or_number", {}, kind),
            Fact("describe_text", {}, f"the {kind} {self.value}"),
        ]


@lru_cache(maxsize=1)
def all_fonts() -> tuple[str, ...]:
    """Every font that can be used here: Pillow's own, and matplotlib's when it is installed."""
    try:
        from matplotlib import get_data_path
    except ImportError:
        return (BUILT_IN,)
    folder = Path(get_data_path()) / "fonts" / "ttf"
    files = [*folder.glob("DejaVu*.ttf"), *(folder / name for name in _EXTRA)]
    return (BUILT_IN, *sorted(str(f) for f in files if "Display" not in f.name and f.exists()))


def sample_text(
    rng: random.Random,
    held_out: bool = False,
    word: str | None = None,
    fonts: Sequence[str] = (BUILT_IN,),
) -> Text:
    """A picture of `word`, or of a number or an everyday word of that side of the split."""
    said = word if word is not None else sample_value(rng, held_out)
    written = said if said.isdigit() else _in_case(rng, said)
    first, second, ink = rng.choice(_inked())
    background = sample_background(rng, rng.choice(BACKGROUNDS), ((first, second),))
    width, height = sample_canvas(rng)
    long = len(written) > 4
    if long:  # a long word stays large enough on a canvas that is not upright
        width, height = max(width, height), min(width, height)
    return Text(
        width,
        height,
        written,
        rng.choice(fonts),
        jittered(rng, ink, 8),
        rng.uniform(0.86 if long else 0.74, 0.95),
        rng.uniform(0.34, 0.66),
        rng.random(),
        rng.random(),
        rng.uniform(-7, 7) * rng.random(),
        background,
        sample_quality(rng),
    )


def sample_value(rng: random.Random, held_out: bool) -> str:
    """A number (as many of one digit as of four) or a word."""
    if rng.random() < 0.5:
        return rng.choice(HELD_OUT_WORDS if held_out else TRAIN_WORDS)
    while True:
        digits = rng.randint(2 if held_out else 1, 4)
        number = rng.randint(10 ** (digits - 1) if digits > 1 else 0, 10**digits - 1)
        if number_held_out(number) == held_out:
            return str(number)


def _in_case(rng: random.Random, word: str) -> str:
    """Small letters, capitals or a capital first; never a first `I` that looks like an `l`."""
    case = rng.randrange(3)
    if case == 1:
        return word.upper()
    return word.capitalize() if case == 2 and word[0] != "i" else word


@lru_cache(maxsize=1)
def _inked() -> tuple[tuple[RGB, RGB, RGB], ...]:
    """Two background colours and an ink that is clearly lighter or darker than both."""
    return tuple(
        (first, second, ink)
        for first, second in PAIRS
        for ink in _INKS
        if all(
            abs(light(ink) - light(mixed(first, second, share))) > _CONTRAST
            for share in (0, 0.5, 1)
        )
        and (light(ink) > light(first)) == (light(ink) > light(second))
    )


@lru_cache(maxsize=1024)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    if name == BUILT_IN:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
        return font
    return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)


_PROBE = 64


def draw(text: Text, supersample: int = 2, max_side: int | None = None) -> Image.Image:
    """The picture, its longer side at most `max_side` pixels.

    FreeType smooths the letters itself; `supersample` above 1 smooths the turned ones more.
    """
    width, height = scaled(text.width, text.height, max_side)
    image = paint(text.background, width, height)
    fine = supersample if text.turn else 1
    left, top, right, bottom = _font(text.font, _PROBE).getbbox(text.written)
    room = min(
        text.fill * width / (right - left),
        text.tall * height / (bottom - top),
    )
    font = _font(text.font, max(6, round(_PROBE * room * fine)))
    box = font.getbbox(text.written)
    pad = 2 * fine
    mask = Image.new(
        "L", (math.ceil(box[2] - box[0]) + 2 * pad, math.ceil(box[3] - box[1]) + 2 * pad)
    )
    ImageDraw.Draw(mask).text((pad - box[0], pad - box[1]), text.written, fill=255, font=font)
    if text.turn:
        mask = mask.rotate(text.turn, Image.Resampling.BICUBIC, expand=True)
        mask = mask.reduce(fine) if fine > 1 else mask
    if mask.width > width or mask.height > height:
        share = min(width / mask.width, height / mask.height)
        mask = mask.resize((int(mask.width * share), int(mask.height * share)))
    at = (round(text.x * (width - mask.width)), round(text.y * (height - mask.height)))
    image.paste(text.ink, at, mask)
    return as_file(image, text.quality)
