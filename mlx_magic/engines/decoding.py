"""One answer while it is decoded: its events, its tokens, its times. Both engines feed it."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx_lm.generate import TextStateMachine, make_text_state_machine

from ..errors import GenerationFailed, MlxMagicError
from ..events import Channel, Finished, FinishReason, GenerationStats, TextDelta
from .protocol import Cancelled, Control

# mlx-lm's text state -> the channel of our events
_CHANNELS: dict[str, Channel] = {"normal": "text", "reasoning": "reasoning", "tool": "tool_call"}


@dataclass
class Decoded:
    """What a token came to: the text that it completes, and on the last one why it ended.

    mlx-lm's `GenerationResponse` has the same fields, and more.
    """

    text: str
    token: int
    finish_reason: str | None = None


class Answer:
    """An answer under way; `tokenizer` is mlx-lm's wrapper, `started` a `time.perf_counter`.

    `tokens` are all ids so far, the stop token included.
    """

    def __init__(self, tokenizer: Any, prompt: str, started: float) -> None:
        self.tokens: list[int] = []
        self._splitter = ChannelSplitter(tokenizer, prompt)
        self._clock = _Clock(started)
        self._finish: FinishReason = "length"

    def events(
        self, responses: Generator[Decoded], control: Control, spec: str
    ) -> Iterator[TextDelta]:
        """The text of the responses; ends early, and without an error, after a cancel.

        Raises `GenerationFailed` with what MLX says.
        """
        try:
            for response in responses:
                self._clock.tick()
                self.tokens.append(int(response.token))
                yield from self._splitter.feed(response.text)
                if response.finish_reason == "stop":
                    self._finish = "stop"
                elif response.finish_reason is None and control.cancelled:
                    self._finish = "interrupted"
                    break
            yield from self._splitter.flush()
        except Cancelled:
            self._finish = "interrupted"
        except MlxMagicError:
            raise
        except (RuntimeError, ValueError) as error:  # MLX and mlx-vlm raise nothing narrower
            raise GenerationFailed(f"{spec} stopped: MLX says {error}") from error
        finally:
            responses.close()  # a suspended generator keeps the KV cache and the wired limit

    def finished(
        self, prompt_tokens: int, cached_tokens: int, seed: int, revision: str | None
    ) -> Finished:
        """The last event: `cached_tokens` of the prompt were known from an earlier turn."""
        finish, tokens = self._finish, self.tokens
        if finish == "stop":
            tokens = tokens[:-1]
            finish = "tool_calls" if self._splitter.called_tool else finish
        clock, ttft = self._clock, self._clock.ttft_seconds
        stats = GenerationStats(
            prompt_tokens=prompt_tokens,
            cached_tokens=cached_tokens,
            generation_tokens=clock.count,
            ttft_seconds=ttft,
            prompt_tps=(prompt_tokens - cached_tokens) / ttft if clock.count else 0.0,
            generation_tps=clock.decode_tps,
            peak_memory_bytes=int(mx.get_peak_memory()),
            finish_reason=finish,
            seed=seed,
            revision=revision,
        )
        return Finished(stats, tuple(tokens))


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


class ChannelSplitter:
    """Splits decoded text into answer, reasoning and tool calls, by mlx-lm's own markers."""

    def __init__(self, tokenizer: Any, prompt: str) -> None:
        machine = make_text_state_machine(tokenizer)
        initial = tokenizer.response_initial_state or "normal"
        if tokenizer.has_thinking and _opens_thinking(prompt, tokenizer):
            initial = "reasoning"
        self._state = machine.make_state(initial)
        self.called_tool = False

    def feed(self, text: str) -> Iterator[TextDelta]:
        """The deltas that `text` completes."""
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
