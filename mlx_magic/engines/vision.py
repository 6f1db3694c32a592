"""The vision engine: a vision-language model over mlx-vlm's `generate_step`.

Not over its `stream_generate`: that one stops by a state on the shared tokenizer which outlives a
request, reports no progress, can't be cancelled while it reads the prompt, and its own prompt
cache answers about the picture before (https://github.com/Blaizzy/mlx-vlm/issues/1933).
"""

import copy
import functools
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx_lm.tokenizer_utils import load as load_tokenizer
from mlx_vlm import load
from mlx_vlm.generate import generate_step
from mlx_vlm.generate.ar import DEFAULT_PREFILL_STEP_SIZE
from mlx_vlm.generate.common import generation_stream, wired_limit
from mlx_vlm.models.cache import make_prompt_cache
from mlx_vlm.prompt_utils import SINGLE_IMAGE_ONLY_MODELS

from ..errors import GenerationFailed, ModelUnsupported, UsageProblem
from ..events import Event, Kind, PrefillProgress
from ..families import resolve_family, stop_token_ids
from ..messages import ImagePart, Message
from ..options import GenerationOptions
from ..plain import one_line
from ..templates import picture_mark
from . import prompts
from .decoding import Answer, Decoded
from .device import giving_back
from .loading import evaluate, load_problem, own_bytes, quiet
from .prefix import MIN_CACHE_BYTES, PrefixCache, needs_marks
from .prompts import PREFILL_CHUNK_TOKENS
from .protocol import Control
from .sampling import DEFAULT_MAX_TOKENS, Sampling
from .seeing import PictureReader, Reading, positions

if TYPE_CHECKING:
    from ..adapters import AdapterSnapshot
    from ..snapshot import Snapshot

# The model types whose KV caches give the tokens of a fresh reading, also with pictures among what
# is read after them, or only without (tests/test_vision_reuse.py). Qwen3-VL looks for its pictures
# at their places in the whole prompt; llava_next makes several tokens of one inside the model.
_REUSING = frozenset(
    {"gemma3", "idefics3", "llava", "pixtral", "qwen2_vl", "qwen2_5_vl", "smolvlm"}
)
_REUSING_BEFORE_TEXT = frozenset({"qwen3_vl"})


class VisionEngine:
    """A vision-language model with its processor; made by `load`, used on the MLX thread only."""

    kind: Kind = "vision"

    def __init__(self, snapshot: "Snapshot", model: Any, processor: Any, tokenizer: Any) -> None:
        self.family = resolve_family(snapshot.config)
        self.weight_bytes = 0
        self.tokenizer = tokenizer
        self.processor = processor
        self._model = model
        self._config = model.config
        self._snapshot = snapshot
        self._prefixes = PrefixCache(
            max(snapshot.weight_bytes, MIN_CACHE_BYTES),
            lambda model: make_prompt_cache(model.language_model),
        )

    @classmethod
    def load(cls, snapshot: "Snapshot", draft: "Snapshot | None" = None) -> "VisionEngine":
        """See `load_engine`: everything but the weights' bytes, which `read_weights` reads.

        Raises `ModelUnsupported` for an architecture that mlx-vlm lacks, `SnapshotBroken` for
        damaged files, `UsageProblem` for a draft.
        """
        if draft is not None:
            raise UsageProblem(f"{snapshot.spec} is a vision model, which takes no --draft")
        try:
            # An explicit False keeps transformers from asking on the kernel's standard input.
            with quiet():
                model, processor = load(str(snapshot.path), lazy=True, trust_remote_code=False)
                tokenizer = load_tokenizer(snapshot.path, {"trust_remote_code": False})
        except Exception as error:  # a damaged file may break mlx-vlm or transformers anywhere
            raise load_problem(snapshot, error, "mlx-vlm") from error
        return cls(snapshot, model, processor, tokenizer)

    def read_weights(self) -> None:
        """See `Engine.read_weights`."""
        evaluate(self._snapshot, self.parameters())
        self.weight_bytes = own_bytes(self.parameters(), [])

    def view(self, adapter: "AdapterSnapshot") -> "VisionEngine":
        """Refuses: adapters are for text models."""
        raise ModelUnsupported(
            f"{adapter.spec} can't be laid over {self._snapshot.spec}, a vision model; "
            "adapters go over text models"
        )

    def parameters(self) -> list[Any]:
        """See `Engine.parameters`."""
        return [] if self._model is None else [self._model.parameters()]

    def shared_parameters(self) -> list[Any]:
        """See `Engine.shared_parameters`."""
        return []

    def modules(self) -> list[Any]:
        """See `Engine.modules`."""
        return [] if self._model is None else self._model.modules()

    @functools.cached_property
    def stop_ids(self) -> frozenset[int]:
        """The ids of the tokens that end a reply: see `families.stop_token_ids`."""
        snapshot = self._snapshot
        return stop_token_ids(
            self.processor, snapshot.config, snapshot.generation_config, self.family
        )

    @functools.cached_property
    def _sampling(self) -> Sampling:
        return Sampling(self._snapshot.generation_config, self.tokenizer, self.stop_ids)

    @functools.cached_property
    def _mark(self) -> str | None:
        return picture_mark(self.processor)

    @functools.cached_property
    def _reader(self) -> PictureReader:
        config, side = self._config, self.family.image_side
        return PictureReader(self.processor, config, self.tokenizer, self._mark, side)

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
        pictures = [picture for message in messages for picture in message.images]
        self._require_place(len(pictures))
        prompt = self.render(messages, options)
        reading = self._read(prompt, pictures)
        prompts.require_context(self._snapshot, len(reading.ids))
        seed = self._sampling.seed(options)
        mx.reset_peak_memory()

        cache, held = self._cache(reading)
        reuses = self._reuses(reading)
        marked = reuses and needs_marks(cache)
        mark = self._turn_start(messages, options, prompt, reading) if marked else 0
        given = self._reader.rest(reading, held, prompt, pictures)
        if held:
            given = {**given, **positions(self._model, reading)}
        responses = self._responses(reading, held, given, cache, mark, options, control)

        answer = Answer(self.tokenizer, prompt, started)
        yield from answer.events(responses, control, self._snapshot.spec)
        # Not reached after an error. A prompt half read is dropped: it may end inside a picture.
        if answer.tokens and reuses:
            self._prefixes.keep([*reading.keys, *answer.tokens], cache)
        yield answer.finished(len(reading.ids), held, seed, self._snapshot.revision)

    def _require_place(self, pictures: int) -> None:
        """Refuse more pictures than the model can take: none, or one."""
        spec, kind = self._snapshot.spec, self._model_type
        if pictures and self._mark is None:
            raise ModelUnsupported(
                f"how {spec} (model type {kind!r}) wants pictures in its prompts is not known "
                "here; ask it without, or load another vision model"
            )
        if pictures > 1 and kind in SINGLE_IMAGE_ONLY_MODELS:
            raise UsageProblem(
                f"{spec} takes one picture, and this conversation holds {pictures}; "
                "start afresh with %%chat --new"
            )

    def _reuses(self, reading: Reading) -> bool:
        return reading.certain and self._is_tested

    @property
    def _is_tested(self) -> bool:
        """Whether it is of a type that is known to bear reuse and small chunks."""
        return self._model_type in _REUSING | _REUSING_BEFORE_TEXT

    @property
    def _model_type(self) -> str:
        return str(self._snapshot.config.get("model_type"))

    def _read(self, prompt: str, pictures: Sequence[ImagePart]) -> Reading:
        try:
            with quiet():
                return self._reader.read(prompt, pictures)
        except Exception as error:  # processors raise whatever they stumble over
            said = one_line(str(error), 200)
            raise GenerationFailed(
                f"the processor of {self._snapshot.spec} can't take this: {said}"
            ) from error

    def _cache(self, reading: Reading) -> tuple[list[Any], int]:
        """A KV cache that holds the beginning of the prompt, and how many tokens of it."""
        if not self._reuses(reading):
            return make_prompt_cache(self._model.language_model), 0
        cache, rest = self._prefixes.take(self._model, reading.keys)
        held = len(reading.keys) - len(rest)
        owner = reading.picture_of
        inside = held > 0 and 0 <= owner[held] == owner[held - 1]  # a picture is read whole, or not
        before_text = self._model_type in _REUSING_BEFORE_TEXT
        if inside or (before_text and max(owner[held:]) >= 0):
            return make_prompt_cache(self._model.language_model), 0
        return cache, held

    def _responses(
        self,
        reading: Reading,
        held: int,
        given: dict[str, Any],
        cache: list[Any],
        mark: int,
        options: GenerationOptions,
        control: Control,
    ) -> Generator[Decoded]:
        """The tokens that follow a prompt whose first `held` tokens are in `cache` already.

        On the way, a copy of the cache as it is after `mark` tokens is kept.
        """
        total, ids = len(reading.ids), mx.array(reading.ids[held:])[None]
        chunk = PREFILL_CHUNK_TOKENS[mx.default_device().type]
        stops = {*range(chunk, total - held, chunk), *([mark - held] if held < mark else [])}
        tested = self._is_tested

        def checkpoint(done: int, filled: list[Any]) -> None:
            if held + done == mark:
                self._prefixes.keep(reading.keys[:mark], copy.deepcopy(filled))
            control.prefill(PrefillProgress(held + done, total))

        control.prefill(PrefillProgress(held, total))
        inputs = {name: value for name, value in given.items() if name != "attention_mask"}
        limit = options.max_tokens or DEFAULT_MAX_TOKENS
        detokenizer = self.tokenizer.detokenizer
        with wired_limit(self._model, [generation_stream]):
            steps = generate_step(
                ids,
                self._model,
                inputs.pop("pixel_values", None),
                mx.ones_like(ids),
                max_tokens=limit,
                temperature=0.0,  # or mlx-vlm would look for a default of its own
                sampler=self._sampling.sampler(options),
                logits_processors=self._sampling.logits_processors(options, reading.ids[:-1]),
                prompt_cache=cache,
                # The checkpoints alone divide it. Some types lose the places of their pictures
                # after the first chunk (glm4v in mlx-vlm 0.7.10): mlx-vlm's own size for those.
                prefill_step_size=total if tested else DEFAULT_PREFILL_STEP_SIZE,
                prompt_cache_checkpoint=checkpoint,
                prompt_cache_checkpoint_lengths=sorted(stops) if tested else [],
                **inputs,
            )
            for count, (token, _) in enumerate(steps, 1):
                if count == 1:
                    control.prefill(PrefillProgress(total, total))
                if token in self.stop_ids:
                    detokenizer.finalize()
                    yield Decoded(detokenizer.last_segment, token, "stop")
                    return
                detokenizer.add_token(token)
                if count == limit:
                    detokenizer.finalize()
                yield Decoded(detokenizer.last_segment, token, "length" if count == limit else None)

    def _turn_start(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        prompt: str,
        reading: Reading,
    ) -> int:
        """How many of the prompt's tokens come before the invitation to answer; 0 if unknown."""
        bare = self.render(messages, options, add_generation_prompt=False)
        if not prompt.startswith(bare):
            return 0
        invitation = self.tokenizer.encode(
            prompt[len(bare) :], add_special_tokens=False, verbose=False
        )
        before = len(reading.ids) - len(invitation)
        return before if invitation and reading.ids[before:] == invitation else 0

    def render(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        *,
        add_generation_prompt: bool = True,
    ) -> str:
        """The prompt text of a conversation, by the template of the processor or the tokenizer.

        Raises `UsageProblem` for a text that holds what stands for a picture.
        """
        reserved = self._reader.reserved()
        with quiet():
            return prompts.render(
                self._snapshot,
                self.tokenizer,
                [self._unmistakable(message, reserved) for message in messages],
                options,
                renderer=self.processor if getattr(self.processor, "chat_template", None) else None,
                picture_mark=self._mark,
                add_generation_prompt=add_generation_prompt,
            )

    def _unmistakable(self, message: Message, reserved: Sequence[str]) -> Message:
        """The message without words that would be taken for pictures: an answer may hold them."""
        held = [word for word in reserved if word in message.text]
        if not held:
            return message
        if message.role != "assistant":
            raise UsageProblem(
                f"the text holds {held[0]!r}, which stands for a picture in the prompts of "
                f"{self._snapshot.spec}; word it in another way"
            )
        text = message.text
        for word in held:
            text = text.replace(word, f"{word[0]} {word[1:]}")
        return Message.of("assistant", text)

    def drop_caches(self) -> None:
        """See `Engine.drop_caches`."""
        with giving_back(self.cache_bytes):
            self._prefixes.clear()
            if "_reader" in self.__dict__:  # made when first needed
                self._reader.forget()

    def close(self) -> None:
        """Drop the weights and the caches."""
        with giving_back(self.weight_bytes + self.cache_bytes):
            self._model = None
            self._prefixes.clear()


ENGINE = VisionEngine
