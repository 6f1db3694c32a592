"""Held-out cases: questions never learnt about pictures never seen, with the right answers.

Pictures are drawn as `demo.picture` draws them. `control` asks the same about another picture, to
show how much could be won without looking.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from mlx_magic.demo.pictures.facts import Fact
from training.pictures import talks
from training.pictures.manners import PictureManner, manner_of
from training.pictures.shown import Shown, drawn, facts_of, sample_shown, sample_spec
from training.pictures.talks import PictureTurn

LABELS = {
    "count_all": ("scene", "scenes: how many shapes"),
    "count_shape": ("scene", "scenes: how many stars"),
    "count_colour": ("scene", "scenes: how many red ones"),
    "colour_of": ("scene", "scenes: which colour"),
    "shape_of": ("scene", "scenes: which shape"),
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
_TRIES = 5  # specs to choose the rarest answer from


@dataclass(frozen=True)
class PictureCase:
    """Turns that end with the question; `turns[-1].answer` is what should be answered."""

    kind: str
    images: tuple[Image.Image, ...]
    turns: tuple[PictureTurn, ...]

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
            return _things(answer) == things
        return _plain(answer) == _plain(self.expected)


def _things(text: str) -> Counter[str]:
    """The things that a description names, in any order."""
    return Counter(re.findall(r"(?:small|large) [a-z]+ [a-z]+", text.lower()))


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
        cases.append(PictureCase(label, (drawn(shown.spec, fine=True),), (turn,)))
    return cases


def _follow_up(rng: random.Random, manner: PictureManner) -> PictureCase:
    """The last of two or three questions about one picture, after right answers."""
    shown = sample_shown(rng, held_out=True, fine=True)
    while True:
        talk = talks.picture_talk(rng, manner, shown, True, turns=rng.randint(2, 3))
        if len(talk) > 1 and talk[-1].kind not in ("outside", "thanks"):
            return PictureCase(FOLLOW_UP, (shown.image,), talk)


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


def wrong_picture(case: PictureCase, other: PictureCase) -> PictureCase:
    """The same question, with the pictures of another case."""
    return replace(case, images=other.images)


def control(cases: Sequence[PictureCase]) -> list[PictureCase]:
    """Each case with the pictures of another one whose own right answer is a different one, and
    whose question is of the same kind, where there is such a one."""
    made = []
    for i, case in enumerate(cases):
        others = [*cases[i + 1 :], *cases[:i]]
        fitting = [other for other in others if _could_stand_in(case, other)]
        differing = [other for other in fitting if _plain(other.expected) != _plain(case.expected)]
        made.append(wrong_picture(case, (differing or fitting or [case])[0]))
    return made


def _could_stand_in(case: PictureCase, other: PictureCase) -> bool:
    if len(case.images) != len(other.images):
        return False
    one, two = case.turns[-1], other.turns[-1]
    return one.kind == two.kind
