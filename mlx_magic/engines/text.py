"""The text engine: a language model over mlx-lm's `stream_generate`."""

import copy
import functools
import secrets
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx_lm import load, stream_generate
from mlx_lm.generate import (
    TextStateMachine,
    generate_step,
    generation_stream,
    make_text_state_machine,
    wired_limit,
)
from mlx_lm.sample_utils import make_logits_processors, make_sampler
from tokenizers import Tokenizer

from ..errors import GenerationFailed, ModelUnsupported, SnapshotBroken, UsageProblem
from ..events import (
    Channel,
    Event,
    Finished,
    FinishReason,
    GenerationStats,
    Kind,
    PrefillProgress,
    TextDelta,
)
from ..families import resolve_family, stop_token_ids
from ..messages import Message
from ..options import GenerationOptions
from ..plain import one_line
from ..snapshot import file_names, read_json, tensor_bytes, weight_files
from ..templates import render_prompt
from . import adapters
from .device import free_unused
from .prefix import PrefixCache, needs_marks
from .protocol import Cancelled, Control

if TYPE_CHECKING:
    from ..adapters import AdapterSnapshot
    from ..snapshot import Snapshot

# Tokens read at once. A cancel takes effect between chunks, so smaller is more responsive, and
# mlx-lm's own 2048 can take minutes on a CPU. There, larger is no faster; on a GPU it is, a little.
PREFILL_CHUNK_TOKENS = {mx.cpu: 128, mx.gpu: 512}

DEFAULT_MAX_TOKENS = 1024

# What a repetition penalty looks back on, as in mlx-lm.
_PENALTY_CONTEXT_TOKENS = 20

# The kept KV caches weigh no more than the model, or than this if the model is small.
_MIN_CACHE_BYTES = 2**28

# mlx-lm's text state -> the channel of our events
_CHANNELS: dict[str, Channel] = {"normal": "text", "reasoning": "reasoning", "tool": "tool_call"}


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
        self._context_tokens = _context_tokens(snapshot.config)
        self._grammar_tokenizer: Any = None  # made when first needed
        self._prefixes = PrefixCache(max(snapshot.weight_bytes, _MIN_CACHE_BYTES))
        self._defaults = _model_defaults(snapshot.generation_config)

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
        try:
            mx.eval(self.parameters())
        except RuntimeError as error:  # MLX raises nothing narrower, and names no file
            raise _read_problem(self._snapshot, error) from error
        shared = self.shared_parameters()
        both = mx.get_array_buffer_size(self.parameters(), shared)  # counts each buffer once
        self.weight_bytes = int(both) - int(mx.get_array_buffer_size(shared))

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

    @property
    def cache_bytes(self) -> int:
        """See `Engine.cache_bytes`."""
        return self._prefixes.nbytes

    def stream(
        self, messages: Sequence[Message], options: GenerationOptions, control: Control
    ) -> Iterator[Event]:
        """See `Engine.stream`."""
        started = time.perf_counter()
        options = options.with_defaults(self._defaults)
        prompt = self.render(messages, options)
        prompt_ids = self.tokenizer.encode(prompt, add_special_tokens=False, verbose=False)
        if self._context_tokens and len(prompt_ids) > self._context_tokens:
            raise UsageProblem(
                f"the prompt is {len(prompt_ids):,} tokens and {self._snapshot.spec} reads "
                f"{self._context_tokens:,}; shorten it, or start afresh with %%chat --new"
            )
        # mlx-lm knows the EOS ids of the configs; a turn may end with another token.
        self.tokenizer.eos_token_ids = self.stop_ids
        seed = secrets.randbits(32) if options.seed is None else options.seed
        mx.random.seed(seed)  # random state belongs to a thread
        mx.reset_peak_memory()

        drafting = self._draft is not None and _is_plain(options)
        cached_tokens, cache = 0, None
        if drafting:
            responses = self._drafted_responses(prompt_ids, options)
        else:
            cache, rest_ids = self._prefixes.take(self._model, prompt_ids)
            cached_tokens = len(prompt_ids) - len(rest_ids)
            # What any later turn starts with, whatever this one's answer.
            mark = self._turn_start(messages, options, prompt_ids) if needs_marks(cache) else 0
            responses = self._responses(prompt_ids, cached_tokens, cache, mark, options, control)

        splitter = _ChannelSplitter(self.tokenizer, prompt)
        clock = _Clock(started)
        generated: list[int] = []
        finish: FinishReason = "length"
        try:
            for response in responses:
                clock.tick()
                generated.append(int(response.token))
                yield from splitter.feed(response.text)
                if response.finish_reason:
                    finish = response.finish_reason
                elif control.cancelled:
                    finish = "interrupted"
                    break
            yield from splitter.flush()
        except Cancelled:
            finish = "interrupted"
        except RuntimeError as error:  # MLX raises nothing narrower
            raise GenerationFailed(f"{self._snapshot.spec} stopped: MLX says {error}") from error
        finally:
            responses.close()  # a suspended generator keeps the KV cache and the wired limit
        # Not reached after an error, nor by a generator that is dropped half-way.
        if cache is not None:
            self._prefixes.keep([*prompt_ids, *generated], cache)
        tokens = tuple(generated[:-1] if finish == "stop" else generated)
        if finish == "stop" and splitter.called_tool:
            finish = "tool_calls"
        yield Finished(self._stats(clock, len(prompt_ids), cached_tokens, finish, seed), tokens)

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
            sampler=self._sampler(options),
            logits_processors=self._logits_processors(options, prompt_ids[:held]),
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
            sampler=self._sampler(options),
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
        if not self.tokenizer.has_chat_template:
            raise UsageProblem(
                f"{self._snapshot.spec} has no chat template (a base model?); "
                "load its instruct version"
            )
        if options.think and not self.tokenizer.has_thinking:
            raise UsageProblem(f"{self._snapshot.spec} has no thinking mode; leave out --think")
        think = options.think
        if options.json_schema is not None:
            think = False  # the answer is to be JSON from its first token on
        extra = {} if think is None else {"enable_thinking": think}
        return render_prompt(
            self.tokenizer,
            [m.to_openai() for m in messages],
            add_generation_prompt=add_generation_prompt,
            **extra,
        )

    def drop_caches(self) -> None:
        """See `Engine.drop_caches`."""
        self._prefixes.clear()
        free_unused()

    def close(self) -> None:
        """Drop the weights and the caches."""
        self._model = self._draft = self._base = None
        self.drop_caches()

    def _sampler(self, options: GenerationOptions) -> Any:
        top_k = options.top_k or 0
        if top_k >= len(self.tokenizer):
            top_k = 0  # all tokens: the same choice, and mlx-lm refuses the number
        return make_sampler(
            temp=options.temperature or 0.0,
            top_p=options.top_p or 0.0,
            min_p=options.min_p or 0.0,
            top_k=top_k,
        )

    def _logits_processors(self, options: GenerationOptions, before: list[int]) -> list[Any]:
        """What narrows the choice of the next token; `before` are the ids mlx-lm doesn't see."""
        processors = make_logits_processors(
            repetition_penalty=options.repetition_penalty,
            repetition_context_size=_PENALTY_CONTEXT_TOKENS,
        )
        if before:
            unseen = mx.array(before[-_PENALTY_CONTEXT_TOKENS:])
            processors = [_seeing(unseen, processor) for processor in processors]
        if options.json_schema is not None:
            from .structured import JsonConstraint, grammar_tokenizer

            if self._grammar_tokenizer is None:
                self._grammar_tokenizer = grammar_tokenizer(
                    self.tokenizer._tokenizer, sorted(self.stop_ids)
                )
            processors.append(JsonConstraint(self._grammar_tokenizer, options.json_schema))
        return list(processors)

    def _stats(
        self,
        clock: "_Clock",
        prompt_tokens: int,
        cached_tokens: int,
        finish: FinishReason,
        seed: int,
    ) -> GenerationStats:
        ttft = clock.ttft_seconds
        return GenerationStats(
            prompt_tokens=prompt_tokens,
            cached_tokens=cached_tokens,
            generation_tokens=clock.count,
            ttft_seconds=ttft,
            prompt_tps=(prompt_tokens - cached_tokens) / ttft if clock.count else 0.0,
            generation_tps=clock.decode_tps,
            peak_memory_bytes=int(mx.get_peak_memory()),
            finish_reason=finish,
            seed=seed,
            revision=self._snapshot.revision,
        )


ENGINE = TextEngine


class _Clock:
    """Times of the first and the last token; seconds since the request's start."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._first = self._last = started
        self.count = 0

    def tick(self) -> None:
        self._last = time.perf_counter()
        if self.count == 0:
            self._first = self._last
        self.count += 1

    @property
    def ttft_seconds(self) -> float:
        end = self._first if self.count else time.perf_counter()
        return end - self._started

    @property
    def decode_tps(self) -> float:
        seconds = self._last - self._first
        return (self.count - 1) / seconds if seconds > 0 else 0.0


class _ChannelSplitter:
    """Splits decoded text into answer, reasoning and tool calls, by mlx-lm's own markers."""

    def __init__(self, tokenizer: Any, prompt: str) -> None:
        machine = make_text_state_machine(tokenizer)
        initial = tokenizer.response_initial_state or "normal"
        if tokenizer.has_thinking and _opens_thinking(prompt, tokenizer):
            initial = "reasoning"
        self._state = machine.make_state(initial)
        self.called_tool = False

    def feed(self, text: str) -> Iterator[TextDelta]:
        self._state, segments = TextStateMachine.split(self._state, text)
        for state, piece in segments:
            self.called_tool |= state == "tool"
            if piece:
                yield TextDelta(piece, _CHANNELS.get(state, "text"))

    def flush(self) -> Iterator[TextDelta]:
        """What was held back because it might have become a marker."""
        self._state, piece, state = TextStateMachine.flush(self._state)
        if piece:
            yield TextDelta(piece, _CHANNELS.get(state, "text"))


def _seeing(before: mx.array, processor: Any) -> Any:
    """A logits processor that looks back on tokens which were not read again."""
    return lambda tokens, logits: processor(mx.concatenate([before, tokens]), logits)


def _opens_thinking(prompt: str, tokenizer: Any) -> bool:
    """Whether the template itself has opened the thinking that the model is to continue."""
    return bool(prompt.rstrip().endswith(tokenizer.think_start))


def _context_tokens(config: Mapping[str, Any]) -> int:
    """How many tokens the model was made for; 0 where its config doesn't say."""
    text = config.get("text_config")
    for part in (config, text if isinstance(text, Mapping) else {}):
        if isinstance(part.get("max_position_embeddings"), int):
            return int(part["max_position_embeddings"])
    return 0


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


def _is_plain(options: GenerationOptions) -> bool:
    """Whether nothing narrows the choice of tokens by those before: guesses would count as said."""
    return options.json_schema is None and options.repetition_penalty is None


def _load(snapshot: "Snapshot") -> tuple[Any, Any]:
    """Model and tokenizer; the weights are announced and not read."""
    try:
        # An explicit False keeps transformers from asking on the kernel's standard input.
        model, tokenizer = load(
            str(snapshot.path), tokenizer_config={"trust_remote_code": False}, lazy=True
        )[:2]
    except Exception as error:  # a damaged file may break mlx-lm or transformers anywhere
        raise _load_problem(snapshot, error) from error
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


def _read_problem(snapshot: "Snapshot", error: Exception) -> SnapshotBroken:
    """The file that can't be read: the one whose size has changed, or any of the folder's."""
    try:
        names = weight_files(file_names(snapshot.path))
        for name in names:
            tensor_bytes(snapshot.path / name)
    except SnapshotBroken as damage:
        return damage
    except OSError as missing:
        return SnapshotBroken(f"{snapshot.spec} can't be read: {missing}")
    return SnapshotBroken(
        f"{snapshot.spec} can't be read: MLX says {one_line(str(error), 200)}; "
        f"check {' and '.join(names[:2])} in {snapshot.path}"
    )


def _load_problem(snapshot: "Snapshot", error: Exception) -> Exception:
    """The one-line error for what mlx-lm or transformers said about a folder."""
    said = one_line(str(error), 300) or type(error).__name__
    damaged = _damaged_json(snapshot)
    if damaged is not None:
        return damaged
    model_type = snapshot.config.get("model_type")
    if isinstance(error, ImportError):
        return ModelUnsupported(
            f"{snapshot.spec} needs a package that is not installed ({said}); "
            "pip install it and load again"
        )
    if "not supported" in said or "custom module" in said:
        return ModelUnsupported(
            f"mlx-lm does not run {snapshot.spec} (model type {model_type!r}): {said}; "
            "look for another conversion under mlx-community"
        )
    if isinstance(error, ValueError) and ("parameters" in said or "shape" in said):
        return SnapshotBroken(
            f"{snapshot.spec} can't be loaded: config.json and the weights disagree: {said}; "
            f"copy both again into {snapshot.path}"
        )
    return SnapshotBroken(
        f"{snapshot.spec} can't be loaded: {type(error).__name__}: {said}; "
        f"check config.json and tokenizer.json in {snapshot.path}"
    )


def _damaged_json(snapshot: "Snapshot") -> SnapshotBroken | None:
    """The JSON file that holds no object, or is no tokenizer, if that is the trouble."""
    for name in sorted(file_names(snapshot.path)):
        if not name.endswith(".json"):
            continue
        try:
            read_json(snapshot.path / name)
            if name == "tokenizer.json":
                Tokenizer.from_file(str(snapshot.path / name))
        except SnapshotBroken as problem:
            return problem
        except Exception as problem:  # noqa: BLE001 - tokenizers raises nothing narrower
            return SnapshotBroken(
                f"{snapshot.path / name} is no tokenizer: {one_line(str(problem), 200)}; "
                "copy it again"
            )
    return None
