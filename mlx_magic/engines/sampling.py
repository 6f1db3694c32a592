"""How the next token is chosen: mlx-lm's samplers and logits processors, from our options."""

import functools
import secrets
from collections.abc import Mapping
from typing import Any

import mlx.core as mx
from mlx_lm.sample_utils import make_logits_processors, make_sampler

from ..options import GenerationOptions

DEFAULT_MAX_TOKENS = 1024

# What a repetition penalty looks back on, as in mlx-lm.
_PENALTY_CONTEXT_TOKENS = 20


class Sampling:
    """The choices of one model: its makers' defaults, its tokenizer, its stop tokens."""

    def __init__(
        self, generation_config: Mapping[str, Any], tokenizer: Any, stop_ids: frozenset[int]
    ) -> None:
        self._defaults = _model_defaults(generation_config)
        self._tokenizer = tokenizer
        self._stop_ids = stop_ids

    def complete(self, options: GenerationOptions) -> GenerationOptions:
        """The options, with the model's own defaults where nothing was said."""
        return options.with_defaults(self._defaults)

    def seed(self, options: GenerationOptions) -> int:
        """Seed this thread's random state, and say with what."""
        seed = secrets.randbits(32) if options.seed is None else options.seed
        mx.random.seed(seed)
        return seed

    def sampler(self, options: GenerationOptions) -> Any:
        """mlx-lm's sampler: log probabilities `(1, V)` -> token `(1,)`."""
        top_k = options.top_k or 0
        if top_k >= len(self._tokenizer):
            top_k = 0  # all tokens: the same choice, and mlx-lm refuses the number
        return make_sampler(
            temp=options.temperature or 0.0,
            top_p=options.top_p or 0.0,
            min_p=options.min_p or 0.0,
            top_k=top_k,
        )

    def logits_processors(self, options: GenerationOptions, before: list[int]) -> list[Any]:
        """What narrows the choice of the next token: (tokens, logits `(1, V)`) -> logits.

        `before` are the prompt's ids that the generating loop doesn't see.
        """
        processors = make_logits_processors(
            repetition_penalty=options.repetition_penalty,
            repetition_context_size=_PENALTY_CONTEXT_TOKENS,
        )
        if before:
            unseen = mx.array(before[-_PENALTY_CONTEXT_TOKENS:])
            processors = [_seeing(unseen, processor) for processor in processors]
        if options.json_schema is not None:
            from .structured import JsonConstraint

            processors.append(JsonConstraint(self._grammar_tokenizer, options.json_schema))
        return list(processors)

    @functools.cached_property
    def _grammar_tokenizer(self) -> Any:
        from .structured import grammar_tokenizer

        return grammar_tokenizer(self._tokenizer._tokenizer, sorted(self._stop_ids))


def is_plain(options: GenerationOptions) -> bool:
    """Whether nothing narrows the choice of tokens by those before: guesses would count as said."""
    return options.json_schema is None and options.repetition_penalty is None


def _seeing(before: mx.array, processor: Any) -> Any:
    """A logits processor that looks back on tokens which were not read again."""
    return lambda tokens, logits: processor(mx.concatenate([before, tokens]), logits)


def _model_defaults(generation_config: Mapping[str, Any]) -> dict[str, Any]:
    """The sampling that a model's makers recommend; greedy unless they say `do_sample`."""
    if not generation_config.get("do_sample"):
        return {}
    names = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
    return {
        name: generation_config[name]
        for name in names
        if GenerationOptions.accepts(name, generation_config.get(name))
    }
