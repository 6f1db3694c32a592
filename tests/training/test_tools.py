"""Tools: rendered as the chat template renders them, called rightly, split cleanly."""

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mlx_lm.tool_parsers.json_tools import parse_tool_call
from tokenizers import Tokenizer
from transformers.utils.chat_template_utils import render_jinja_template

from training.batches import ANSWER, CALL, UNTHOUGHT, frame
from training.recipes import RECIPES
from training.train import write_tokenizer
from training.world import (
    MANNERS,
    Conversation,
    Turn,
    arguments,
    functions,
    make_conversation,
    vocabulary,
)
from training.world import tools as world
from training.world.cases import held_out_cases, parse_call
from training.world.conversations import (
    ENDS_ON_CALL_SHARE,
    TOOL_SHARE,
    make_tool_conversation,
    tool_talk,
)
from training.world.names import HELD_OUT_NAMES
from training.world.phrasings import bare
from training.world.texts import sample_texts

QWEN = RECIPES["qwen"]
PLAIN = MANNERS["plain"]
KINDS = ("the right tool call", "an answer from a tool's result", "a plain answer beside tools")


def some(count: int, held_out: bool = False) -> list[Conversation]:
    rng = random.Random(3)
    return [make_tool_conversation(rng, PLAIN, held_out, thinks=True) for _ in range(count)]


def rendered(messages: list[dict[str, Any]], tools: Any, **options: Any) -> str:
    texts, _ = render_jinja_template(
        [messages], tools=tools, chat_template=Path(QWEN.template).read_text(), **options
    )
    return str(texts[0])


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("system", [None, "Be brief."])
def test_the_system_turn_is_the_templates_own(count: int, system: str | None) -> None:
    rng = random.Random(1)
    listed = [functions.sample_function(rng, False) for _ in range(count)]
    schemas = tuple(function.schema for function in listed)
    chat = [{"role": "system", "content": system}] if system else []
    theirs = rendered([*chat, {"role": "user", "content": "x"}], list(schemas) or None)
    text = world.system_text(schemas, system)
    start, end = QWEN.chat_format.system
    head = f"{start}{text}{end}" if text else ""
    assert theirs.startswith(f"{head}<|im_start|>user\nx")


def test_a_whole_chat_with_calls_is_framed_as_the_template_renders_it() -> None:
    rng = random.Random(2)
    equal = 0
    for talk in some(150):
        text = "".join(text for text, _ in frame(QWEN.chat_format, talk, rng, thinks=True))
        last = talk.turns[-1]
        prompt = rendered(
            talk.messages()[:-1], list(talk.tools), add_generation_prompt=True,
            enable_thinking=False,
        )  # fmt: skip
        equal += text == f"{prompt}{last.answer}<|im_end|>\n"
    assert equal > 30


def test_the_kept_thought_of_an_open_call_is_where_the_template_puts_it() -> None:
    rng = random.Random(3)
    talk = next(t for t in some(50) if len(t.turns) == 2 and t.turns[-1].result)
    messages = talk.messages()[:-1]
    messages[-2]["reasoning_content"] = talk.turns[0].whole_thought
    prompt = rendered(messages, list(talk.tools), add_generation_prompt=True)
    said = f"<think>\n{talk.turns[1].thought}\n</think>\n\n{talk.turns[1].answer}<|im_end|>\n"
    texts = {"".join(t for t, _ in frame(QWEN.chat_format, talk, rng, True)) for _ in range(60)}
    assert prompt + said in texts


def test_mlx_lms_parser_reads_every_call_as_a_listed_function_with_all_its_parameters() -> None:
    for talk in some(200):
        listed = {tool["function"]["name"]: tool["function"]["parameters"] for tool in talk.tools}
        for turn in talk.turns:
            if turn.call is None:
                continue
            inside = turn.answer.removeprefix("<tool_call>").removesuffix("</tool_call>")
            call = parse_tool_call(inside)
            assert call == turn.call
            assert list(call["arguments"]) == listed[call["name"]]["required"]


def test_string_arguments_and_numbers_are_copied_from_the_question() -> None:
    for talk in some(300):
        for turn in talk.turns:
            for value in turn.call["arguments"].values() if turn.call else ():
                assert str(value) in turn.user


def test_an_answer_uses_what_the_tool_gave_back() -> None:
    for talk in some(200):
        for turn in talk.turns:
            if turn.result is not None:
                values = [turn.result]
                if turn.result.startswith("{"):
                    values = [str(v) for v in json.loads(turn.result).values()]
                assert any(value.upper() in turn.answer.upper() for value in values)


def test_every_call_is_answered_by_its_result_or_ends_nothing() -> None:
    for talk in some(200):
        for turn, then in zip(talk.turns, talk.turns[1:], strict=False):
            assert (turn.call is not None) == (then.result is not None)


@pytest.mark.parametrize("held_out", [True, False])
def test_a_question_names_no_other_tool_than_the_one_it_needs(held_out: bool) -> None:
    rng, offered = random.Random(8), Counter[int]()
    for _ in range(300):
        listed = functions.sample_functions(rng, held_out)
        offered[len(listed)] += 1
        talk = tool_talk(rng, PLAIN, held_out, thinks=False)
        turn = world.exchange(talk, listed[0], listed)[0]
        assert not any(other.told_by in turn.user.lower() for other in listed[1:])
        word = turn.thought.removeprefix("They say ").split(":")[0]
        assert turn.thought == f"They say {word}: {word} is {listed[0].name}."
        assert word.lower() in turn.user.lower()
    shares = functions.OFFERED if held_out else functions.OFFERED_TO_LEARN
    assert all(abs(offered[i + 1] / 300 - share) < 0.1 for i, share in enumerate(shares))


def test_every_thought_beside_tools_lists_them_first() -> None:
    for talk in some(100):
        names = [tool["function"]["name"] for tool in talk.tools]
        for turn in talk.turns:
            listed = turn.offered.removesuffix(".").split(", ") if turn.offered else []
            assert [one.split(" is ")[1] for one in listed] == ([] if turn.result else names)
            if turn.call:
                told = turn.thought.removesuffix(".").split(": ")[1]
                assert told in listed
                assert told.endswith(f" is {turn.call['name']}")
            assert turn.whole_thought.startswith(turn.offered)
            assert turn.whole_thought.endswith(turn.thought)


def test_a_call_weighs_more_than_what_else_is_said() -> None:
    rng = random.Random(5)
    for talk in some(60):
        pieces = dict(frame(QWEN.chat_format, talk, rng, thinks=True))
        last = talk.turns[-1]
        (weight,) = {w for text, w in pieces.items() if w and text.endswith(last.answer)}
        thought = any(last.whole_thought in text for text in pieces)
        plain = UNTHOUGHT if last.task == "long sum" and not thought else ANSWER
        assert weight == (CALL if last.call else plain)


def test_no_held_out_function_city_or_word_of_a_tool_is_learnt() -> None:
    def names(held_out: bool) -> set[str]:
        rng = random.Random(5)
        return {functions.sample_function(rng, held_out).name for _ in range(4000)}

    assert not names(False) & names(True)
    pairs = (
        (arguments.CITIES, arguments.HELD_OUT_CITIES),
        (arguments.ITEMS, arguments.HELD_OUT_ITEMS),
        (arguments.MESSAGES, arguments.HELD_OUT_MESSAGES),
        (arguments.TONGUES.train, arguments.TONGUES.held_out),
        (arguments.UNITS.train, arguments.UNITS.held_out),
    )
    for train, held_out in pairs:
        assert not set(train) & set(held_out)
    for kind in functions.KINDS:
        asked = {*kind.questions.train, *kind.questions.built}
        assert not set(map(bare, asked)) & set(map(bare, kind.questions.held_out))


def test_no_word_of_the_long_lists_is_on_both_sides_or_held_out_by_a_kind() -> None:
    tables = (vocabulary.NOUNS, vocabulary.VERBS, vocabulary.PARAMETERS)
    for table in tables:
        assert len(table.held_out) > 12 and not set(table.train) & set(table.held_out)
    for kind in functions.KINDS:
        assert not set(vocabulary.NOUNS.train) & set(kind.nouns.held_out)
        if not kind.fixed_verb:
            assert not set(vocabulary.VERBS.train) & set(kind.verbs.held_out)


def test_no_word_to_learn_from_is_one_that_a_list_of_tools_holds_out() -> None:
    words = {*HELD_OUT_NAMES, *arguments.HELD_OUT_CITIES, *arguments.HELD_OUT_ITEMS}
    for endings in (arguments.TONGUES.held_out, arguments.UNITS.held_out):
        words |= {*endings, *(word.removesuffix("s") for word in endings)}
    for table in (vocabulary.NOUNS, vocabulary.VERBS, vocabulary.PARAMETERS):
        words |= {*table.held_out}
    learnt: set[str] = set()
    for kind in functions.KINDS:
        words |= {*kind.nouns.held_out, *kind.verbs.held_out}
        learnt |= {*kind.nouns.train, *kind.verbs.train}  # some kinds learn what others hold out
    sure = {word for word in map(str.lower, words - learnt) if can_be_blended(word)}
    assert len(sure) > 40
    assert not [word for word in sure if vocabulary.is_new(word)]
    rng = random.Random(3)
    made = {vocabulary.unknown_word(rng, held_out=False) for _ in range(20_000)}
    assert not made & {word.lower() for word in words - learnt}


def can_be_blended(word: str) -> bool:
    """Whether a learnt word begins and another ends as this one does."""
    learnt = vocabulary.LEARNT
    return any(
        any(one.startswith(word[:i]) and len(one) > i for one in learnt)
        and any(one.endswith(word[i:]) and len(one) > len(word) - i for one in learnt)
        for i in range(2, len(word) - 1)
    )


def test_half_of_the_unknown_words_to_learn_are_blends_and_no_held_out_word_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vocabulary, "blended_word", lambda *_: "BLEND")
    monkeypatch.setattr(vocabulary, "is_new", lambda _: True)
    rng = random.Random(1)
    for held_out, least, most in ((False, 450, 550), (True, 0, 0)):
        made = [vocabulary.unknown_word(rng, held_out) for _ in range(1000)]
        assert least <= made.count("BLEND") <= most


def test_most_names_of_functions_can_only_be_copied() -> None:
    rng = random.Random(7)
    own = {word for kind in functions.KINDS for word in kind.nouns.train}
    made = [functions.sample_function(rng, held_out=False) for _ in range(2000)]
    assert sum(function.noun in own for function in made) < 0.35 * len(made)
    assert 200 < sum("_" not in function.name for function in made) < 600


def test_an_unknown_question_beside_tools_names_none_of_them() -> None:
    for talk in some(300):
        for turn in talk.turns:
            if turn.task == "unknown":
                for tool in talk.tools:
                    assert tool["function"]["name"].replace("_", " ") not in turn.user.lower()


def test_a_call_is_never_shouted() -> None:
    for talk in some(200):
        for turn in talk.turns:
            assert turn.call is None or parse_call(turn.answer) == turn.call


def test_only_a_model_with_tools_meets_them_in_its_share_of_conversations() -> None:
    rng = random.Random(6)
    assert not any(make_conversation(rng, PLAIN, thinks=True).tools for _ in range(300))
    offered = [bool(make_conversation(rng, PLAIN, calls=True).tools) for _ in range(1500)]
    assert abs(sum(offered) / 1500 - TOOL_SHARE) < 0.04


def test_tool_cases_end_with_the_person_or_the_tool_and_know_what_is_right() -> None:
    kinds = held_out_cases(PLAIN, limit=40, calls=True)
    assert kinds == held_out_cases(PLAIN, limit=40, calls=True)
    for kind, last in zip(KINDS, ("user", "tool", "user"), strict=True):
        for case in kinds[kind]:
            assert case.tools and case.messages[-1]["role"] == last
            assert case.is_right(case.expected) and not case.is_right("Paris.")
            assert case.is_right(f"<think>\nSo.\n</think>\n\n{case.expected}", think=True)


def test_a_call_is_right_by_what_its_json_says() -> None:
    case = held_out_cases(PLAIN, limit=1, calls=True)[KINDS[0]][0]
    call = parse_call(case.expected)
    loose = json.dumps(dict(reversed(call.items())), indent=1)
    assert case.is_right(f"<tool_call>\n{loose}\n</tool_call>")
    call["arguments"] = {}
    assert not case.is_right(f"<tool_call>\n{json.dumps(call)}\n</tool_call>")
    assert not case.is_right("<tool_call>\n{\n</tool_call>")


def test_the_tokenizers_texts_hold_schemas_only_when_asked() -> None:
    assert not any('"parameters"' in text for text in sample_texts(PLAIN, 1, 200))
    assert any('"parameters"' in text for text in sample_texts(PLAIN, 1, 200, tools=True))


def test_a_turn_from_a_tool_is_told_apart_in_the_messages() -> None:
    call = {"name": "get_weather", "arguments": {"city": "Oslo"}}
    asked = Turn("Weather in Oslo?", world.call_text(call), "tool call", call=call)
    told = Turn(world.result_text("3"), "It is 3.", "tool answer", result="3")
    roles = [message["role"] for message in Conversation(None, (asked, told)).messages()]
    assert roles == ["user", "assistant", "tool", "assistant"]


def test_no_piece_joins_a_word_to_the_quote_or_underscore_before_it(tmp_path: Path) -> None:
    write_tokenizer(QWEN, tmp_path, conversations=1500)
    vocabulary = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).get_vocab()
    learnt = set(vocabulary) - set(QWEN.tokenizer.added_tokens)
    assert any('"' in piece[1:] for piece in learnt)
    assert not [piece for piece in learnt if re.search(r'["_][A-Za-z]', piece)]


def test_some_conversations_end_on_a_call() -> None:
    last = [talk.turns[-1] for talk in some(600)]
    calls = sum(turn.call is not None for turn in last)
    results = sum(turn.result is not None for turn in last)
    assert abs(calls / (calls + results) - ENDS_ON_CALL_SHARE) < 0.07
