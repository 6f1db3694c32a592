"""Families: rows of data about model types, and the tokens at which a reply ends.

A row is looked up by the fields of config.json. A model of no known family gets `DEFAULT` and
works by what its own files and template say; a row only adds what those files are known to omit.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .events import Kind
from .templates import end_of_turn_token, unwrap_tokenizer


@dataclass(frozen=True)
class Family:
    """What is common to a family of models.

    `model_types` are config.json's `model_type` values. `vocab_size` narrows a row to models with
    that size, for families that share a model type. `stop_tokens` end a reply in every member
    that has them as a special token, whatever its configs say; `never_stop` are special tokens
    that a template closes a message with in the middle of a reply. `image_side` is the longest side
    of a picture, in pixels, that members make use of; larger ones are made smaller first.
    """

    name: str
    model_types: tuple[str, ...]
    stop_tokens: tuple[str, ...] = ()
    never_stop: tuple[str, ...] = ()
    vocab_size: int | None = None
    image_side: int = 2048

    def matches(self, config: Mapping[str, Any]) -> bool:
        """Whether config.json describes a member of this family."""
        if config.get("model_type") not in self.model_types:
            return False
        return self.vocab_size is None or config.get("vocab_size") == self.vocab_size


DEFAULT = Family("other", ())

# First match wins. Sources: the generation_config.json, tokenizer_config.json and chat templates
# of the families' published repositories.
FAMILIES: tuple[Family, ...] = (
    # SmolLM2 is a Llama with its own tokenizer; its configs leave out <|endoftext|>.
    Family("smollm", ("llama",), ("<|im_end|>", "<|endoftext|>"), vocab_size=49152),
    Family("smollm", ("smollm3", "smolvlm", "idefics3"), ("<end_of_utterance>",)),
    # Base repositories list <|end_of_text|> only; <|eom_id|> ends a built-in tool call.
    Family("llama", ("llama", "llama4", "llama4_text", "mllama"), ("<|eot_id|>", "<|eom_id|>")),
    # MLX conversions of Qwen3 come without generation_config.json. Their processors take any size,
    # at a token for 28 x 28 pixels; the model cards of Qwen2.5-VL recommend up to 1,280 of those.
    Family(
        "qwen",
        (
            *("qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "qwen3_next", "qwen3_5", "qwen3_5_moe"),
            *("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe"),
        ),
        ("<|im_end|>", "<|endoftext|>"),
        image_side=1280,
    ),
    Family("mistral", ("mistral", "mistral3", "ministral", "ministral3", "mixtral", "pixtral")),
    # The tokenizer's EOS is <eos>, which never ends a turn.
    Family(
        "gemma",
        ("gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma4"),
        ("<end_of_turn>", "<turn|>"),
    ),
    # Phi-3-vision has no generation_config.json; the tokenizer's EOS is <|endoftext|>.
    Family("phi", ("phi", "phi3", "phi3_v", "phi3small", "phimoe", "phi4mm"), ("<|end|>",)),
    # <|end|> closes a channel, not the reply; <|call|> hands over to a tool.
    Family("gpt-oss", ("gpt_oss",), ("<|return|>", "<|call|>"), ("<|end|>",)),
)


def resolve_family(config: Mapping[str, Any]) -> Family:
    """The row for a model's config.json; `DEFAULT` when no row matches."""
    return next((family for family in FAMILIES if family.matches(config)), DEFAULT)


# What the configs of vision models speak of, and what the tensors of their towers are called.
_TOWER_KEYS = ("vision_config", "img_processor", "mm_vision_tower", "visual", "vision_backbone")
_TOWER_TENSOR = re.compile(r"vis(ion|ual)|vpm|img|image", re.IGNORECASE)


def model_kind(config: Mapping[str, Any], tensor_names: Iterable[str] | None = None) -> Kind:
    """Whether a model sees pictures (it has a vision tower) or reads text only.

    A config may speak of a tower that is not in the files: conversions to text alone keep it.
    """
    if not any(config.get(key) for key in _TOWER_KEYS):
        return "text"
    if tensor_names is None or any(_TOWER_TENSOR.search(name) for name in tensor_names):
        return "vision"
    return "text"


def stop_token_ids(
    tokenizer_or_processor: Any,
    config: Mapping[str, Any] | None = None,
    generation_config: Mapping[str, Any] | None = None,
    family: Family | None = None,
) -> frozenset[int]:
    """The ids of every token that ends a reply of this model.

    Takes a Tokenizer, mlx-lm's TokenizerWrapper, or a Processor that wraps a tokenizer (and may
    lack `eos_token_id`). Unites the EOS ids of generation_config.json and config.json (its
    text part too), the tokenizer's own, the token with which the chat template closes an
    assistant turn, and the family's.

    >>> stop_token_ids(tokenizer, {"eos_token_id": 2})  # doctest: +SKIP
    frozenset({2, 32007})
    """
    config = config or {}
    family = family or resolve_family(config)
    tokenizer = unwrap_tokenizer(tokenizer_or_processor)
    declared: list[Any] = [(generation_config or {}).get("eos_token_id")]
    for part in (config, config.get("text_config"), config.get("llm_config")):
        declared.append(part.get("eos_token_id") if isinstance(part, Mapping) else None)
    # `eos_token_ids` may be an int, a list, a set or missing, depending on who made the object.
    for holder in (tokenizer_or_processor, tokenizer):
        for attribute in ("eos_token_id", "eos_token_ids", "additional_eos_token_ids"):
            declared.append(getattr(holder, attribute, None))

    added: Mapping[str, int] = getattr(tokenizer, "added_tokens_encoder", {})
    named = [*family.stop_tokens, end_of_turn_token(tokenizer_or_processor) or ""]
    ids = {id_ for value in declared for id_ in _as_ids(value)}
    ids |= {added[token] for token in named if token in added}
    return frozenset(ids - {added[token] for token in family.never_stop if token in added})


def _as_ids(value: Any) -> Iterable[int]:
    values = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    return [v for v in values if isinstance(v, int) and not isinstance(v, bool) and v >= 0]
