"""Pictures with their ground truth: scenes of shapes, charts, and words written large.

It knows no model: what a picture shows is drawn from a spec, and the spec tells what is true.
"""

import operator
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from PIL import Image

from ...errors import UsageProblem, did_you_mean
from . import chart_drawing, charts, scenes, texts
from .facts import Fact, question

_Canvas = TypeVar("_Canvas", scenes.Scene, texts.Text)
_SHOWN = 320  # pixels of the longer side, at least: less is small in a notebook


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and what can be asked about it, each question with its short right answer."""

    kind: str
    image: Image.Image = field(repr=False)
    questions: list[tuple[str, str]]

    def _repr_png_(self) -> bytes | None:
        """How a notebook shows it."""
        return self.image._repr_png_()


def picture(kind: str, seed: int) -> Picture:
    """The picture of that kind (`scene`, `chart` or `text`) and seed; always the same one.

    It is a picture that the demo models were not trained on. Raises `UsageProblem` for another
    kind, a seed that is no whole number, and a chart where matplotlib is missing.

    >>> picture("text", 3).questions[0][0]
    'What does it say?'
    """
    if not isinstance(kind, str) or kind not in _MAKERS:
        hint = did_you_mean(str(kind), KINDS)
        raise UsageProblem(f"there is no picture of kind {kind!r}; {hint}")
    rng = random.Random(f"{kind} {_whole(seed)}")
    image, facts = _MAKERS[kind](rng)
    asked: dict[str, str] = {}
    for kind_of in dict.fromkeys(fact.kind for fact in facts):
        fact = rng.choice([fact for fact in facts if fact.kind == kind_of])
        asked.setdefault(question(fact), fact.value)
    return Picture(kind, image, list(asked.items()))


def _whole(seed: int) -> int:
    try:
        return operator.index(seed)
    except TypeError:
        hint = "type a whole number, such as 7"
        raise UsageProblem(f"a picture's seed cannot be {seed!r}; {hint}") from None


def _scene(rng: random.Random) -> tuple[Image.Image, list[Fact]]:
    scene = scenes.sample_scene(rng, held_out=True)
    return scenes.draw(_large(scene)), scene.facts(rng)


def _chart(rng: random.Random) -> tuple[Image.Image, list[Fact]]:
    chart = charts.sample_chart(rng, held_out=True)
    return chart_drawing.draw(chart), chart.facts(rng)


def _text(rng: random.Random) -> tuple[Image.Image, list[Fact]]:
    text = texts.sample_text(rng, held_out=True)
    return texts.draw(_large(text)), text.facts(rng)


def _large(spec: _Canvas) -> _Canvas:
    """The same on a canvas large enough to look at; places and sizes are relative to it."""
    grow = max(1.0, _SHOWN / max(spec.width, spec.height))
    return replace(spec, width=round(spec.width * grow), height=round(spec.height * grow))


_MAKERS: dict[str, Callable[[random.Random], tuple[Image.Image, list[Fact]]]] = {
    "scene": _scene,
    "chart": _chart,
    "text": _text,
}
KINDS = tuple(_MAKERS)
