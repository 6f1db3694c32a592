"""A picture for a conversation: the image, its spec, and the facts that questions are made of."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

from mlx_magic.demo.pictures import chart_drawing, charts, scenes, texts
from mlx_magic.demo.pictures.charts import Chart
from mlx_magic.demo.pictures.facts import Fact, plural
from mlx_magic.demo.pictures.scenes import Scene
from mlx_magic.demo.pictures.shapes import SHAPES
from mlx_magic.demo.pictures.texts import Text
from training.pictures.words import made_up_word, word_to_learn

TRAIN_SIDE = 192  # pixels of a training picture's longer side
KINDS = {"scene": 47, "chart": 18, "text": 35}
# The share of pictures of text that show a word nobody can know; the others show everyday words and
# numbers, as often. Training shows more: its three hundred everyday words are soon known by sight.
UNKNOWN_WORDS, UNKNOWN_WORDS_LEARNT = 0.5, 0.6


class Charts(Protocol):
    """Where charts come from when they are not drawn on the spot."""

    def sample(self, rng: random.Random) -> tuple[Image.Image, Chart]: ...


@dataclass(frozen=True)
class Shown:
    """One picture as a conversation sees it."""

    kind: str
    image: Image.Image
    spec: Scene | Chart | Text
    facts: dict[str, list[Fact]] = field(repr=False)


def sample_shown(
    rng: random.Random,
    held_out: bool = False,
    kind: str | None = None,
    chart_pool: Charts | None = None,
    fine: bool = False,
    things: int | None = None,
) -> Shown:
    """A picture of that kind or of any; `fine` draws it as large and smooth as `demo.picture`."""
    kind = kind or rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
    if kind == "chart" and chart_pool is not None and not held_out:
        image, chart = chart_pool.sample(rng)
        return Shown(kind, image, chart, facts_of(chart, rng))
    spec = sample_spec(rng, kind, held_out, things)
    return Shown(kind, drawn(spec, fine), spec, facts_of(spec, rng))


def sample_spec(
    rng: random.Random, kind: str, held_out: bool = False, things: int | None = None
) -> Scene | Chart | Text:
    """What a picture of that kind shows."""
    if kind == "scene":
        return scenes.sample_scene(rng, held_out, things)
    if kind == "chart":
        return charts.sample_chart(rng, held_out)
    if held_out:
        word = made_up_word(rng, held_out) if rng.random() < UNKNOWN_WORDS else None
    else:
        word = word_to_learn(rng) if rng.random() < UNKNOWN_WORDS_LEARNT else None
    return texts.sample_text(rng, held_out, word, texts.all_fonts())


def drawn(spec: Scene | Chart | Text, fine: bool) -> Image.Image:
    """The picture itself; `fine` as large and smooth as `demo.picture` draws it."""
    side, smooth = (None, 2) if fine else (TRAIN_SIDE, 1)
    if isinstance(spec, Scene):
        return scenes.draw(spec, smooth, side)
    if isinstance(spec, Text):
        return texts.draw(spec, smooth, side)
    return chart_drawing.draw(spec, side)


def facts_of(spec: Scene | Chart | Text, rng: random.Random) -> dict[str, list[Fact]]:
    """The facts of a picture by kind, and for a scene a shape that one may ask for in vain."""
    facts: dict[str, list[Fact]] = {}
    for fact in spec.facts(rng):
        facts.setdefault(fact.kind, []).append(fact)
    if isinstance(spec, Scene):
        there = {thing.shape for thing in spec.things}
        missing = [shape for shape in SHAPES if shape not in there]
        if missing:
            shape = rng.choice(missing)
            facts["absent"] = [Fact("absent", {"thing": shape, "things": plural(shape)}, shape)]
    return facts


def unseen(rng: random.Random) -> Shown:
    """A picture that is not drawn, for the words alone; what a text picture says is left empty."""
    kind = rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
    spec: Scene | Chart | Text
    if kind == "scene":
        spec = scenes.sample_scene(rng)
    elif kind == "chart":
        spec = charts.sample_chart(rng)
    else:
        spec = texts.sample_text(rng)
    facts = facts_of(spec, rng)
    if isinstance(spec, Text):
        noun = facts["word_or_number"][0].value
        facts["reads"] = [Fact("reads", {"noun": noun}, "")]
        facts["describe_text"] = [Fact("describe_text", {}, f"the {noun} ")]
    return Shown(kind, Image.new("RGB", (1, 1)), spec, facts)
