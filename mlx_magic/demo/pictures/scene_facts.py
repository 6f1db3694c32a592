"""What is true of the things of a scene."""

import random
from collections import Counter
from itertools import combinations

from .facts import Fact, listed, plural, with_article
from .shapes import COLOURS, SHAPES, SIZES, Thing

Things = tuple[Thing, ...]


def scene_facts(things: Things, stretch: float, rng: random.Random) -> list[Fact]:
    """True things about a scene, one or a few of each kind that applies; `things` stand from left
    to right on a canvas `stretch` times as wide as it is high."""
    return [
        *_count_facts(things, rng),
        *_name_facts(things, rng),
        *_spot_facts(things, rng),
        *_pair_facts(things, stretch, rng),
        *_exists_facts(things, rng),
        Fact("describe", {}, listed([with_article(t.full_name) for t in things])),
    ]


def _count_facts(things: Things, rng: random.Random) -> list[Fact]:
    shapes, colours = (
        Counter(t.shape for t in things),
        Counter(t.colour for t in things),
    )
    shape, colour = _counted(rng, shapes, SHAPES), _counted(rng, colours, tuple(COLOURS))
    return [
        Fact("count_all", {}, str(len(things))),
        Fact("count_shape", {"thing": shape, "things": plural(shape)}, str(shapes[shape])),
        Fact("count_colour", {"colour": colour}, str(colours[colour])),
    ]


def _counted(rng: random.Random, counts: Counter[str], every: tuple[str, ...]) -> str:
    """A word to count: sometimes one that is not there, more often one that is there twice."""
    absent = [word for word in every if word not in counts]
    if absent and rng.random() < 0.13:
        return rng.choice(absent)
    weights = [count**3 for count in counts.values()]
    return rng.choices(list(counts), weights)[0]


def _name_facts(things: Things, rng: random.Random) -> list[Fact]:
    """Colours of what is known by its shape, shapes of what is known by its colour."""
    shapes = Counter(t.shape for t in things)
    colours = Counter(t.colour for t in things)
    sized_shapes = Counter((t.size, t.shape) for t in things)
    sized_colours = Counter((t.size, t.colour) for t in things)
    facts = []
    for thing in rng.sample(things, len(things)):
        if shapes[thing.shape] == 1:
            facts.append(Fact("colour_of", {"thing": thing.shape}, thing.colour))
        elif sized_shapes[thing.size, thing.shape] == 1:
            facts.append(Fact("colour_of", {"thing": f"{thing.size} {thing.shape}"}, thing.colour))
        if colours[thing.colour] == 1:
            facts.append(Fact("shape_of", {"colour": thing.colour}, thing.shape))
        elif sized_colours[thing.size, thing.colour] == 1:
            name = f"{thing.size} {thing.colour}"
            facts.append(Fact("shape_of", {"colour": name}, thing.shape))
    return facts


def _names(things: Things, rng: random.Random) -> list[tuple[str, Thing]]:
    """Things that one can point at without naming their size, each with such a name."""
    shapes = Counter(t.shape for t in things)
    kinds = Counter(t.kind for t in things)
    named = []
    for thing in things:
        if shapes[thing.shape] == 1 and rng.random() < 0.4:
            named.append((thing.shape, thing))
        elif kinds[thing.kind] == 1:
            named.append((thing.kind, thing))
    return named


# A third of the canvas each, with a gap between them so that no thing stands in two.
_SPANS = {"low": (0.0, 0.36), "mid": (0.43, 0.57), "high": (0.64, 1.0)}
_SPOTS = {
    ("low", "low"): "at the top left", ("mid", "low"): "at the top",
    ("high", "low"): "at the top right", ("low", "mid"): "on the left",
    ("mid", "mid"): "in the middle", ("high", "mid"): "on the right",
    ("low", "high"): "at the bottom left", ("mid", "high"): "at the bottom",
    ("high", "high"): "at the bottom right",
}  # fmt: skip


def spot(thing: Thing) -> str | None:
    """In which ninth of the picture a thing stands; None where it is between two."""
    return _SPOTS.get((_span(thing.x), _span(thing.y)))


def _span(place: float) -> str:
    return next((name for name, (low, high) in _SPANS.items() if low <= place <= high), "")


def _spot_facts(things: Things, rng: random.Random) -> list[Fact]:
    """Where in the picture things stand that can be pointed at."""
    named = [(name, spot(thing)) for name, thing in _names(things, rng)]
    return [Fact("spot", {"thing": name}, at) for name, at in named if at]


_CHOICES = {"x": "left or right of", "y": "above or below"}
_SIDES = {"x": ("left", "right"), "y": ("above", "below")}
_RELATIONS = {
    "left": "to the left of",
    "right": "to the right of",
    "above": "above",
    "below": "below",
}
_APART = 0.16
_DOMINANT = 1.35


def _pair_facts(things: Things, stretch: float, rng: random.Random) -> list[Fact]:
    """Where one thing stands seen from another, and which of two is bigger."""
    named = _names(things, rng)
    pairs = [
        (one, other) if rng.random() < 0.5 else (other, one)
        for one, other in combinations(named, 2)
    ]
    facts: list[Fact] = []
    rng.shuffle(pairs)
    for (a, one), (b, other) in pairs[:5]:
        facts += _where_facts(stretch, rng, (a, one), (b, other))
        if one.size != other.size:
            more = rng.choice(("bigger", "smaller"))
            value = a if (one.size == "large") == (more == "bigger") else b
            facts.append(Fact("bigger", {"a": a, "b": b, "more": more}, value))
    return facts


def _where_facts(
    stretch: float, rng: random.Random, first: tuple[str, Thing], second: tuple[str, Thing]
) -> list[Fact]:
    (a, one), (b, other) = first, second
    gaps = {"x": one.x - other.x, "y": one.y - other.y}
    facts = []
    for axis, cross, ratio in (("x", "y", stretch), ("y", "x", 1 / stretch)):
        gap, aside = abs(gaps[axis]), abs(gaps[cross])
        if gap < _APART:
            continue
        side = _SIDES[axis][gaps[axis] > 0]
        clear = gap > _DOMINANT * aside * max(1.0, 1 / ratio)
        slots = {"a": a, "b": b, "choice": _CHOICES[axis], "relation": _RELATIONS[side]}
        facts.append(Fact("where", {**slots, "clear": "yes" if clear else ""}, side))
        said = rng.choice(_SIDES[axis])
        value = "yes" if said == side else "no"
        facts.append(Fact("relation", {"a": a, "b": b, "relation": _RELATIONS[said]}, value))
    return facts


def _exists_facts(things: Things, rng: random.Random) -> list[Fact]:
    """One thing that is there and one that is not, the latter often a near miss."""
    form = rng.choice(("kind", "kind", "kind", "shape", "colour", "full"))
    there = {_as(form, t.size, t.colour, t.shape) for t in things}
    thing = rng.choice(things)
    facts = [_exists(_as(form, thing.size, thing.colour, thing.shape), "yes")]
    for _ in range(12):
        near, far = rng.choice(things), rng.choice(things)
        size = rng.choice(SIZES)
        colour = near.colour if rng.random() < 0.45 else rng.choice(tuple(COLOURS))
        shape = far.shape if rng.random() < 0.45 else rng.choice(SHAPES)
        name = _as(form, size, colour, shape)
        if name not in there:
            facts.append(_exists(name, "no"))
            break
    return facts


def _as(form: str, size: str, colour: str, shape: str) -> str:
    names = {"kind": f"{colour} {shape}", "shape": shape, "colour": f"{colour} shape"}
    return names.get(form, f"{size} {colour} {shape}")


def _exists(name: str, value: str) -> Fact:
    slots = {"thing": name, "things": plural(name), "a_thing": with_article(name)}
    return Fact("exists", slots, value)
