"""Scenes of coloured shapes: what stands where, as a value, and the picture of it.

Positions are fractions of the canvas; sizes are in ninety-sixths of its geometric mean side, since
the vision models see about 96 x 96 pixels.
"""

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from PIL import Image

from .backgrounds import (
    KINDS as BACKGROUNDS,
)
from .backgrounds import (
    PAIRS,
    RGB,
    UNITS,
    Background,
    as_file,
    distance,
    jittered,
    mixed,
    paint,
    sample_background,
    sample_canvas,
    sample_quality,
    scaled,
)
from .facts import Fact
from .scene_facts import scene_facts
from .shapes import COLOURS, SHAPES, SIZES, Spot, Thing, draw_thing
from .split import is_held_out, one_of

MOST_THINGS = 6
_SMALL, _LARGE = (14.0, 17.0), (24.0, 31.0)
_SMALL_CROWDED, _LARGE_CROWDED = (14.0, 16.0), (22.5, 25.5)
_GAP = 2.2  # between two things, and to the edge of the canvas half of it
# How far a shape reaches from its middle, in its extents; corners that never meet are not counted.
_REACH = {
    "circle": 0.5, "square": 0.6, "triangle": 0.63, "star": 0.58, "heart": 0.54, "cross": 0.53
}  # fmt: skip
_STEP = 3.2  # two things never stand in the same column, so left to right is an order
_CONTRAST = 190.0
_PAIR_SHARE = 0.03
_TURN = {"circle": 0, "square": 9, "triangle": 12, "star": 14, "heart": 12, "cross": 9}
_COUNT_WEIGHTS = (14, 17, 17, 18, 17, 17)


@dataclass(frozen=True)
class Scene:
    """A canvas in pixels, what stands on it from left to right, and what is behind."""

    width: int
    height: int
    things: tuple[Thing, ...]
    background: Background
    quality: int | None

    def facts(self, rng: random.Random) -> list[Fact]:
        """True things about the scene, one or a few of each kind that applies."""
        return scene_facts(self.things, self.width / self.height, rng)


# Held out: pairs of kinds that never stand together, and for each thing one background.


@lru_cache(maxsize=1)
def _held_out_pairs() -> frozenset[frozenset[str]]:
    kinds = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    return frozenset(
        frozenset(pair)
        for pair in combinations(kinds, 2)
        if is_held_out("pair " + " + ".join(pair), _PAIR_SHARE)
    )


@lru_cache(maxsize=1)
def _pair_list() -> tuple[tuple[str, str], ...]:
    pairs = sorted(sorted(pair) for pair in _held_out_pairs())
    return tuple((one, other) for one, other in pairs)


@lru_cache(maxsize=1)
def _held_out_background() -> dict[str, str]:
    """For each `size colour shape` the background on which no training scene shows it."""
    names = [f"{z} {c} {s}" for z in SIZES for c in COLOURS for s in SHAPES]
    return {name: one_of(f"background {name}", list(BACKGROUNDS)) for name in names}


def held_out_parts(scene: Scene) -> list[str]:
    """The combinations in a scene that training never shows; empty for a training scene."""
    on = _held_out_background()
    kind = scene.background.kind
    parts = [f"{t.full_name} on {kind}" for t in scene.things if on[t.full_name] == kind]
    pairs = {frozenset((a.kind, b.kind)) for a, b in combinations(scene.things, 2)}
    return parts + [" + ".join(sorted(pair)) for pair in pairs & _held_out_pairs()]


Words = tuple[str, str, str]  # size, colour, shape


def sample_scene(rng: random.Random, held_out: bool = False, things: int | None = None) -> Scene:
    """A scene of `things` shapes, or of one to six; a held-out one has a combination that no
    training scene has, and a training scene has none."""
    count = things or rng.choices(range(1, MOST_THINGS + 1), _COUNT_WEIGHTS)[0]
    background = rng.choice(BACKGROUNDS)
    words = _sample_words(rng, count, background, held_out)
    width, height = sample_canvas(rng)
    placed = _place(rng, words, width, height)
    colours = frozenset(thing.colour for thing in placed)
    behind = sample_background(rng, background, _fitting_pairs(colours))
    return Scene(width, height, placed, behind, sample_quality(rng))


def _sample_words(rng: random.Random, count: int, background: str, held_out: bool) -> list[Words]:
    """What the things are; few shapes or few colours in most scenes, so that they repeat."""
    draw, few = rng.random(), rng.choice((1, 1, 2))
    words = _held_out_start(rng, count, background) if held_out else []
    shapes, colours = SHAPES, tuple(COLOURS)
    if draw < 0.36:
        shapes = _some(rng, few, [shape for _, _, shape in words], shapes)
    elif draw > 0.64:
        colours = _some(rng, few, [colour for _, colour, _ in words], colours)
    while len(words) < count:
        for attempt in range(60):
            wide = attempt > 8
            new = (
                rng.choice(SIZES),
                rng.choice(tuple(COLOURS) if wide else colours),
                rng.choice(SHAPES if wide else shapes),
            )
            if held_out or _allowed(new, words, background):
                break
        words.append(new)
    rng.shuffle(words)
    return words


def _some(
    rng: random.Random, count: int, there: list[str], names: tuple[str, ...]
) -> tuple[str, ...]:
    """So many of the names, first those that are there already."""
    return tuple(dict.fromkeys([*there, *rng.sample(names, count)]))[:count]


def _allowed(new: Words, words: list[Words], background: str) -> bool:
    if _held_out_background()[" ".join(new)] == background:
        return False
    kind = f"{new[1]} {new[2]}"
    pairs = _held_out_pairs()
    return not any(frozenset((kind, f"{c} {s}")) in pairs for _, c, s in words)


def _held_out_start(rng: random.Random, count: int, background: str) -> list[Words]:
    """One or two things that make a scene a held-out one."""
    if count > 1 and rng.random() < 0.5:
        pair = rng.choice(_pair_list())
        return [(rng.choice(SIZES), *_two(kind)) for kind in pair]
    names = [name for name, kind in _held_out_background().items() if kind == background]
    size, kind = rng.choice(names).split(" ", 1)
    return [(size, *_two(kind))]


def _two(kind: str) -> tuple[str, str]:
    colour, shape = kind.split()
    return colour, shape


@lru_cache(maxsize=256)
def _fitting_pairs(colours: frozenset[str]) -> tuple[tuple[RGB, RGB], ...]:
    """The colour pairs on which every one of the colours stands out."""
    return tuple(pair for pair in PAIRS if all(pair in _clear_pairs(c) for c in colours))


@lru_cache(maxsize=len(COLOURS))
def _clear_pairs(colour: str) -> frozenset[tuple[RGB, RGB]]:
    """The colour pairs on which one colour stands out, however they mix."""

    def clear(pair: tuple[RGB, RGB]) -> bool:
        paints = (mixed(*pair, share) for share in (0, 0.25, 0.5, 0.75, 1))
        return all(distance(COLOURS[colour], paint) > _CONTRAST for paint in paints)

    return frozenset(filter(clear, PAIRS))


def _place(rng: random.Random, words: list[Words], width: int, height: int) -> tuple[Thing, ...]:
    """The things on the canvas: apart from one another, no two in one column; left to right."""
    mean = math.sqrt(width * height)
    across, down = UNITS * width / mean, UNITS * height / mean
    crowded = len(words) > 4
    bands = {
        "small": _SMALL_CROWDED if crowded else _SMALL,
        "large": _LARGE_CROWDED if crowded else _LARGE,
    }
    extents = [rng.uniform(*bands[size]) for size, _, _ in words]
    reaches = [extent * _REACH[shape] for extent, (_, _, shape) in zip(extents, words, strict=True)]
    spots = _scattered(rng, reaches, across, down) or _in_rows(rng, reaches, across, down)
    things = [
        Thing(
            shape,
            colour,
            size,
            jittered(rng, COLOURS[colour], 11),
            x / across,
            y / down,
            extent,
            rng.uniform(-1, 1) * _TURN[shape],
        )
        for (size, colour, shape), extent, (x, y) in zip(words, extents, spots, strict=True)
    ]
    return tuple(sorted(things, key=lambda thing: thing.x))


def _scattered(
    rng: random.Random, reaches: list[float], across: float, down: float
) -> list[Spot] | None:
    """Anywhere, the largest first; None when they do not fit after a few tries."""
    order = sorted(range(len(reaches)), key=lambda i: -reaches[i])
    for _ in range(3):
        spots: dict[int, Spot] = {}
        for i in order:
            edge = reaches[i] + _GAP / 2
            for _ in range(20):
                x, y = rng.uniform(edge, across - edge), rng.uniform(edge, down - edge)
                if all(
                    abs(x - a) > _STEP and math.hypot(x - a, y - b) > reaches[i] + reaches[j] + _GAP
                    for j, (a, b) in spots.items()
                ):
                    spots[i] = (x, y)
                    break
            else:
                break
        if len(spots) == len(reaches):
            return [spots[i] for i in range(len(reaches))]
    return None


def _in_rows(rng: random.Random, reaches: list[float], across: float, down: float) -> list[Spot]:
    """In the cells of a grid of four or six; its rows are shifted against one another."""
    columns, rows = (2, 2) if len(reaches) < 5 else (3, 2) if across >= down else (2, 3)
    wide, tall = across / columns, down / rows
    cells = rng.sample([(c, r) for c in range(columns) for r in range(rows)], len(reaches))
    turn = rng.choice((-1, 1))
    spots = []
    for (column, row), reach in zip(cells, reaches, strict=True):
        shift = turn * (row - (rows - 1) / 2) * (_STEP + 0.4)
        free = max(0.0, tall / 2 - reach - _GAP / 2)
        y = (row + 0.5) * tall + rng.uniform(-free, free)
        spots.append(((column + 0.5) * wide + shift, y))
    return spots


def draw(scene: Scene, supersample: int = 2, max_side: int | None = None) -> Image.Image:
    """The scene as an RGB picture, its longer side at most `max_side` pixels.

    `supersample` smooths the edges; a small `max_side` is quick and, seen small, looks the same.
    """
    width, height = scaled(scene.width, scene.height, max_side)
    image = paint(scene.background, width, height)
    unit = math.sqrt(width * height) / UNITS
    for thing in scene.things:
        draw_thing(image, thing, unit, supersample)
    return as_file(image, scene.quality)
