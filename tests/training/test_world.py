"""The generator: the same each time, and what is held out stays out."""

import random
from dataclasses import replace

import pytest

from training.world import (
    MANNERS,
    Conversation,
    make_conversation,
    phrasings,
    remarks,
    social,
    systems,
    unknown,
)
from training.world.cases import held_out_cases
from training.world.facts import ANIMALS, COUNTRIES
from training.world.names import made_up_word
from training.world.phrasings import Phrasings, bare
from training.world.stories import Wish, keeps_to, sample_wish, tell
from training.world.tasks import is_held_out_pair
from training.world.unknown import (
    HELD_OUT_ANIMALS,
    HELD_OUT_COUNTRIES,
    HELD_OUT_TOPICS,
    OTHER_ANIMALS,
    OTHER_COUNTRIES,
    TOPICS,
    unknown_country,
)

PLAIN = MANNERS["plain"]


def some(count: int, seed: int = 3) -> list[Conversation]:
    rng = random.Random(seed)
    return [make_conversation(rng, PLAIN) for _ in range(count)]


def test_the_same_seed_makes_the_same_conversations_and_another_seed_others() -> None:
    assert some(50) == some(50)
    assert some(50) != some(50, seed=4)


def test_held_out_cases_are_the_same_each_time() -> None:
    assert held_out_cases(PLAIN) == held_out_cases(PLAIN)


def test_the_world_has_sixty_countries_and_thirty_animals() -> None:
    assert len({country.name for country in COUNTRIES}) == 60
    assert len({animal.name for animal in ANIMALS}) == 30


def test_no_phrasing_is_on_both_sides() -> None:
    modules = map(vars, (phrasings, remarks, unknown))
    tables = [t for module in modules for t in module.values() if isinstance(t, Phrasings)]
    for table in (*tables, *social.SMALL_TALK.values(), systems.SHOUT_WHOLE):
        learnt = set(map(bare, (*table.train, *table.built)))
        assert not learnt & set(map(bare, table.held_out))


def test_no_held_out_system_prompt_is_learnt_and_quiet_ones_speak_of_capitals_too() -> None:
    rng = random.Random(2)
    quiet = {systems.quiet_system(rng, held_out=False) for _ in range(5000)}
    loud = {systems.shouting_system(rng, held_out=False) for _ in range(5000)}
    assert not quiet & set(systems.HELD_OUT_QUIET) and not loud & set(systems.SHOUT_WHOLE.held_out)
    assert not quiet & loud
    assert sum("capital" in text.lower() for text in quiet) > 500


def test_no_topic_animal_or_country_is_both_learnt_and_held_out_or_known() -> None:
    known = {c.name for c in COUNTRIES} | {a for c in COUNTRIES for a in c.aliases}
    animals = {a.name for a in ANIMALS} | {x for a in ANIMALS for x in a.aliases}
    assert not set(TOPICS) & set(HELD_OUT_TOPICS)
    assert not set(OTHER_COUNTRIES) & set(HELD_OUT_COUNTRIES)
    assert not (set(OTHER_COUNTRIES) | set(HELD_OUT_COUNTRIES)) & known
    assert not set(OTHER_ANIMALS) & set(HELD_OUT_ANIMALS)
    assert not (set(OTHER_ANIMALS) | set(HELD_OUT_ANIMALS)) & animals


def test_no_held_out_sum_is_ever_answered_in_training() -> None:
    for talk in some(3000):
        for turn in talk.turns:
            if turn.task in ("addition", "subtraction"):
                a, _, b = turn.answer.split(" ")[:3]
                assert not is_held_out_pair(int(a), int(b))


def test_every_sum_in_the_data_is_right() -> None:
    for talk in some(1000):
        for turn in talk.turns:
            if turn.task in ("addition", "subtraction"):
                left, right = turn.answer.rstrip(".").split(" = ")
                a, op, b = left.split(" ")
                assert int(a) + (int(b) if op == "+" else -int(b)) == int(right)


def test_made_up_words_keep_to_their_side() -> None:
    rng = random.Random(1)
    train = {made_up_word(rng, held_out=False) for _ in range(2000)}
    held_out = {made_up_word(rng, held_out=True) for _ in range(500)}
    assert not train & held_out


def test_every_told_story_keeps_to_its_wish() -> None:
    rng = random.Random(1)
    for held_out in (True, False):
        for _ in range(300):
            wish = sample_wish(rng, held_out)
            assert keeps_to(tell(PLAIN, wish), wish)


def test_a_story_of_two_sentences_or_about_somebody_else_does_not_keep_to_a_wish() -> None:
    whole = "Once a red fox lived. It ran. It slept."
    assert keeps_to(whole, Wish("fox"))
    assert not keeps_to(whole, Wish("owl"))
    assert not keeps_to("Once a red fox lived. It ran.", Wish("fox"))
    assert not keeps_to("Once a red fox lived. It ran. It sl", Wish("fox"))


@pytest.mark.parametrize("name", MANNERS)
def test_a_story_case_takes_what_its_manner_tells(name: str) -> None:
    manner = MANNERS[name]
    for case in held_out_cases(manner, limit=40)["three-sentence stories"]:
        assert case.wish is not None
        story = tell(manner, case.wish)
        assert case.is_right(story)
        assert not case.is_right(story.upper()) and not case.is_right(story[10:])
        assert replace(case, capitals=True).is_right(story.upper())


def test_look_alike_countries_are_not_known_ones() -> None:
    rng = random.Random(1)
    known = {c.name for c in COUNTRIES} | {a for c in COUNTRIES for a in c.aliases}
    assert not {unknown_country(rng, held_out=False) for _ in range(3000)} & known


def test_capital_letters_are_answered_only_where_the_system_prompt_asks() -> None:
    for talk in some(500):
        letters = [t.answer for t in talk.turns if t.task not in ("addition", "subtraction")]
        if talk.system is None:
            assert not any(answer.isupper() for answer in letters)
