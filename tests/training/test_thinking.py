"""Thoughts and sums of several numbers: right in every line, framed as the template frames them."""

import random
import re
from collections import Counter
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

from training.batches import ANSWER, FRAMINGS, UNTHOUGHT, frame
from training.recipes import RECIPES
from training.world import MANNERS, Conversation, Turn, make_conversation
from training.world.cases import Case, held_out_cases, split_thought
from training.world.tasks import MAX_LONG_SUM, is_held_out_pair
from training.world.texts import sample_texts
from training.world.thinking import working

QWEN = RECIPES["qwen"]
CHAT = QWEN.chat_format
PLAIN = MANNERS["plain"]
TEMPLATE = Path(QWEN.template).read_text()


def some(count: int, held_out: bool = False) -> list[Conversation]:
    rng = random.Random(3)
    return [make_conversation(rng, PLAIN, held_out, thinks=True) for _ in range(count)]


def turns(count: int, task: str | None = None) -> list[Turn]:
    return [t for talk in some(count) for t in talk.turns if task in (None, t.task)]


def rendered(talk: Conversation, **options: object) -> str:
    chat = [{"messages": talk.messages()[:-1]}]
    texts, _ = render_jinja_template(
        [chat[0]["messages"]],
        tools=list(talk.tools) or None,
        chat_template=TEMPLATE,
        add_generation_prompt=True,
        **options,
    )
    return str(texts[0])


def equation_holds(text: str) -> bool:
    a, op, b, _, total = text.split(" ")
    return int(a) + (int(b) if op == "+" else -int(b)) == int(total)


def test_a_step_is_worked_from_its_ones_and_without_numbers_below_nought() -> None:
    assert working([12, 30, 5], ["+", "-"]) == (
        "2 + 0 = 2, so 12 + 30 = 42\n12 - 5 = 7, so 42 - 5 = 37"
    )
    assert working([3, 9], ["-"]) == "9 - 3 = 6, so 3 - 9 = -6"


def test_every_line_of_every_working_is_right_and_ends_in_the_answers_total() -> None:
    found = turns(600, "long sum") + turns(200, "addition") + turns(200, "subtraction")
    assert len({turn.user for turn in found}) > 300
    for turn in found:
        _, *lines = turn.thought.splitlines()
        steps = [part for line in lines for part in line.lower().split(", so ")]
        assert all(map(equation_holds, steps))
        assert turn.thought.endswith(f" = {turn.answer.rstrip('.').rpartition(' = ')[2]}")


def test_the_thought_about_a_sum_begins_with_the_whole_sum() -> None:
    for turn in turns(300, "long sum") + turns(100, "subtraction"):
        assert turn.answer.startswith(f"{turn.thought.splitlines()[0]} = ")


def test_a_long_sum_is_answered_with_the_sum_in_signs_and_its_total() -> None:
    for turn in turns(600, "long sum"):
        left, total = turn.answer.rstrip(".").split(" = ")
        assert re.fullmatch(r"\d+( [+-] \d+){2,3}", left)
        assert eval(left) == int(total) <= MAX_LONG_SUM


def test_no_held_out_pair_is_added_in_a_learnt_thought() -> None:
    for turn in turns(2000):
        for a, b in re.findall(r"(?<!\d)(\d+) [+-] (\d+) = ", turn.thought):
            assert int(a) > 99 or not is_held_out_pair(int(a), int(b))


def test_every_turn_has_a_short_thought() -> None:
    for turn in turns(500):
        assert turn.thought and len(turn.thought) < 170
        assert "<" not in turn.thought


def test_facts_are_in_the_thought_before_they_are_in_the_answer() -> None:
    for turn in turns(500, "capital"):
        capital = turn.thought.removesuffix(".").upper().rpartition(" IS ")[2]
        assert capital in turn.answer.upper()


def test_a_thought_is_shouted_with_its_answer() -> None:
    shouting = [t for talk in some(500) for t in talk.turns if t.answer.isupper()]
    assert len(shouting) > 100
    assert all(turn.thought == turn.thought.upper() for turn in shouting)


def test_only_a_model_that_thinks_meets_long_sums_and_none_calls_them_unknown() -> None:
    rng = random.Random(1)
    plain = [t for _ in range(2000) for t in make_conversation(rng, PLAIN).turns]
    assert not any(turn.task == "long sum" for turn in plain)
    sums = re.compile(r"\d+ ?(\+|-|plus|minus) ?\d+ ?(\+|-|plus|minus) ?\d+")
    assert not any(sums.search(turn.user) for turn in plain if turn.task == "unknown")


def test_without_a_thinking_format_or_recipe_nothing_of_it_is_framed() -> None:
    rng = random.Random(1)
    for name, thinks in (("llama", True), ("qwen", False)):
        for talk in some(50):
            texts = [text for text, _ in frame(RECIPES[name].chat_format, talk, rng, thinks)]
            assert not any("think>" in text for text in texts)


def test_the_last_answer_follows_the_prompt_that_the_template_writes() -> None:
    rng = random.Random(2)
    seen = Counter[str]()
    for talk in some(150):
        text = "".join(text for text, _ in frame(CHAT, talk, rng, thinks=True))
        last = talk.turns[-1]
        end = f"{last.answer}<|im_end|>\n"
        thought = f"<think>\n{last.thought}\n</think>\n\n"
        for mode, tail in ((True, thought), (False, "")):
            prompt = rendered(talk, enable_thinking=mode)
            seen[f"{mode} {text == prompt + tail + end}"] += 1
    assert seen["True True"] > 30 and seen["False True"] > 30


def test_the_shares_of_the_framings_are_those_of_the_table() -> None:
    rng = random.Random(4)
    made = [frame(CHAT, talk, rng, thinks=True) for talk in some(800)]
    thinking = sum(any(t.startswith("<think>\n") and w for t, w in pieces) for pieces in made)
    wanted = sum(share for framing, share in FRAMINGS.items() if framing.thinks)
    assert abs(thinking / 800 - wanted / sum(FRAMINGS.values())) < 0.06


def test_the_empty_block_and_the_first_word_of_a_bare_answer_are_not_learnt() -> None:
    rng = random.Random(5)
    turn = Turn("hi", "Hello! How can I help you?", "small talk", "They greet me.")
    talk = Conversation(None, (turn, turn))
    learnt = set()
    for _ in range(80):
        pieces = frame(CHAT, talk, rng, thinks=True)
        learnt.add(tuple(t for t, w in pieces if w == ANSWER and t != CHAT.answer_end))
        unlearnt = {text for text, weight in pieces if weight != ANSWER}
        assert CHAT.no_think not in {text for text, weight in pieces if weight}
        assert "Hello" in unlearnt or turn.answer not in unlearnt
    whole, rest = turn.answer, turn.answer.removeprefix("Hello")
    thought = f"<think>\n{turn.thought}\n</think>\n\n{whole}"
    assert learnt == {(rest, thought), (thought, thought), (rest, whole), (whole, whole)}


def test_a_long_sum_without_a_thought_counts_little() -> None:
    turn = turns(300, "long sum")[0]
    rng = random.Random(6)
    for _ in range(20):
        pieces = frame(CHAT, Conversation(None, (turn,)), rng, thinks=True)
        weights = {w for text, w in pieces if text.endswith(turn.answer)}
        thought = any(turn.thought in text for text, _ in pieces)
        assert weights == {ANSWER if thought else UNTHOUGHT}


def test_thinking_cases_want_a_working_and_the_right_total() -> None:
    kinds = held_out_cases(PLAIN, limit=8, thinks=True)
    assert all(len(cases) == 8 for cases in kinds.values())
    case = kinds["sums of three or four numbers, thinking"][0]
    work = "\n".join(case.working)
    assert case.is_right(f"<think>\n{work}\n</think>\n\n{case.expected}")
    assert not case.is_right(f"<think>\nIt is easy.\n</think>\n\n{case.expected}")
    assert not case.is_right(f"<think>\n{work}\n</think>\n\n0.")
    assert not case.is_right(case.expected)
    direct = kinds["sums of three or four numbers, not thinking"][0]
    assert direct.think is False and direct.is_right(direct.expected)


def test_a_thought_is_split_off_only_where_it_ends() -> None:
    assert split_thought("<think>\nSo.\n</think>\n\nYes.") == ("So.", "Yes.")
    assert split_thought("<think>\nSo.") == (None, "<think>\nSo.")
    case = Case("colour", (), "A fox is red.")
    assert case.is_right("A fox is red.") and case.is_right("<think>\nX\n</think>\n\nA fox is red.")
    assert not case.is_right("A fox is red.", think=True)
    assert not case.is_right("<think>\nX\n</think>\n\nA fox is red.", think=False)


def test_the_tokenizers_texts_hold_thoughts_only_when_asked() -> None:
    plain = set(sample_texts(PLAIN, 1, 300))
    assert "They greet me.\n" not in plain
    assert "They greet me.\n" in set(sample_texts(PLAIN, 1, 300, thinking=True))
