"""The text engine: a language model over mlx-lm's `stream_generate`."""

import copy
import functools
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx_lm import load, stream_generate
from mlx_lm.generate import generate_step, generation_stream, wired_limit

from ..errors import UsageProblem
from ..events import Event, Kind, PrefillProgress
from ..families import resolve_family, stop_token_ids
from ..messages import Message
from ..options import GenerationOptions
from . import adapters, prompts
from .decoding import Answer
from .device import giving_back
from .loading import evaluate, load_problem, own_bytes
from .prefix import MIN_CACHE_BYTES, PrefixCache, needs_marks
from .prompts import PREFILL_CHUNK_TOKENS
from .protocol import Control
from .sampling import DEFAULT_MAX_TOKENS, Sampling, is_plain

if TYPE_CHECKING:
    from ..adapters import AdapterSnapshot
    from ..snapshot import Snapshot


class TextEngine:
    """A language model with its tokenizer; made by `load`, used on the MLX thread only."""

    kind: Kind = "text"

    def __init__(
        self,
        snapshot: "Snapshot",
        model: Any,
        tokenizer: Any,
        *,
        draft: Any = None,
        base: "TextEngine | None" = None,
        adapter: "AdapterSnapshot | None" = None,
    ) -> None:
        self.family = resolve_family(snapshot.config)
        self.weight_bytes = 0
        self.tokenizer = tokenizer
        self._model = model
        self._draft = draft
        self._base = base
        self._adapter = adapter
        self._snapshot = snapshot
        self._prefixes = PrefixCache(max(snapshot.weight_bytes, MIN_CACHE_BYTES))

    @classmethod
    def load(cls, snapshot: "Snapshot", draft: "Snapshot | None" = None) -> "TextEngine":
        """See `load_engine`: everything but the weights' bytes, which `read_weights` reads.

        Raises `ModelUnsupported` for an architecture that mlx-lm lacks, `SnapshotBroken` for
        damaged files, `UsageProblem` for a draft with another vocabulary.
        """
        model, tokenizer = _load(snapshot)
        guesser = None
        if draft is not None:
            guesser, its_tokenizer = _load(draft)
            _require_same_vocabulary(snapshot, tokenizer, draft, its_tokenizer)
        return cls(snapshot, model, tokenizer, draft=guesser)

    def read_weights(self) -> None:
        """See `Engine.read_weights`."""
        if self._adapter is not None:
            adapters.read_weights(self._model, self._adapter)
        evaluate(self._snapshot, self.parameters())
        self.weight_bytes = own_bytes(self.parameters(), self.shared_parameters())

    def view(self, adapter: "AdapterSnapshot") -> "TextEngine":
        """See `Engine.view`."""
        model = adapters.prepare(self._model, adapter, self._snapshot.spec)
        return TextEngine(self._snapshot, model, self.tokenizer, base=self, adapter=adapter)

    def parameters(self) -> list[Any]:
        """See `Engine.parameters`."""
        return [model.parameters() for model in self._models()]

    def shared_parameters(self) -> list[Any]:
        """See `Engine.shared_parameters`."""
        return [] if self._base is None else self._base.parameters()

    def modules(self) -> list[Any]:
        """See `Engine.modules`."""
        return [module for model in self._models() for module in model.modules()]

    def _models(self) -> list[Any]:
        return [model for model in (self._model, self._draft) if model is not None]

    @functools.cached_property
    def stop_ids(self) -> frozenset[int]:
        """The ids of the tokens that end a reply: see `families.stop_token_ids`."""
        snapshot = self._snapshot
        return stop_token_ids(
            self.tokenizer, snapshot.config, snapshot.generation_config, self.family
        )

    @functools.cached_property
    def _sampling(self) -> Sampling:
        return Sampling(self._snapshot.generation_config, self.tokenizer, self.stop_ids)

    @property
    def cache_bytes(self) -> int:
        """See `Engine.cache_bytes`."""
        return self._prefixes.nbytes

    def stream(
        self, messages: Sequence[Message], options: GenerationOptions, control: Control
    ) -> Iterator[Event]:
        """See `Engine.stream`."""
        started = time.perf_counter()
        options = self._sampling.complete(options)
        prompt = self.render(messages, options)
        prompt_ids = self.tokenizer.encode(prompt, add_special_tokens=False, verbose=False)
        prompts.require_context(self._snapshot, len(prompt_ids))
        # mlx-lm knows the EOS ids of the configs; a turn may end with another token.
        self.tokenizer.eos_token_ids = self.stop_ids
        seed = self._sampling.seed(options)
        mx.reset_peak_memory()

        cached_tokens, cache = 0, None
        if self._draft is not None and is_plain(options):
            responses = self._drafted_responses(prompt_ids, options)
        else:
            cache, rest_ids = self._prefixes.take(self._model, prompt_ids)
            cached_tokens = len(prompt_ids) - len(rest_ids)
            # What any later turn starts with, whatever this one's answer.
            mark = self._turn_start(messages, options, prompt_ids) if needs_marks(cache) else 0
            responses = self._responses(prompt_ids, cached_tokens, cache, mark, options, control)

        answer = Answer(self.tokenizer, prompt, started)
        yield from answer.events(responses, control, self._snapshot.spec)
        # Not reached after an error, nor by a generator that is dropped half-way.
        if cache is not None:
            self._prefixes.keep([*prompt_ids, *answer.tokens], cache)
        yield answer.finished(len(prompt_ids), cached_tokens, seed, self._snapshot.revision)

    def _responses(
        self,
        prompt_ids: list[int],
        held: int,
        cache: list[Any],
        mark: int,
        options: GenerationOptions,
        control: Control,
    ) -> Generator[Any]:
        """mlx-lm's responses to a prompt whose first `held` tokens are in `cache` already.

        On the way, a copy of the cache as it is after `mark` tokens is kept.
        """
        settings = {
            "prompt_cache": cache,
            "prefill_step_size": PREFILL_CHUNK_TOKENS[mx.default_device().type],
        }

        def report(done: int, _: int) -> None:  # of the part that mlx-lm was given
            control.prefill(PrefillProgress(held + int(done), len(prompt_ids)))

        if held < mark:
            part = mx.array(prompt_ids[held:mark])
            with wired_limit(self._model, [generation_stream]):
                for _ in generate_step(
                    part, self._model, max_tokens=0, prompt_progress_callback=report, **settings
                ):
                    pass
            held = mark
            self._prefixes.keep(prompt_ids[:held], copy.deepcopy(cache))
        yield from stream_generate(
            self._model,
            self.tokenizer,
            prompt_ids[held:],
            max_tokens=options.max_tokens or DEFAULT_MAX_TOKENS,
            sampler=self._sampling.sampler(options),
            logits_processors=self._sampling.logits_processors(options, prompt_ids[:held]),
            prompt_progress_callback=report,
            **settings,
        )

    def _drafted_responses(
        self, prompt_ids: list[int], options: GenerationOptions
    ) -> Generator[Any]:
        """mlx-lm's responses with the draft model guessing ahead.

        It offers no progress there, so that a cancel waits for the first token, and its caches
        run ahead of the text by what was guessed, so that none is kept.
        """
        yield from stream_generate(
            self._model,
            self.tokenizer,
            prompt_ids,
            max_tokens=options.max_tokens or DEFAULT_MAX_TOKENS,
            draft_model=self._draft,
            sampler=self._sampling.sampler(options),
            prefill_step_size=PREFILL_CHUNK_TOKENS[mx.default_device().type],
        )

    def _turn_start(
        self, messages: Sequence[Message], options: GenerationOptions, prompt_ids: list[int]
    ) -> int:
        """How many of the prompt's tokens come before the invitation to answer.

        Templates may word the invitation otherwise once the answer stands there (without its
        reasoning, say), so this is as far as later prompts are sure to go along.
        """
        bare = self.render(messages, options, add_generation_prompt=False)
        bare_ids = self.tokenizer.encode(bare, add_special_tokens=False, verbose=False)
        most = min(len(bare_ids), len(prompt_ids) - 1)
        return next((n for n in range(most) if prompt_ids[n] != bare_ids[n]), most)

    def render(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        *,
        add_generation_prompt: bool = True,
    ) -> str:
        """The prompt text of a conversation, by the model's chat template."""
        return prompts.render(
            self._snapshot,
            self.tokenizer,
            messages,
            options,
            add_generation_prompt=add_generation_prompt,
        )

    def drop_caches(self) -> None:
        """See `Engine.drop_caches`."""
        with giving_back(self.cache_bytes):
            self._prefixes.clear()

    def close(self) -> None:
        """Drop the weights and the caches."""
        with giving_back(self.weight_bytes + self.cache_bytes):
            self._model = self._draft = self._base = None
            self._prefixes.clear()


ENGINE = TextEngine


def _load(snapshot: "Snapshot") -> tuple[Any, Any]:
    """Model and tokenizer; the weights are announced and not read."""
    try:
        # An explicit False keeps transformers from asking on the kernel's standard input.
        model, tokenizer = load(
            str(snapshot.path), tokenizer_config={"trust_remote_code": False}, lazy=True
        )[:2]
    except Exception as error:  # a damaged file may break mlx-lm or transformers anywhere
        raise load_problem(snapshot, error, "mlx-lm") from error
    return model, tokenizer


def _require_same_vocabulary(
    snapshot: "Snapshot", tokenizer: Any, draft: "Snapshot", its_tokenizer: Any
) -> None:
    ours, theirs = tokenizer.get_vocab(), its_tokenizer.get_vocab()
    if ours != theirs:
        alike = sum(theirs.get(token) == number for token, number in ours.items())
        raise UsageProblem(
            f"{draft.spec} can't draft for {snapshot.spec}: {alike:,} of {len(ours):,} tokens are "
            "the same in both; take a smaller model of the same family and generation"
        )
