"""Held-out cases: questions never learnt about pictures never seen, with the right answers.

Pictures are drawn as `demo.picture` draws them. `control` asks the same about another picture of
which something else is true, to show how much could be won without looking.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from PIL import Image

from mlx_magic.demo.pictures.facts import Fact
from training.pictures import talks
from training.pictures.manners import PictureManner, manner_of
from training.pictures.shown import Shown, drawn, facts_of, sample_shown, sample_spec
from training.pictures.talks import PictureTurn
from training.pictures.truth import Spec, right_answers

LABELS = {
    "count_all": ("scene", "scenes: how many shapes"),
    "count_shape": ("scene", "scenes: how many stars"),
    "count_colour": ("scene", "scenes: how many red ones"),
    "colour_of": ("scene", "scenes: which colour"),
    "shape_of": ("scene", "scenes: which shape"),
    "spot": ("scene", "scenes: where is it"),
    "where": ("scene", "scenes: left, right, above or below"),
    "relation": ("scene", "scenes: is it left of, above ..."),
    "bigger": ("scene", "scenes: bigger or smaller"),
    "exists": ("scene", "scenes: is there a ..."),
    "absent": ("scene", "scenes: asked for what is not there"),
    "describe": ("scene", "scenes: describe the picture"),
    "chart_kind": ("chart", "charts: which kind"),
    "chart_count": ("chart", "charts: how many bars, lines, slices"),
    "largest": ("chart", "charts: colour of the largest"),
    "smallest": ("chart", "charts: colour of the smallest"),
    "trend": ("chart", "charts: rising or falling"),
    "describe_chart": ("chart", "charts: describe the picture"),
    "reads": ("text", "text: what does it say"),
    "word_or_number": ("text", "text: a word or a number"),
    "describe_text": ("text", "text: describe the picture"),
}
FOLLOW_UP = "a follow-up in a later turn"
TWO_PICTURES = "two pictures"
OUTSIDE = "outside its world"
GROUPS = {"scene": "scenes", "chart": "charts", "text": "text"}  # what the labels begin with
# After which kinds the answer follows, or nearly does, from what was said and not from the picture.
_NAMED = ("spot", "where", "relation", "bigger")  # their questions name things
GIVEN_BY: dict[str, frozenset[str]] = {
    "count_all": frozenset(("describe",)),
    "count_shape": frozenset(("describe", "absent", "colour_of", "exists", *_NAMED)),
    "count_colour": frozenset(("describe", "shape_of", "exists")),
    "colour_of": frozenset(("describe", "shape_of", "exists", *_NAMED)),
    "shape_of": frozenset(("describe", "colour_of", "exists", *_NAMED)),
    "spot": frozenset(("describe", "where", "relation")),
    "where": frozenset(("describe", "relation", "spot")),
    "relation": frozenset(("describe", "where", "spot")),
    "bigger": frozenset(("describe", "colour_of", "shape_of", "exists")),
    "exists": frozenset(
        ("describe", "absent", "count_shape", "count_colour", "colour_of", "shape_of", *_NAMED)
    ),
    "absent": frozenset(("describe", "count_shape", "exists")),
    "chart_kind": frozenset(("describe_chart", "chart_count", "largest", "smallest", "trend")),
    "chart_count": frozenset(("describe_chart", "trend")),
    "describe_chart": frozenset(("chart_count", "trend")),
    "reads": frozenset(("describe_text",)),
    "word_or_number": frozenset(("describe_text", "reads")),
    "describe_text": frozenset(("reads",)),
}
_TRIES = 5  # specs to choose the rarest answer from


@dataclass(frozen=True)
class PictureCase:
    """Turns that end with the question; `turns[-1].answer` is what should be answered.

    `spec` and `fact`, where there is one picture and one question, say what both are about.
    """

    kind: str
    images: tuple[Image.Image, ...]
    turns: tuple[PictureTurn, ...]
    spec: Spec | None = None
    fact: Fact | None = None

    @property
    def asked(self) -> str:
        """The question."""
        return self.turns[-1].user

    @property
    def expected(self) -> str:
        """The right answer, in the manner asked for."""
        return self.turns[-1].answer

    def is_right(self, answer: str) -> bool:
        """Whether an answer is right: the same words, or for a description the same things."""
        things = _things(self.expected)
        if len(things) > 0 and self.turns[-1].kind in ("describe", "show_one"):
            return _things(answer) == things and _frame(answer) == _frame(self.expected)
        return _plain(answer) == _plain(self.expected)


_THING = re.compile(r"\b(?:small|large) [a-z]+ [a-z]+")


def _things(text: str) -> Counter[str]:
    """The things that a description names, in any order."""
    return Counter(_THING.findall(text.lower()))


def _frame(text: str) -> list[str]:
    """The other words of a description, but for articles and what joins the things."""
    words = re.findall(r"[^\s,.]+", _THING.sub(" ", text.lower()))
    return [word for word in words if word not in ("a", "an", "and")]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def held_out_cases(
    manner: PictureManner | str, per_kind: int, seed: int = 1
) -> dict[str, list[PictureCase]]:
    """All kinds with their cases; the same for the same seed."""
    manner = manner_of(manner)
    cases = {
        label: _single(manner, fact_kind, per_kind, seed)
        for fact_kind, (_, label) in LABELS.items()
    }
    makers: dict[str, Callable[[random.Random, PictureManner], PictureCase]] = {
        FOLLOW_UP: _follow_up,
        TWO_PICTURES: _two_pictures,
        OUTSIDE: _outside,
    }
    for label, make in makers.items():
        rngs = [random.Random(f"{label} {seed} {i}") for i in range(per_kind)]
        cases[label] = [make(rng, manner) for rng in rngs]
    return cases


def _single(manner: PictureManner, kind: str, count: int, seed: int) -> list[PictureCase]:
    """One question about one picture, with the answers as even as the pictures allow."""
    rng = random.Random(f"{kind} {seed}")
    seen: Counter[str] = Counter()
    picture_kind, label = LABELS[kind]
    cases: list[PictureCase] = []
    while len(cases) < count:
        choices: list[tuple[Shown, Fact]] = []
        while len(choices) < _TRIES:
            spec = sample_spec(rng, picture_kind, held_out=True)
            facts = facts_of(spec, rng)
            shown = Shown(picture_kind, Image.new("RGB", (1, 1)), spec, facts)
            choices += [(shown, fact) for fact in facts.get(kind, ())[:2]]
        shown, fact = min(choices, key=lambda choice: seen[choice[1].value])
        seen[fact.value] += 1
        user, answer = talks.ask(rng, manner, fact, held_out=True)
        turn = PictureTurn(user, answer, kind, 1)
        image = drawn(shown.spec, fine=True)
        cases.append(PictureCase(label, (image,), (turn,), shown.spec, fact))
    return cases


def _follow_up(rng: random.Random, manner: PictureManner) -> PictureCase:
    """The last of two or three questions about one picture, after right answers that do not
    give away its own."""
    shown = sample_shown(rng, held_out=True, fine=True)
    while True:
        talk = talks.picture_talk(rng, manner, shown, True, turns=rng.randint(2, 3))
        if len(talk) > 1 and talk[-1].kind not in ("outside", "thanks") and not _is_given(talk):
            return PictureCase(FOLLOW_UP, (shown.image,), talk)


def _is_given(talk: talks.Talk) -> bool:
    """Whether the last answer follows from an earlier turn."""
    earlier = {turn.kind for turn in talk[:-1]}
    return bool(earlier & GIVEN_BY.get(talk[-1].kind, frozenset()))


def _two_pictures(rng: random.Random, manner: PictureManner) -> PictureCase:
    pair = talks.sample_pair(rng, held_out=True, fine=True)
    while True:
        talk = talks.pair_talk(rng, manner, pair, held_out=True)
        if talk[-1].kind != "outside":
            return PictureCase(TWO_PICTURES, (pair[0].image, pair[1].image), talk)


def _outside(rng: random.Random, manner: PictureManner) -> PictureCase:
    """A question that has no answer here, or one for which there is no picture."""
    if rng.random() < 0.3:
        turn = talks.blind_turn(rng, manner, held_out=True)
        return PictureCase(OUTSIDE, (), (turn,))
    image = sample_shown(rng, held_out=True, fine=True).image
    return PictureCase(OUTSIDE, (image,), (talks.outside_turn(rng, manner, True, 1),))


# The same questions about other pictures.


def control(cases: Mapping[str, list[PictureCase]], every: int = 1) -> dict[str, list[PictureCase]]:
    """By group (`scenes`, `charts`, `text`) every so many of each kind's cases with another
    picture; a case for which no picture makes a difference is left out."""
    made: dict[str, list[PictureCase]] = {}
    for picture_kind, group in GROUPS.items():
        kinds = [cases[label] for of, label in LABELS.values() if of == picture_kind]
        specs = [case.spec for some in kinds for case in some if case.spec is not None]
        made[group] = []
        for some in kinds:
            pairs = [(case, _stand_in(case, specs)) for case in some]
            fitting = [(case, spec) for case, spec in pairs if spec is not None]
            made[group] += [_shown(case, spec) for case, spec in fitting[::every]]
    return made


def _stand_in(case: PictureCase, specs: list[Spec]) -> Spec | None:
    """A picture of which the answer is not true, if any; rather one of which another answer is
    true than one that lacks what is asked about."""
    assert case.fact is not None
    lacking = None
    for spec in random.Random(case.asked).sample(specs, len(specs)):
        right = right_answers(spec, case.fact)
        if right and case.fact.value not in right:
            return spec
        lacking = lacking or (None if right else spec)
    return lacking


def _shown(case: PictureCase, spec: Spec) -> PictureCase:
    return replace(case, images=(drawn(spec, fine=True),), spec=spec)
