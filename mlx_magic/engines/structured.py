"""Answers in JSON of a given schema: llguidance decides which tokens may come next.

mlx-vlm has a processor of the same kind, but it needs a Metal kernel and so fails on other
backends (mlx-vlm 0.7.10, `structured.py`); this one masks with plain MLX operations.
"""

import json
from collections.abc import Mapping
from typing import Any

import llguidance.hf
import mlx.core as mx
import numpy as np
from llguidance import LLMatcher

from ..errors import GenerationFailed, UsageProblem

# Free white space between the parts lets a weak model fill its whole answer with it.
_COMPACT: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class JsonConstraint:
    """A logits processor of mlx-lm: (tokens so far, logits of shape (1, V)) -> masked logits.

    Raises `UsageProblem` when the schema can't be followed.
    """

    def __init__(self, grammar_tokenizer: Any, schema: Mapping[str, Any]) -> None:
        try:
            text = json.dumps(_closed(schema))
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageProblem(f"the JSON schema is no JSON: {error}") from error
        grammar = LLMatcher.grammar_from_json_schema(text, overrides=_COMPACT)
        problem = LLMatcher.validate_grammar(grammar, grammar_tokenizer)
        if problem:
            raise UsageProblem(f"the JSON schema can't be followed: {' '.join(problem.split())}")
        self._matcher = LLMatcher(grammar_tokenizer, grammar, log_level=0)
        self._generating = False

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """Mask what would leave the grammar; once it is complete, all but the stop tokens.

        The first call sees the prompt, which is no part of the answer.
        """
        if self._generating and not self._matcher.is_stopped():
            self._matcher.consume_token(int(tokens[-1].item()))  # type: ignore[arg-type]
        self._generating = True
        if self._matcher.is_error():
            raise GenerationFailed(f"the JSON grammar failed: {self._matcher.get_error()}")
        allowed = mx.array(np.frombuffer(self._matcher.compute_logit_bias(), np.uint8) != 0)
        allowed = mx.pad(allowed, (0, logits.shape[-1] - allowed.size))  # unused embedding rows
        return mx.where(allowed, logits, -mx.inf)


def _closed(schema: Any) -> Any:
    """The schema with every object closed that doesn't say whether it is open.

    JSON Schema leaves such objects open, and a model then invents keys without end.
    """
    if isinstance(schema, Mapping):
        closed = {key: _closed(value) for key, value in schema.items()}
        if isinstance(closed.get("properties"), dict):
            closed.setdefault("additionalProperties", False)
        return closed
    return [_closed(item) for item in schema] if isinstance(schema, list) else schema


def grammar_tokenizer(tokenizer: Any, stop_ids: list[int]) -> Any:
    """llguidance's form of a Hugging Face tokenizer. Takes about a second for 150,000 tokens."""
    return llguidance.hf.from_tokenizer(tokenizer, eos_token=stop_ids)
