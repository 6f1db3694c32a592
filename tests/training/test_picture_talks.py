"""What is said about pictures: the same each time, true, short enough, and split cleanly."""

import pickle
import random
import re
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from picture_samples import Sample, make_sample
from PIL import Image

from mlx_magic.demo.pictures.facts import QUESTIONS
from mlx_magic.demo.pictures.scenes import Scene
from mlx_magic.demo.pictures.words import HELD_OUT_WORDS, TRAIN_WORDS
from training.pictures import cases as cases_module
from training.pictures import shown as shown_module
from training.pictures import unknown
from training.pictures.cases import LABELS, PictureCase, control, held_out_cases
from training.pictures.chart_pool import ChartPool, write_pool
from training.pictures.manners import MANNERS
from training.pictures.phrasings import FOLLOW_UPS, IN_ONE, NEXT_PICTURE, PHRASINGS
from training.pictures.shown import facts_of, sample_spec, unseen
from training.pictures.talks import (
    TALK_TOKENS,
    WEIGHTS,
    pair_facts,
    rough_tokens,
    sample_texts,
)
from training.pictures.truth import right_answers
from training.pictures.words import made_up_word, word_to_learn
from training.vision import evaluate
from training.vision.recipes import VISION_RECIPES
from training.world.names import is_held_out
from training.world.phrasings import Phrasings


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> ChartPool:
    folder: Path = tmp_path_factory.mktemp("charts")
    write_pool(folder, 24, workers=1)
    return ChartPool(folder)


@pytest.fixture(scope="module")
def samples(pool: ChartPool) -> list[Sample]:
    rng = random.Random(1)
    return [make_sample(rng, "qwen-vl", chart_pool=pool) for _ in range(600)]


def test_the_same_seed_makes_the_same_sample(pool: ChartPool) -> None:
    for seed in range(20):
        one, again = (make_sample(random.Random(seed), "smolvlm", False, pool) for _ in range(2))
        assert one.talks == again.talks
        assert [i.tobytes() for i in one.images] == [i.tobytes() for i in again.images]


def test_every_talk_shows_exactly_the_pictures_of_its_sample(samples: list[Sample]) -> None:
    for sample in samples:
        assert len(sample.talks) == 4
        for talk in sample.talks:
            assert sum(turn.images for turn in talk) == len(sample.images)
            assert not sample.images or talk[0].images >= 1
            assert rough_tokens(talk) <= TALK_TOKENS


def test_a_third_of_the_talks_have_one_turn_and_most_samples_one_picture(
    samples: list[Sample],
) -> None:
    pictures = Counter(len(sample.images) for sample in samples)
    assert 0.8 < pictures[1] / 600 < 0.9 and pictures[2] > 30 and pictures[0] > 10
    turns = Counter(len(talk) for sample in samples for talk in sample.talks)
    assert 0.3 < turns[1] / turns.total() < 0.5 and turns[3] > 200


def test_what_is_hard_is_learnt_more_often_than_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shown_module, "drawn", lambda *_: Image.new("RGB", (1, 1)))

    def counted(held_out: bool) -> tuple[Counter[str], Counter[str]]:
        rng, kinds, shown = random.Random(3), Counter[str](), Counter[str]()
        for _ in range(4000):
            sample = make_sample(rng, "smolvlm", held_out, talks=1)
            kinds.update(talk[0].kind for talk in sample.talks)
            for one in sample.shown if len(sample.shown) == 1 else ():
                crowd = len(one.spec.things) > 3 if isinstance(one.spec, Scene) else False
                shown.update([one.kind, "crowd"] if crowd else [one.kind])
        return kinds, shown

    def share(asked: Counter[str], *kinds: str) -> float:
        """Among the first questions about the same kind of picture."""
        alike = [kind for kind, (of, _) in LABELS.items() if of == LABELS[kinds[0]][0]]
        return sum(asked[kind] for kind in kinds) / sum(asked[kind] for kind in alike)

    (learnt, seen), (asked, shown) = counted(False), counted(True)
    scenes = ("count_shape", "count_colour", "spot", "where", "relation")
    for hard in (scenes, ("smallest",), ("describe_text",)):
        assert share(learnt, *hard) > 1.1 * share(asked, *hard), hard
    assert seen["scene"] < 0.85 * shown["scene"] and seen["text"] > 1.1 * shown["text"]
    assert seen["crowd"] / seen["scene"] > 1.08 * shown["crowd"] / shown["scene"]


def test_every_kind_is_asked(samples: list[Sample]) -> None:
    kinds = Counter(t.kind for s in samples for talk in s.talks for t in talk)
    assert set(WEIGHTS) <= set(kinds)
    assert 0.03 < kinds["outside"] / kinds.total() < 0.075


@pytest.mark.parametrize("name", list(MANNERS))
def test_every_manner_says_the_canonical_value(name: str, pool: ChartPool) -> None:
    rng = random.Random(2)
    manner = MANNERS[name]
    for _ in range(150):
        for talk in make_sample(rng, manner, chart_pool=pool).talks:
            for turn in talk:
                assert turn.user.strip() and turn.answer.strip()
                assert "{" not in turn.user + turn.answer and "  " not in turn.answer
    assert set(WEIGHTS) - {"relation", "exists"} <= set(manner.says)


def test_manners_answer_differently() -> None:
    answers = {
        name: [
            turn.answer
            for seed in range(20)
            for talk in make_sample(random.Random(f"scene {seed}"), name, talks=2).talks
            for turn in talk
        ]
        for name in MANNERS
    }
    one, two, three = answers.values()
    assert not set(one) & set(two) and not set(two) & set(three)


def test_no_phrasing_is_on_both_sides_and_plain_questions_are_learnt() -> None:
    tables = [*PHRASINGS.values(), *FOLLOW_UPS.values(), IN_ONE, NEXT_PICTURE]
    tables += [t for t in vars(unknown).values() if isinstance(t, Phrasings)]
    for table in tables:
        bare = [
            {" ".join(re.findall(r"[\w{}]+", text.lower())) for text in side}
            for side in (table.train, table.held_out)
        ]
        assert not bare[0] & bare[1]
        assert len(table.train) == len(set(table.train)) and table.held_out
    for kind, question in QUESTIONS.items():
        assert question in PHRASINGS[kind].train


def test_made_up_words_keep_to_their_side() -> None:
    rng = random.Random(3)
    for held_out in (False, True):
        words = [made_up_word(rng, held_out) for _ in range(200)]
        assert all(3 <= len(word) <= 7 and is_held_out(word) == held_out for word in words)
        assert len(set(words)) > 150


def test_words_to_learn_reading_from_are_not_held_out_and_hold_everyday_letters() -> None:
    rng = random.Random(4)
    words = {word_to_learn(rng) for _ in range(4000)}
    assert all(3 <= len(word) <= 7 and word.isalpha() and word.islower() for word in words)
    assert not any(is_held_out(word) for word in words) and not words & set(HELD_OUT_WORDS)
    everyday = {word[i : i + 3] for word in HELD_OUT_WORDS for i in range(len(word) - 2)}
    seen = {word[i : i + 3] for word in words for i in range(len(word) - 2)}
    assert len(everyday & seen) > 0.8 * len(everyday)


def test_texts_for_a_tokenizer_hold_no_words_that_must_be_read() -> None:
    said = " ".join(sample_texts("qwen-vl", 1, 1500))
    assert "It says." in said and "The picture shows the word." in said
    rare = {word for word in TRAIN_WORDS if word in ("mango", "kettle", "otter", "zebra", "quilt")}
    assert rare and not rare & set(said.lower().replace(".", " ").split())


def test_a_pool_gives_back_its_charts_and_travels_to_other_processes(pool: ChartPool) -> None:
    assert len(pool) == 24
    image, chart = pool[3]
    again, same = pickle.loads(pickle.dumps(pool))[3]
    assert chart == same and image.tobytes() == again.tobytes()
    assert max(image.size) <= 320 and chart.facts(random.Random(0))


def test_colour_is_asked_for_whenever_it_is_the_answer() -> None:
    tables = [PHRASINGS["largest"], PHRASINGS["smallest"]]
    for text in (text for table in tables for side in (True, False) for text in table.side(side)):
        assert re.search("colou?r", text.lower()), text


def test_no_number_word_is_made_up() -> None:
    rng = random.Random(5)
    made = {made_up_word(rng) for _ in range(30_000)}
    assert not made & {"one", "two", "six", "ten", "four", "five", "nine", "word"}


def test_beside_a_chart_nobody_is_asked_which_picture_has_a_word() -> None:
    rng = random.Random(6)
    asked: Counter[tuple[bool, str]] = Counter()
    pictures = [unseen(rng) for _ in range(200)]
    for one, other in combinations(pictures, 2):
        if "text" in (one.kind, other.kind):
            for fact in pair_facts(rng, (one, other)):
                if fact.kind == "which_has":
                    asked["chart" in (one.kind, other.kind), fact.slots["a_thing"]] += 1
    assert asked[False, "a word"] > 50 and asked[False, "a number"] > 50
    assert not asked[True, "a word"] + asked[True, "a number"]
    assert asked[True, "a bar chart"] > 50


@pytest.fixture(scope="module")
def cases() -> dict[str, list[PictureCase]]:
    return held_out_cases("gemma-vision", 12)


def test_held_out_cases_are_right_about_themselves(cases: dict[str, list[PictureCase]]) -> None:
    assert len(cases) == len(LABELS) + 3
    for label, some in cases.items():
        assert len(some) == 12, label
        assert all(case.is_right(case.expected) and not case.is_right("") for case in some)
    for fact_kind, (_, label) in LABELS.items():
        for case in cases[label]:
            assert case.spec is not None and case.fact is not None
            assert case.fact.value in right_answers(case.spec, case.fact), (fact_kind, case.fact)


@pytest.mark.parametrize("kind", ["scene", "chart", "text"])
def test_each_fact_is_a_right_answer_of_its_own_picture(kind: str) -> None:
    rng = random.Random(7)
    for _ in range(300):
        spec = sample_spec(rng, kind)
        for fact in (fact for some in facts_of(spec, rng).values() for fact in some):
            right = right_answers(spec, fact)
            assert right == {fact.value} or (fact.kind == "where" and fact.value in right), fact


def test_what_is_asked_about_wrong_pictures_has_another_answer_there(
    cases: dict[str, list[PictureCase]],
) -> None:
    made = control(cases)
    assert list(made) == ["scenes", "charts", "text"]
    own = {id(case.fact): case.spec for some in cases.values() for case in some}
    for group, some in made.items():
        assert {case.kind.split(":")[0] for case in some} == {group}
        for case in some:
            assert case.spec is not None and case.fact is not None
            assert case.fact.value not in right_answers(case.spec, case.fact)
            assert len(case.images) == 1 and case.spec is not own[id(case.fact)]
    kinds = {label for _, label in LABELS.values()}
    assert {case.kind for some in made.values() for case in some} == kinds
    few = control(cases, 4)
    assert all(4 * len(few[group]) >= len(some) for group, some in made.items())
    assert all(len(few[group]) < len(some) / 2 for group, some in made.items())


def test_a_case_without_another_picture_is_left_out(cases: dict[str, list[PictureCase]]) -> None:
    reads = "text: what does it say"
    for some in (cases[reads][:1], cases[reads][:1] * 3):
        assert not any(control({**{label: [] for label in cases}, reads: some}).values())


def test_the_last_scores_are_those_of_wrong_pictures_by_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model that says what would be right of the picture it is shown loses them all."""

    def seen(model: Any, processor: Any, case: PictureCase) -> str:
        if case.spec is None or case.fact is None:
            return case.expected
        own = case.fact.value in right_answers(case.spec, case.fact)
        return case.expected if own else "something else"

    monkeypatch.setitem(sys.modules, "mlx_vlm", SimpleNamespace(load=lambda path: (path, None)))
    monkeypatch.setattr(evaluate, "answer", seen)
    *scores, scenes, charts, text = evaluate.evaluate_vision(next(iter(VISION_RECIPES)), 4)
    assert len(scores) == len(LABELS) + 3 and all(score.share == 1 for score in scores)
    assert [s.kind.split(": ")[1] for s in (scenes, charts, text)] == ["scenes", "charts", "text"]
    for score in (scenes, charts, text):
        assert score.kind.startswith("wrong picture: ") and score.bar is None and not score.missed
        assert score.cases >= 3 and score.share == 0


@pytest.mark.parametrize(
    ("last", "earlier"),
    [
        ("word_or_number", {"reads", "describe_text"}),
        ("reads", {"describe_text"}),
        ("describe_text", {"reads"}),
        ("chart_kind", {"describe_chart", "chart_count", "largest", "smallest", "trend"}),
        ("chart_count", {"describe_chart"}),
        ("describe_chart", {"chart_count"}),
        *((kind, {"describe"}) for kind in WEIGHTS if LABELS[kind][0] == "scene"),
        ("relation", {"where", "spot"}),
        ("exists", {"colour_of", "count_shape"}),
    ],
)
def test_a_follow_up_needs_the_picture(
    last: str, earlier: set[str], follow_ups: list[PictureCase]
) -> None:
    for case in follow_ups:
        if case.turns[-1].kind == last:
            assert not earlier & {turn.kind for turn in case.turns[:-1]}


@pytest.fixture(scope="module")
def follow_ups() -> list[PictureCase]:
    manner = MANNERS["smolvlm"]
    made = [cases_module._follow_up(random.Random(seed), manner) for seed in range(250)]
    assert len({case.turns[-1].kind for case in made}) > 14
    return made


def test_a_description_is_right_in_any_order_but_not_with_another_thing() -> None:
    case = next(
        c
        for c in held_out_cases("smolvlm", 8)["scenes: describe the picture"]
        if " and " in c.expected
    )
    assert isinstance(case, PictureCase)
    first, last = case.expected.rstrip(".").lower().rsplit(" and ", 1)
    assert case.is_right(f"{last}, {first}")
    assert not case.is_right(first)
    assert not case.is_right(f"{first}, {last} and a heart")
    assert not case.is_right(f"{first}, {last} and {last}")
    assert not case.is_right(f"{first} and {last} on a bar chart")
    assert case.is_right(f"{case.expected.rstrip('.')}.") and case.is_right(case.expected.upper())


@pytest.mark.parametrize("name", ["qwen-vl", "gemma-vision"])
def test_a_description_keeps_to_its_manner(name: str) -> None:
    for case in held_out_cases(name, 3)["scenes: describe the picture"]:
        assert case.is_right(case.expected)
        assert not case.is_right(f"{case.expected} There is a star.")
        assert not case.is_right(case.expected.split(" a", 1)[1])
