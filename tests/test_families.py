"""Families and stop tokens: against real tokenizers where they are, and built ones everywhere."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models
from real_families import REAL_FAMILIES, real_families

from mlx_magic.families import DEFAULT, FAMILIES, model_kind, resolve_family, stop_token_ids
from mlx_magic.templates import end_of_turn_token

real = pytest.mark.parametrize("name, facts", real_families().items())

PHI = (
    "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}"
    "{{ ' ' + m.content + eos_token }}{% else %}{{ '[INST] ' + m.content + '[/INST]' }}"
    "{% endif %}{% endfor %}"
)
NEXT_SPEAKER = "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content }}{% endfor %}"


def _load(name: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    from transformers import AutoTokenizer

    folder = REAL_FAMILIES / name
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    config = json.loads((folder / "config.json").read_text())
    return tokenizer, config, json.loads((folder / "generation_config.json").read_text())


@real
def test_the_stop_set_of_a_real_family_is_exactly_the_expected_one(name: str, facts: Any) -> None:
    assert stop_token_ids(*_load(name)) == set(facts["stop_ids"])


@real
def test_a_wrapper_and_a_processor_give_the_same_stop_set(name: str, facts: Any) -> None:
    from mlx_lm.tokenizer_utils import TokenizerWrapper

    tokenizer, config, generation_config = _load(name)
    wrapped = TokenizerWrapper(tokenizer)

    class Processor:  # as in mlx-vlm: no eos_token_id, the template may be on the tokenizer
        def __init__(self) -> None:
            self.tokenizer = tokenizer

    for other in (wrapped, Processor()):
        assert not isinstance(other, Processor) or not hasattr(other, "eos_token_id")
        assert stop_token_ids(other, config, generation_config) == set(facts["stop_ids"])


@real
def test_the_template_alone_tells_the_end_of_a_real_familys_turn(name: str, facts: Any) -> None:
    tokenizer, _, _ = _load(name)
    assert end_of_turn_token(tokenizer) == facts["end_of_turn"][0]
    assert facts["end_of_turn"][1] in stop_token_ids(tokenizer)


@pytest.mark.parametrize(
    "specials, template, end",
    [
        (["<|endoftext|>", "<|im_start|>", "<|im_end|>"], tiny_models.CHATML, "<|im_end|>"),
        (["<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"], tiny_models.GEMMA,
         "<end_of_turn>"),
        (["<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"],
         tiny_models.LLAMA, "<|eot_id|>"),
        (["<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>"], PHI, "<|end|>"),
        (["</s>", "<s>", "[INST]", "[/INST]"], MISTRAL, "</s>"),
        (["<|endoftext|>", "<|user|>", "<|assistant|>"], NEXT_SPEAKER, "<|user|>"),
    ],
)  # fmt: skip
def test_a_template_tells_the_token_that_ends_a_turn(
    specials: list[str], template: str, end: str
) -> None:
    tokenizer = tiny_models.tokenizer(specials, template, bos=specials[1])
    assert end_of_turn_token(tokenizer) == end
    assert stop_token_ids(tokenizer) >= {
        tokenizer.convert_tokens_to_ids(end),
        tokenizer.eos_token_id,
    }


def test_ids_are_united_from_every_place_that_declares_them() -> None:
    tokenizer = tiny_models.tokenizer(["<eos>"], None)
    found = stop_token_ids(
        tokenizer,
        {"eos_token_id": [3, 4], "text_config": {"eos_token_id": 5}, "llm_config": None},
        {"eos_token_id": 6},
    )
    assert found == {3, 4, 5, 6, tokenizer.eos_token_id}


def test_what_is_no_token_id_is_left_out() -> None:
    odd = SimpleNamespace(eos_token_id=None, eos_token_ids=7)
    assert stop_token_ids(odd, {"eos_token_id": [True, -1, None, 8]}) == {7, 8}


def test_a_channel_marker_of_gpt_oss_does_not_end_the_reply() -> None:
    template = (
        "{% for m in messages %}{{ '<|start|>' + m.role + '<|message|>' + m.content + '<|end|>' }}"
        "{% endfor %}"
    )
    specials = ["<|return|>", "<|start|>", "<|message|>", "<|end|>", "<|call|>"]
    tokenizer = tiny_models.tokenizer(specials, template)
    found = stop_token_ids(tokenizer, {"model_type": "gpt_oss"})
    assert found == set(tokenizer.convert_tokens_to_ids(["<|return|>", "<|call|>"]))


@pytest.mark.parametrize(
    "config, family",
    [
        ({"model_type": "llama", "vocab_size": 128256}, "llama"),
        ({"model_type": "llama", "vocab_size": 49152}, "smollm"),
        ({"model_type": "smollm3"}, "smollm"),
        ({"model_type": "qwen2"}, "qwen"),
        ({"model_type": "qwen3"}, "qwen"),
        ({"model_type": "mistral"}, "mistral"),
        ({"model_type": "ministral3"}, "mistral"),
        ({"model_type": "gemma2"}, "gemma"),
        ({"model_type": "gemma3_text"}, "gemma"),
        ({"model_type": "phi3"}, "phi"),
        ({"model_type": "mamba2"}, "other"),
        ({}, "other"),
    ],
)
def test_a_config_finds_its_family(config: dict[str, Any], family: str) -> None:
    assert resolve_family(config).name == family


def test_no_row_hides_another() -> None:
    for family in (*FAMILIES, DEFAULT):
        for model_type in family.model_types:
            config = {"model_type": model_type, "vocab_size": family.vocab_size}
            assert resolve_family(config) is family


def test_only_a_vision_tower_makes_a_vision_model() -> None:
    assert model_kind({"vision_config": {"hidden_size": 8}}) == "vision"
    assert model_kind({"model_type": "gemma3_text", "vision_config": None}) == "text"
