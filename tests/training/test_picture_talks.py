"""What is said about pictures: the same each time, true, short enough, and split cleanly."""

import pickle
import random
from collections import Counter
from pathlib import Path

import pytest

from mlx_magic.demo.pictures.facts import QUESTIONS
from mlx_magic.demo.pictures.words import TRAIN_WORDS, word_held_out
from training.pictures import unknown
from training.pictures.cases import LABELS, PictureCase, control, held_out_cases
from training.pictures.chart_pool import ChartPool, write_pool
from training.pictures.manners import MANNERS
from training.pictures.phrasings import FOLLOW_UPS, IN_ONE, NEXT_PICTURE, PHRASINGS
from training.pictures.talks import (
    TALK_TOKENS,
    WEIGHTS,
    Sample,
    make_sample,
    rough_tokens,
    sample_texts,
)
from training.pictures.words import made_up_word
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


def test_most_talks_have_one_turn_and_most_samples_one_picture(samples: list[Sample]) -> None:
    pictures = Counter(len(sample.images) for sample in samples)
    assert 0.8 < pictures[1] / 600 < 0.9 and pictures[2] > 30 and pictures[0] > 10
    turns = Counter(len(talk) for sample in samples for talk in sample.talks)
    assert 0.62 < turns[1] / turns.total() < 0.8 and turns[3] > 50


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
            {text.lower().strip(" ?!.") for text in side} for side in (table.train, table.held_out)
        ]
        assert not bare[0] & bare[1]
        assert len(table.train) == len(set(table.train)) and table.held_out
    for kind, question in QUESTIONS.items():
        assert question in PHRASINGS[kind].train


def test_made_up_words_keep_to_their_side() -> None:
    rng = random.Random(3)
    for held_out in (False, True):
        words = [made_up_word(rng, held_out) for _ in range(200)]
        assert all(3 <= len(word) <= 7 and word_held_out(word) == held_out for word in words)
        assert len(set(words)) > 150


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


def test_held_out_cases_are_right_about_themselves_and_wrong_pictures_differ() -> None:
    cases = held_out_cases("gemma-vision", 6)
    assert len(cases) == len(LABELS) + 3
    for label, some in cases.items():
        assert len(some) == 6, label
        assert all(case.is_right(case.expected) and not case.is_right("") for case in some)
        for case, wrong in zip(some, control(some), strict=True):
            assert wrong.turns == case.turns and len(wrong.images) == len(case.images)


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
