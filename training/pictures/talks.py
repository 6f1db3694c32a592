"""Conversations about pictures, as the trainer takes them: images, and talks about them.

A talk is about no picture, one or two; the second may come in a later turn.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlx_magic.demo.pictures.facts import Fact, plural, with_article
from mlx_magic.demo.pictures.scenes import Scene
from mlx_magic.demo.pictures.shapes import COLOURS, SHAPES
from training.pictures import unknown
from training.pictures.manners import PictureManner, manner_of, say
from training.pictures.phrasings import FOLLOW_UPS, IN_ONE, NEXT_PICTURE, PHRASINGS, typed, wrapped
from training.pictures.shown import Charts, Shown, sample_shown, unseen

TALK_TOKENS = 128
IMAGE_TOKENS = 38
NTH = ("first", "second")
_TURN_TOKENS = 10  # what a chat template adds to a turn, about
_TEXT_ONLY, _TWO_PICTURES = 0.05, 0.10
_UNKNOWN_SHARE = 0.045
_CROWDED_SHARE = 0.2  # of the scenes to learn from: four to six things

# How often each kind is asked, among those that a picture has: in general ...
WEIGHTS = {
    "count_all": 6, "count_shape": 16, "count_colour": 14, "colour_of": 8, "shape_of": 10,
    "spot": 18, "where": 32, "relation": 22, "bigger": 12, "exists": 9, "describe": 15,
    "absent": 4,
    "chart_kind": 10, "chart_count": 32, "largest": 28, "smallest": 32, "trend": 40,
    "describe_chart": 12, "reads": 80, "word_or_number": 9, "describe_text": 18,
}  # fmt: skip
# ... and to learn from, about one picture: what is hard comes more often.
LEARNT_WEIGHTS = WEIGHTS | {
    "count_shape": 36, "count_colour": 24, "spot": 34, "where": 42, "relation": 42, "absent": 8,
    "smallest": 64, "describe_text": 30,
}  # fmt: skip
LEARNT_KINDS = {"scene": 34, "chart": 21, "text": 45}


@dataclass(frozen=True)
class PictureTurn:
    """A question with its answer; `images` pictures are shown in it, before its text."""

    user: str
    answer: str
    kind: str
    images: int


Talk = tuple[PictureTurn, ...]


def sample_pictures(
    rng: random.Random, held_out: bool = False, chart_pool: Charts | None = None
) -> tuple[Shown, ...]:
    """Mostly one picture, sometimes two or none."""
    draw = rng.random()
    if draw < _TEXT_ONLY:
        return ()
    if draw < _TEXT_ONLY + _TWO_PICTURES:
        return sample_pair(rng, held_out, chart_pool)
    if held_out:
        return (sample_shown(rng, held_out, chart_pool=chart_pool),)
    kind = rng.choices(tuple(LEARNT_KINDS), tuple(LEARNT_KINDS.values()))[0]
    things = rng.randint(4, 6) if rng.random() < _CROWDED_SHARE else None
    return (sample_shown(rng, held_out, kind, chart_pool, things=things),)


def make_talk(
    rng: random.Random,
    manner: PictureManner | str,
    shown: tuple[Shown, ...],
    held_out: bool = False,
) -> Talk:
    """A conversation about no picture, one or two."""
    manner = manner_of(manner)
    if not shown:
        return text_talk(rng, manner, held_out)
    if len(shown) == 1:
        return picture_talk(rng, manner, shown[0], held_out)
    return pair_talk(rng, manner, (shown[0], shown[1]), held_out)


# One turn.


def ask(
    rng: random.Random, manner: PictureManner, fact: Fact, held_out: bool, after: str = ""
) -> tuple[str, str]:
    """A question about a fact, as somebody types it, and the answer.

    `after` is the kind of the question before, when this one may lean on it.
    """
    kind = fact.kind
    if kind == "absent":
        kind = "colour_of"
    elif kind == "where" and fact.slots["clear"] and rng.random() < 0.5:
        kind = "where_open"
    table = PHRASINGS[kind]
    same = after == kind or {after, kind} == {"largest", "smallest"}
    if same and kind in FOLLOW_UPS and rng.random() < 0.6:
        table = FOLLOW_UPS[kind]
    text = table.pick(rng, held_out).format_map(fact.slots)
    answer = say(manner, fact.kind, dict(fact.slots), fact.value)
    return typed(rng, text), answer


def _turn(
    rng: random.Random,
    manner: PictureManner,
    fact: Fact,
    held_out: bool,
    images: int,
    after: str = "",
) -> PictureTurn:
    user, answer = ask(rng, manner, fact, held_out, after)
    return PictureTurn(user, answer, fact.kind, images)


def outside_turn(
    rng: random.Random, manner: PictureManner, held_out: bool, images: int
) -> PictureTurn:
    """A question about a picture that these models cannot answer, and the honest answer."""
    table = unknown.OUTSIDE if rng.random() < 0.8 else unknown.ELSEWHERE
    user = typed(rng, table.pick(rng, held_out))
    return PictureTurn(user, manner.outside, "outside", images)


def _pick(
    rng: random.Random,
    facts: dict[str, list[Fact]],
    but: set[str],
    weights: dict[str, int] = WEIGHTS,
) -> Fact:
    """A fact: first its kind, by weight, then one of the kind."""
    kinds = [kind for kind in facts if kind not in but] or list(facts)
    kind = rng.choices(kinds, [weights[kind] for kind in kinds])[0]
    return rng.choice(facts[kind])


# Whole talks.


def rough_tokens(talk: Talk) -> int:
    """About how many tokens a talk takes, its pictures included."""
    images = IMAGE_TOKENS * sum(turn.images for turn in talk)
    return images + sum(_turn_tokens(turn) for turn in talk)


def _turn_tokens(turn: PictureTurn) -> int:
    pieces = len(re.findall(r"[a-zA-Z]+|[^\sa-zA-Z]", f"{turn.user} {turn.answer}"))
    spelled = 7 if turn.kind in ("reads", "describe_text") else 0
    return pieces + spelled + _TURN_TOKENS


def _turn_count(rng: random.Random) -> int:
    return rng.choices((1, 2, 3, 4), (35, 30, 25, 10))[0]


def picture_talk(
    rng: random.Random, manner: PictureManner, shown: Shown, held_out: bool, turns: int = 0
) -> Talk:
    """One to four questions about one picture, which comes with the first."""
    made: list[PictureTurn] = []
    asked: set[tuple[str, str]] = set()
    room = TALK_TOKENS - IMAGE_TOKENS
    for _ in range(turns or _turn_count(rng)):
        images = 0 if made else 1
        if rng.random() < _UNKNOWN_SHARE:
            turn = outside_turn(rng, manner, held_out, images)
        elif made and rng.random() < 0.03:
            turn = PictureTurn(
                rng.choice(unknown.THANKS.side(held_out)), manner.thanks, "thanks", 0
            )
        else:
            weights = WEIGHTS if held_out else LEARNT_WEIGHTS
            fact = _next_fact(rng, shown, made, asked, weights)
            asked.add((fact.kind, str(fact.slots)))
            turn = _turn(rng, manner, fact, held_out, images, made[-1].kind if made else "")
        room -= _turn_tokens(turn)
        if room < 0 and made:
            break
        made.append(turn)
    return tuple(made)


def _next_fact(
    rng: random.Random,
    shown: Shown,
    made: list[PictureTurn],
    asked: set[tuple[str, str]],
    weights: dict[str, int],
) -> Fact:
    """A fact not asked yet; sometimes of the kind of the last one, so that one can lean on it."""
    last = made[-1].kind if made else ""
    facts = shown.facts
    if last in FOLLOW_UPS and rng.random() < 0.35:
        kind = {"largest": "smallest", "smallest": "largest"}.get(last, last)
        again = [f for f in facts.get(kind, ()) if (f.kind, str(f.slots)) not in asked]
        if not again and isinstance(shown.spec, Scene) and kind in ("count_shape", "count_colour"):
            more = [_count_of(rng, shown.spec, kind) for _ in range(3)]
            again = [f for f in more if (f.kind, str(f.slots)) not in asked][:1]
        if again:
            return rng.choice(again)
    return _pick(rng, facts, {turn.kind for turn in made}, weights)


def _count_of(rng: random.Random, scene: Scene, kind: str) -> Fact:
    """A count of some shape or colour."""
    if kind == "count_shape":
        there = [thing.shape for thing in scene.things]
        word = rng.choice(there if rng.random() < 0.75 else SHAPES)
        return Fact(kind, {"thing": word, "things": plural(word)}, str(there.count(word)))
    there = [thing.colour for thing in scene.things]
    word = rng.choice(there if rng.random() < 0.75 else tuple(COLOURS))
    return Fact(kind, {"colour": word}, str(there.count(word)))


def text_talk(rng: random.Random, manner: PictureManner, held_out: bool) -> Talk:
    """A greeting or a question while no picture has been shown."""
    draw = rng.random()
    if draw < 0.25:
        user, answer, kind = unknown.HELLO, manner.hello, "hello"
    elif draw < 0.45:
        user, answer, kind = unknown.WHO, manner.who, "who"
    elif draw < 0.5:
        user, answer, kind = unknown.THANKS, manner.thanks, "thanks"
    elif draw < 0.7:
        user, answer, kind = unknown.ELSEWHERE, manner.outside, "outside"
    else:
        return (blind_turn(rng, manner, held_out),)
    said = typed(rng, rng.choice(user.side(held_out)), polite=False)
    return (PictureTurn(said, answer, kind, 0),)


def blind_turn(rng: random.Random, manner: PictureManner, held_out: bool) -> PictureTurn:
    """A question about a picture that nobody has shown."""
    shape, colour = rng.choice(SHAPES), rng.choice(tuple(COLOURS))
    thing, part = f"{colour} {shape}", rng.choice(("bar", "line", "slice"))
    fact = rng.choice(
        (
            Fact("describe", {}, ""),
            Fact("count_all", {}, ""),
            Fact("count_shape", {"thing": shape, "things": plural(shape)}, ""),
            Fact("colour_of", {"thing": shape}, ""),
            Fact(
                "exists",
                {"thing": thing, "things": plural(thing), "a_thing": with_article(thing)},
                "",
            ),
            Fact("chart_kind", {}, ""),
            Fact("chart_count", {"thing": part, "things": f"{part}s"}, ""),
            Fact("reads", {"noun": "word"}, ""),
        )
    )
    text = PHRASINGS[fact.kind].pick(rng, held_out).format_map(fact.slots)
    return PictureTurn(typed(rng, text), manner.no_picture, "no_picture", 0)


# Two pictures.

Pair = tuple[Shown, Shown]


def sample_pair(
    rng: random.Random, held_out: bool, chart_pool: Charts | None = None, fine: bool = False
) -> Pair:
    """Two pictures, mostly two scenes of few things."""

    def one(kind: str | None) -> Shown:
        few = rng.choice((1, 1, 2, 2, 3, 3, 4))
        return sample_shown(rng, held_out, kind, chart_pool, fine, things=few)

    if rng.random() < 0.6:
        return one("scene"), one("scene")
    return one(None), one(None)


def pair_facts(rng: random.Random, pair: Pair) -> list[Fact]:
    """What can be asked about two pictures: which has more, which has a thing, what one shows."""
    facts: list[Fact] = []
    first, second = (shown.spec for shown in pair)
    if isinstance(first, Scene) and isinstance(second, Scene):
        facts += _more_facts(rng, first, second) + _has_facts(rng, first, second)
    else:
        facts += _other_has_facts(rng, pair)
    for nth, shown in zip(NTH, pair, strict=True):
        for kind in ("describe", "describe_chart", "describe_text"):
            for fact in shown.facts.get(kind, ()):
                if (
                    kind != "describe"
                    or not isinstance(shown.spec, Scene)
                    or len(shown.spec.things) < 4
                ):
                    facts.append(Fact(kind, {"nth": nth}, fact.value))
    return facts


def _more_facts(rng: random.Random, first: Scene, second: Scene) -> list[Fact]:
    facts = []
    if len(first.things) != len(second.things):
        value = NTH[len(first.things) < len(second.things)]
        facts.append(Fact("which_more", {"things": "shapes"}, value))
    shapes = [[thing.shape for thing in scene.things] for scene in (first, second)]
    unequal = [s for s in SHAPES if shapes[0].count(s) != shapes[1].count(s)]
    if unequal:
        shape = rng.choice(unequal)
        value = NTH[shapes[0].count(shape) < shapes[1].count(shape)]
        facts.append(Fact("which_more", {"things": plural(shape)}, value))
    return facts


def _has_facts(rng: random.Random, first: Scene, second: Scene) -> list[Fact]:
    facts = []
    for of in (lambda t: t.kind, lambda t: t.shape, lambda t: f"{t.colour} shape"):
        names = [{of(thing) for thing in scene.things} for scene in (first, second)]
        places = [i for i in (0, 1) if names[i] - names[1 - i]]
        if places:
            place = rng.choice(places)
            name = rng.choice(sorted(names[place] - names[1 - place]))
            facts.append(Fact("which_has", {"a_thing": with_article(name)}, NTH[place]))
    return facts


def _other_has_facts(rng: random.Random, pair: Pair) -> list[Fact]:
    """Which picture has the chart, the shape, and beside no chart the word or the number, since
    charts have words and numbers too."""
    beside_chart = any(shown.kind == "chart" for shown in pair)
    names: list[set[str]] = []
    for shown in pair:
        if shown.kind == "chart":
            names.append({shown.facts["chart_kind"][0].value})
        elif shown.kind == "text":
            names.append(set() if beside_chart else {shown.facts["word_or_number"][0].value})
        else:
            assert isinstance(shown.spec, Scene)
            names.append({thing.kind for thing in shown.spec.things})
    places = [i for i in (0, 1) if names[i] - names[1 - i]]
    if not places:
        return []
    place = rng.choice(places)
    name = rng.choice(sorted(names[place] - names[1 - place]))
    return [Fact("which_has", {"a_thing": with_article(name)}, NTH[place])]


def pair_turn(
    rng: random.Random, manner: PictureManner, fact: Fact, held_out: bool, images: int
) -> PictureTurn:
    """A question about two pictures together."""
    kind = "show_one" if "nth" in fact.slots else fact.kind
    text = PHRASINGS[kind].pick(rng, held_out).format_map(fact.slots)
    answer = say(manner, fact.kind, dict(fact.slots), fact.value)
    return PictureTurn(typed(rng, text), answer, kind, images)


def _in_one_turn(
    rng: random.Random, manner: PictureManner, pair: Pair, held_out: bool
) -> PictureTurn:
    """A question about one of two pictures."""
    place = rng.randrange(2)
    fact = _pick(rng, pair[place].facts, {"describe", "absent", "describe_chart", "describe_text"})
    user, answer = ask(rng, manner, fact, held_out)
    form = rng.choice(IN_ONE.side(held_out))
    user = wrapped(form, user, nth=NTH[place])
    return PictureTurn(user, answer, fact.kind, 2)


def pair_talk(rng: random.Random, manner: PictureManner, pair: Pair, held_out: bool) -> Talk:
    """A question about two pictures at once, or one about each in turn."""
    for _ in range(8):
        draw = rng.random()
        facts = pair_facts(rng, pair)
        if draw < 0.2:
            talk = _in_turn(rng, manner, pair, held_out)
        elif draw < 0.4 or not facts:
            talk = (_in_one_turn(rng, manner, pair, held_out),)
        elif draw < 0.43:
            talk = (outside_turn(rng, manner, held_out, 2),)
        else:
            which = [f for f in facts if "nth" not in f.slots]
            chosen = which if which and rng.random() < 0.7 else facts
            talk = (pair_turn(rng, manner, rng.choice(chosen), held_out, 2),)
        if rough_tokens(talk) <= TALK_TOKENS:
            return talk
    return (outside_turn(rng, manner, held_out, 2),)


def _in_turn(rng: random.Random, manner: PictureManner, pair: Pair, held_out: bool) -> Talk:
    """The first picture with a question, then the second with one."""
    first = _turn(rng, manner, _short(rng, pair[0]), held_out, 1)
    second = _turn(rng, manner, _short(rng, pair[1]), held_out, 1)
    form = rng.choice(NEXT_PICTURE.side(held_out))
    user = wrapped(form, second.user)
    return first, PictureTurn(user, second.answer, second.kind, 1)


def _short(rng: random.Random, shown: Shown) -> Fact:
    """A fact whose answer leaves room for another picture."""
    return _pick(rng, shown.facts, {"describe", "absent", "where", "relation", "bigger"})


# For the tokenizer.


def sample_texts(manner: PictureManner | str, seed: int, count: int) -> Iterator[str]:
    """Questions and answers of `count` talks, without what is read from pictures of text, so that
    a tokenizer learns no merges from words that a model must spell."""
    manner = manner_of(manner)
    rng = random.Random(f"texts {seed}")
    for _ in range(count):
        draw = rng.random()
        if draw < 0.06:
            talk = text_talk(rng, manner, False)
        elif draw < 0.16:
            talk = pair_talk(rng, manner, (unseen(rng), unseen(rng)), False)
        else:
            talk = picture_talk(rng, manner, unseen(rng), False)
        for turn in talk:
            yield turn.user
            yield re.sub(r"\s+(?=[.!]|$)", "", turn.answer)
