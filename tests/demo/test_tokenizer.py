"""demo:qwen's tokenizer and template behave as the real family's do."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_families import REAL_FAMILIES

from mlx_magic import demo

QWEN = demo.find("qwen").path


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(QWEN)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    file = REAL_FAMILIES / "expected.json"
    if not file.exists():
        pytest.skip("the real families' renderings are not beside this checkout")
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def render(tokenizer: Any, messages: list[dict[str, Any]], **options: Any) -> str:
    text: str = tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, **options
    )
    return text


@given(text=st.text(max_size=60))
def test_any_text_survives_the_tokenizer_up_to_composition(text: str) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(QWEN / "tokenizer.json"))
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids) == unicodedata.normalize("NFC", text)


def test_numbers_are_cut_into_single_digits(tokenizer: Any) -> None:
    assert [tokenizer.decode([i]) for i in tokenizer.encode("4096")] == list("4096")


def test_thinking_and_tool_marks_are_one_token_each_and_survive_decoding(tokenizer: Any) -> None:
    for mark in ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>"):
        ids = tokenizer.encode(mark)
        assert len(ids) == 1
        assert tokenizer.decode(ids, skip_special_tokens=True) == mark


def test_turn_marks_vanish_when_special_tokens_are_skipped(tokenizer: Any) -> None:
    assert tokenizer.decode(tokenizer.encode("<|im_end|>"), skip_special_tokens=True) == ""


def test_the_added_tokens_are_the_real_ones_in_the_real_order(
    expected: dict[str, Any], tokenizer: Any
) -> None:
    real = json.loads((REAL_FAMILIES / "qwen3" / "tokenizer_config.json").read_text())
    mine = json.loads((QWEN / "tokenizer_config.json").read_text())

    def flags(config: dict[str, Any]) -> list[tuple[str, bool]]:
        rows = sorted(config["added_tokens_decoder"].items(), key=lambda row: int(row[0]))
        return [(row["content"], row["special"]) for _, row in rows]

    assert flags(mine) == flags(real)


@pytest.mark.parametrize(
    "name",
    ["system_user_assistant_user", "no_system", "single_user", "with_tools", "tool_roundtrip"],
)
def test_the_template_renders_as_the_real_one(
    name: str, expected: dict[str, Any], tokenizer: Any
) -> None:
    about = expected["_about"]
    talk = about["conversation"]
    messages, tools = {
        "system_user_assistant_user": (talk, None),
        "no_system": (talk[1:], None),
        "single_user": (talk[1:2], None),
        "with_tools": (talk[1:2], about["tool"]),
        "tool_roundtrip": (about["tool_roundtrip"], about["tool"]),
    }[name]
    rendered = render(tokenizer, messages, tools=tools)
    assert rendered == expected["qwen3"]["rendered"][name]


LONG_TALKS: list[list[dict[str, Any]]] = [
    [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "<think>\nb\n</think>\n\nc"},
    ],
    [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "reasoning_content": "why"},
        {"role": "user", "content": [{"type": "text", "text": "lost"}]},
        {"role": "system", "content": "again"},
        {"role": "user", "content": "d"},
        {
            "role": "assistant",
            "content": "look",
            "reasoning_content": "\nhm\n",
            "tool_calls": [
                {"name": "f", "arguments": '{"x": 1}'},
                {"function": {"name": "g", "arguments": {"y": "<é>"}}},
            ],
        },
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "2"},
    ],
]


@pytest.mark.parametrize("messages", LONG_TALKS)
@pytest.mark.parametrize("think", [True, False])
def test_reasoning_tools_and_odd_content_render_as_with_the_real_template(
    messages: list[dict[str, Any]], think: bool, expected: dict[str, Any], tokenizer: Any
) -> None:
    real = (REAL_FAMILIES / "qwen3" / "chat_template.jinja").read_text()
    mine = render(tokenizer, messages, enable_thinking=think)
    assert mine == render(tokenizer, messages, enable_thinking=think, chat_template=real)


def test_thinking_off_opens_the_answer_with_an_empty_thought(tokenizer: Any) -> None:
    talk = [{"role": "user", "content": "hi"}]
    tail = "<|im_start|>assistant\n"
    assert render(tokenizer, talk).endswith(tail)
    off = render(tokenizer, talk, enable_thinking=False)
    assert off.endswith(tail + "<think>\n\n</think>\n\n")


def test_the_two_configs_disagree_about_the_end_as_the_real_ones_do(tokenizer: Any) -> None:
    config = json.loads((QWEN / "config.json").read_text())
    generation = json.loads((QWEN / "generation_config.json").read_text())
    turn, text = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    assert config["eos_token_id"] == tokenizer.eos_token_id == text
    assert generation["eos_token_id"] == [turn, text]
