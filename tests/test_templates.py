"""Rendering conversations: real templates give the expected text, and nothing is lost silently."""

from typing import Any

import pytest
import tiny_models
from real_families import REAL_FAMILIES, real_families

from mlx_magic.errors import TemplateRefused
from mlx_magic.templates import render_prompt

CONVERSATION = [
    {"role": "system", "content": "You are a terse assistant."},
    {"role": "user", "content": "What is 2+2?"},
    {"role": "assistant", "content": "4"},
    {"role": "user", "content": "And doubled?"},
]
LIST_ONLY = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + ':' }}{% for part in m.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>{% endfor %}"
)
DROPS_SYSTEM = (
    "{% for m in messages if m.role != 'system' %}{{ m.role + ':' + m.content }}{% endfor %}"
)
DROPS_ASSISTANT = DROPS_SYSTEM.replace("'system'", "'assistant'")


def _tokenizer(template: str | None) -> Any:
    return tiny_models.tokenizer(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], template)


@pytest.mark.parametrize("name, facts", real_families().items())
def test_a_real_family_renders_the_expected_prompt(
    name: str, facts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime

    import transformers.utils.chat_template_utils as utils
    from transformers import AutoTokenizer

    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2025, 1, 15)

    if hasattr(utils, "datetime"):
        monkeypatch.setattr(utils, "datetime", Frozen)
    utils._compile_jinja_template.cache_clear()
    tokenizer = AutoTokenizer.from_pretrained(REAL_FAMILIES / name, trust_remote_code=False)
    expected = facts["rendered"]
    assert render_prompt(tokenizer, CONVERSATION) == expected["system_user_assistant_user"]
    assert render_prompt(tokenizer, CONVERSATION[1:]) == expected["no_system"]
    if facts.get("prompt_ids") and facts["vocab"] == "verified":
        prompt = render_prompt(tokenizer, CONVERSATION)
        assert tokenizer.encode(prompt, add_special_tokens=False) == facts["prompt_ids"]


@pytest.mark.parametrize("family", ["gemma"])
def test_a_system_message_that_is_refused_folds_into_the_first_user_turn(family: str) -> None:
    prompt = render_prompt(_tokenizer(tiny_models.FAMILIES[family][1]), CONVERSATION)
    assert "user\nYou are a terse assistant.\n\nWhat is 2+2?<end_of_turn>" in prompt


def test_a_system_message_that_is_dropped_folds_into_the_first_user_turn() -> None:
    prompt = render_prompt(_tokenizer(DROPS_SYSTEM), CONVERSATION)
    assert prompt.startswith("user:You are a terse assistant.\n\nWhat is 2+2?")


def test_a_template_that_wants_lists_gets_them() -> None:
    prompt = render_prompt(_tokenizer(LIST_ONLY), CONVERSATION)
    assert "<|im_start|>user:And doubled?<|im_end|>" in prompt


def test_a_broken_rule_is_named_in_one_line() -> None:
    twice = [CONVERSATION[1], CONVERSATION[1]]
    with pytest.raises(TemplateRefused, match="roles must alternate") as caught:
        render_prompt(_tokenizer(tiny_models.GEMMA), twice)
    assert "\n" not in str(caught.value)


def test_a_message_that_would_be_lost_is_an_error() -> None:
    with pytest.raises(TemplateRefused, match="assistant message does not reach"):
        render_prompt(_tokenizer(DROPS_ASSISTANT), CONVERSATION)


def test_a_printed_list_is_not_taken_for_a_prompt() -> None:
    with pytest.raises(TemplateRefused):
        render_prompt(_tokenizer("{{ messages[0].content | length > 99 and '' }}"), CONVERSATION)
    only_lists_pass = "{% if messages[0].content is string %}{{ raise_exception('no') }}{% endif %}"
    with pytest.raises(TemplateRefused, match="no"):
        render_prompt(_tokenizer(only_lists_pass + "{{ messages[0].content }}"), CONVERSATION[1:2])


def test_the_conversation_that_is_rendered_stays_as_it_was() -> None:
    before = [dict(message) for message in CONVERSATION]
    render_prompt(_tokenizer(tiny_models.GEMMA), CONVERSATION)
    assert before == CONVERSATION
