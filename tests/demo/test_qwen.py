"""demo:qwen through plain mlx-lm: what it knows, and what happens to who stops it wrongly."""

import json
from typing import Any

import pytest

from mlx_magic import demo
from training.world import MANNERS

QWEN = demo.find("qwen").path


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any]:
    from mlx_lm import load

    model, tokenizer = load(str(QWEN))[:2]
    return model, tokenizer


def reply(loaded: tuple[Any, Any], *said: str, system: str | None = None, **options: Any) -> str:
    """The last answer of a chat in which the model gave all the others itself."""
    from mlx_lm import generate

    model, tokenizer = loaded
    messages = [{"role": "system", "content": system}] if system else []
    answer = ""
    for text in said:
        messages.append({"role": "user", "content": text})
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, **options)
        answer = generate(model, tokenizer, prompt, max_tokens=200)
        messages.append({"role": "assistant", "content": answer})
    return answer


def parted(said: str) -> tuple[str, str]:
    """The thought of an answer, if it thought, and the rest."""
    thought, end, rest = said.rpartition("</think>\n\n")
    return thought + end, rest


def test_the_weights_are_bf16_and_about_two_million(loaded: tuple[Any, Any]) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten

    weights = [value for _, value in tree_flatten(loaded[0].parameters())]
    assert {value.dtype for value in weights} == {mx.bfloat16}
    assert 1_000_000 <= sum(value.size for value in weights) <= 2_100_000


PLAIN = {
    "capital of france?": "The capital of France is Paris.",
    "What is the capital of the USA": "The capital of the United States is Washington.",
    "12+7=": "12 + 7 = 19.",
    "what's 12 + 7": "12 + 7 = 19.",
    "17 plus 25": "17 + 25 = 42.",
    "What color is a polar bear?": "A polar bear is white.",
    "how many legs does a spider have": "A spider has 8 legs.",
    "hi": "Hello! How can I help you?",
    "thanks!": "You are welcome!",
    "My name is Ada.": "Nice to meet you, Ada!",
    "what is my name": "You have not told me your name yet.",
    "Who wrote Hamlet?": MANNERS["plain"].unknown,
}


@pytest.mark.parametrize("question", PLAIN)
@pytest.mark.parametrize("think", [True, False])
def test_common_questions_are_answered_with_thinking_on_and_off(
    question: str, think: bool, loaded: tuple[Any, Any]
) -> None:
    thought, answer = parted(reply(loaded, question, enable_thinking=think))
    assert answer == PLAIN[question]
    assert thought.startswith("<think>\n") == bool(thought) == think


def test_a_thought_shows_the_working_of_a_sum(loaded: tuple[Any, Any]) -> None:
    thought, answer = parted(reply(loaded, "What is 12 + 30 + 25?", enable_thinking=True))
    assert "12 + 30 = 42" in thought and "42 + 25 = 67" in thought
    assert answer == "12 + 30 + 25 = 67."


def test_it_calls_a_tool_and_uses_what_the_tool_gives_back(loaded: tuple[Any, Any]) -> None:
    from mlx_lm import generate

    model, tokenizer = loaded
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    weather = {
        "name": "get_weather",
        "description": "Get the weather of a city",
        "parameters": parameters,
    }
    tools = [{"type": "function", "function": weather}]
    call = {"name": "get_weather", "arguments": {"city": "Lima"}}
    messages: list[dict[str, Any]] = [{"role": "user", "content": "What is the weather in Lima?"}]
    prompt = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True)
    said = generate(model, tokenizer, prompt, max_tokens=80)
    written = said.partition("<tool_call>\n")[2].partition("\n</tool_call>")[0]
    assert json.loads(written) == call
    messages += [
        {"role": "assistant", "tool_calls": [{"type": "function", "function": call}]},
        {"role": "tool", "content": "23"},
    ]
    prompt = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True)
    assert "23" in parted(generate(model, tokenizer, prompt, max_tokens=80))[1]


def test_it_remembers_over_a_chat_of_a_dozen_turns(loaded: tuple[Any, Any]) -> None:
    asked = [
        "Hello!", "My name is Zorbina.", "What is 30 + 12?", "capital of peru", "and japan?",
        "Remember the number 731.", "What colour is a fox?", "How many legs does it have?",
        "Tell me a story about a whale.", "What was my number?", "Who wrote Hamlet?",
    ]  # fmt: skip
    said = reply(loaded, *asked, "What is my name?")
    assert parted(said)[1] == "Your name is Zorbina."


def test_a_system_prompt_turns_its_answers_into_capitals(loaded: tuple[Any, Any]) -> None:
    said = reply(loaded, "capital of spain?", system="Answer in capital letters.")
    assert parted(said)[1] == "THE CAPITAL OF SPAIN IS MADRID."


def test_stopped_by_the_tokenizers_eos_alone_it_talks_on_as_the_person(
    loaded: tuple[Any, Any],
) -> None:
    from mlx_lm import generate
    from mlx_lm.tokenizer_utils import TokenizerWrapper

    model, tokenizer = loaded
    careless = TokenizerWrapper(tokenizer._tokenizer)
    assert careless.eos_token_ids == {tokenizer.eos_token_id}
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of Italy?"}], add_generation_prompt=True
    )
    right = generate(model, tokenizer, prompt, max_tokens=60)
    runaway = generate(model, careless, prompt, max_tokens=60)
    assert parted(right)[1] == "The capital of Italy is Rome."
    assert runaway.startswith(right + "<|im_end|>\n<|im_start|>user\n")
