"""The text engine: a language model over mlx-lm's `stream_generate`."""

import functools
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx_lm import load, stream_generate
from mlx_lm.generate import TextStateMachine, make_text_state_machine
from mlx_lm.sample_utils import make_logits_processors, make_sampler

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
from ..templates import render_prompt
from .device import free_unused
from .protocol import Cancelled, Control

if TYPE_CHECKING:
    from ..hub import Snapshot

# Tokens read at once. A cancel takes effect between chunks, so smaller is more responsive, and
# mlx-lm's own 2048 can take minutes on a CPU. There, larger is no faster; on a GPU it is, a little.
PREFILL_CHUNK_TOKENS = {mx.cpu: 128, mx.gpu: 512}

DEFAULT_MAX_TOKENS = 1024

# mlx-lm's text state -> the channel of our events
_CHANNELS: dict[str, Channel] = {"normal": "text", "reasoning": "reasoning", "tool": "tool_call"}


class TextEngine:
    """A language model with its tokenizer; made by `load`, used on the MLX thread only."""

    kind: Kind = "text"

    def __init__(self, snapshot: "Snapshot", model: Any, tokenizer: Any) -> None:
        self.family = resolve_family(snapshot.config)
        self.weight_bytes = int(mx.get_array_buffer_size(model.parameters()))
        self.tokenizer = tokenizer
        self._model = model
        self._snapshot = snapshot
        self._context_tokens = _context_tokens(snapshot.config)
        self._grammar_tokenizer: Any = None  # made when first needed
        self._defaults = _model_defaults(snapshot.generation_config)

    @classmethod
    def load(cls, snapshot: "Snapshot") -> "TextEngine":
        """Load the weights into memory, evaluated.

        Raises `ModelUnsupported` for an architecture that mlx-lm lacks, `SnapshotBroken` for
        damaged files.
        """
        try:
            # An explicit False keeps transformers from asking on the kernel's standard input.
            model, tokenizer = load(
                str(snapshot.path), tokenizer_config={"trust_remote_code": False}
            )[:2]
            return cls(snapshot, model, tokenizer)
        except Exception as error:  # a damaged file may break mlx-lm or transformers anywhere
            raise _load_problem(snapshot, error) from error

    @functools.cached_property
    def stop_ids(self) -> frozenset[int]:
        """The ids of the tokens that end a reply: see `families.stop_token_ids`."""
        snapshot = self._snapshot
        return stop_token_ids(
            self.tokenizer, snapshot.config, snapshot.generation_config, self.family
        )

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

        splitter = _ChannelSplitter(self.tokenizer, prompt)
        clock = _Clock(started)
        tokens: list[int] = []
        finish: FinishReason = "length"
        responses = stream_generate(
            self._model,
            self.tokenizer,
            prompt_ids,
            max_tokens=options.max_tokens or DEFAULT_MAX_TOKENS,
            sampler=self._sampler(options),
            logits_processors=self._logits_processors(options),
            prefill_step_size=PREFILL_CHUNK_TOKENS[mx.default_device().type],
            prompt_progress_callback=lambda done, total: control.prefill(
                PrefillProgress(int(done), int(total))
            ),
        )
        try:
            for response in responses:
                clock.tick()
                if response.finish_reason != "stop":
                    tokens.append(int(response.token))
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
        if finish == "stop" and splitter.called_tool:
            finish = "tool_calls"
        yield Finished(self._stats(clock, len(prompt_ids), finish, seed), tuple(tokens))

    def render(self, messages: Sequence[Message], options: GenerationOptions) -> str:
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
        return render_prompt(self.tokenizer, [m.to_openai() for m in messages], **extra)

    def close(self) -> None:
        """Drop the weights."""
        self._model = None
        free_unused()

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

    def _logits_processors(self, options: GenerationOptions) -> list[Any]:
        processors = make_logits_processors(repetition_penalty=options.repetition_penalty)
        if options.json_schema is not None:
            from .structured import JsonConstraint, grammar_tokenizer

            if self._grammar_tokenizer is None:
                self._grammar_tokenizer = grammar_tokenizer(
                    self.tokenizer._tokenizer, sorted(self.stop_ids)
                )
            processors.append(JsonConstraint(self._grammar_tokenizer, options.json_schema))
        return list(processors)

    def _stats(
        self, clock: "_Clock", prompt_tokens: int, finish: FinishReason, seed: int
    ) -> GenerationStats:
        ttft = clock.ttft_seconds
        return GenerationStats(
            prompt_tokens=prompt_tokens,
            cached_tokens=0,
            generation_tokens=clock.count,
            ttft_seconds=ttft,
            prompt_tps=prompt_tokens / ttft if clock.count else 0.0,
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


def _load_problem(snapshot: "Snapshot", error: Exception) -> Exception:
    """The one-line error for what mlx-lm or transformers said about a folder."""
    said = one_line(str(error), 300) or type(error).__name__
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
    return SnapshotBroken(
        f"{snapshot.spec} can't be loaded: {type(error).__name__}: {said}; "
        f"check the files in {snapshot.path}"
    )
