"""Pictures in a prompt: what the model's processor makes of them, and which tokens tell of which.

It decides nothing about reuse; it gives every token of the prompt a key by which it may be known
again. A picture's own tokens are all alike, so that their keys are those of its content.
"""

import hashlib
import io
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx_vlm.utils import prepare_inputs
from PIL import Image

from ..messages import ImagePart

# Pictures that are kept decoded between turns: 3 bytes a pixel, outside of MLX's memory.
_KEPT_DECODED = 4


@dataclass(frozen=True)
class Reading:
    """A prompt as a vision model reads it.

    `ids` are its tokens; `keys` the same, with a picture's tokens replaced by numbers below zero
    that tell the picture; `picture_of` says for each token which picture it belongs to, or -1.
    Where that is not `certain`, the keys tell nothing. `inputs` are the processor's arrays for all
    pictures of the prompt.
    """

    ids: list[int]
    keys: list[int]
    picture_of: list[int]
    inputs: dict[str, Any]
    certain: bool = True


class _PicturesOnly:
    """An image processor that is spared the options of the text.

    LLaVA's Processor hands them on, and they are refused (mlx-vlm 0.7.10,
    https://github.com/Blaizzy/mlx-vlm/issues/870).
    """

    def __init__(self, image_processor: Any) -> None:
        self._image_processor = image_processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._image_processor, name)

    def __call__(self, images: Any, **_: Any) -> Any:
        return self._image_processor(images)


class PictureReader:
    """The processor of one model. Runs on the MLX thread.

    `mark` is what stands for a picture in prompts, if the model's template can place one; `side`
    the longest side in pixels that the family makes use of.
    """

    def __init__(
        self, processor: Any, config: Any, tokenizer: Any, mark: str | None, side: int
    ) -> None:
        if type(processor).__name__ == "LlavaProcessor":
            processor.image_processor = _PicturesOnly(processor.image_processor)
        self._processor = processor
        self._tokenizer = tokenizer
        self._mark = mark or ""
        self._side = side
        self._placeholders = _placeholder_ids(config, processor)
        self._adds_bos = False  # known after the first prompt
        self._decoded: OrderedDict[str, Image.Image] = OrderedDict()
        self._tokens_of: dict[str, int] = {}  # picture -> how many tokens it becomes

    def reserved(self) -> list[str]:
        """What no text may hold, since it would be taken for a picture."""
        tokens = self._tokenizer.convert_ids_to_tokens(self._placeholders)
        return [text for text in (self._mark, *tokens) if isinstance(text, str) and text]

    def forget(self) -> None:
        """Drop the pictures that are kept decoded."""
        self._decoded.clear()

    def read(self, prompt: str, pictures: Sequence[ImagePart]) -> Reading:
        """The tokens and arrays of a prompt with as many marks as pictures.

        Raises `ValueError` as the processor does, for a picture that it can't take.
        """
        if not pictures:
            ids = self._tokenizer.encode(prompt, add_special_tokens=False, verbose=False)
            return Reading(ids, ids, [-1] * len(ids), {})
        names = _names(pictures)
        inputs = self._process(prompt, pictures, names)
        ids = inputs.pop("input_ids")
        shown = [at for at, id_ in enumerate(ids) if id_ == self._placeholder(ids)]
        counts = [len(shown)] if len(names) == 1 else self._counts(prompt, pictures, names)
        owners = [index for index, count in enumerate(counts) for _ in range(count)]
        picture_of, keys = [-1] * len(ids), list(ids)
        if not shown or len(owners) != len(shown):  # perhaps it depends on their company
            return Reading(ids, keys, picture_of, inputs, certain=False)
        for position, owner in zip(shown, owners, strict=True):
            picture_of[position] = owner
            keys[position] = -1 - int(names[owner][:15], 16)
        return Reading(ids, keys, picture_of, inputs)

    def rest(
        self, reading: Reading, held: int, prompt: str, pictures: Sequence[ImagePart]
    ) -> dict[str, Any]:
        """The arrays for the tokens after the first `held`: of the pictures among them alone."""
        later = [owner for owner in reading.picture_of[held:] if owner >= 0]
        if held == 0 or (later and later[0] == 0):
            return reading.inputs
        if not later:
            return {}
        first = later[0]
        tail = self._mark + prompt.split(self._mark, first + 1)[-1]
        inputs = self._process(tail, pictures[first:], _names(pictures[first:]))
        del inputs["input_ids"]
        return inputs

    def _counts(
        self, prompt: str, pictures: Sequence[ImagePart], names: Sequence[str]
    ) -> list[int]:
        """How many tokens each picture becomes by itself."""
        texts = prompt.split(self._mark)[1:]  # each picture's, up to the next one's mark
        for text, picture, name in zip(texts, pictures, names, strict=True):
            if name not in self._tokens_of:
                ids = self._process(self._mark + text, [picture], [name])["input_ids"]
                self._tokens_of[name] = ids.count(self._placeholder(ids))
        return [self._tokens_of[name] for name in names]

    def _placeholder(self, ids: Sequence[int]) -> int | None:
        """The id that is repeated for a picture in this prompt."""
        return next((id_ for id_ in self._placeholders if id_ in ids), None)

    def _process(
        self, prompt: str, pictures: Sequence[ImagePart], names: Sequence[str]
    ) -> dict[str, Any]:
        """What mlx-vlm and the processor make of it; `input_ids` as a list."""
        bos = getattr(self._tokenizer, "bos_token", None)
        inputs = prepare_inputs(
            self._processor,
            images=[self._picture(*pair) for pair in zip(pictures, names, strict=True)],
            prompts=prompt.removeprefix(bos) if bos and self._adds_bos else prompt,
            image_token_index=next(iter(self._placeholders), None),
            add_special_tokens=False,
        )
        ids = inputs["input_ids"].flatten().tolist()
        if bos and not self._adds_bos and ids[:2] == [self._tokenizer.bos_token_id] * 2:
            # Some processors add one although the template has written it (mlx-vlm 0.7.10).
            self._adds_bos = True
            return self._process(prompt, pictures, names)
        return {**inputs, "input_ids": ids}

    def _picture(self, picture: ImagePart, name: str) -> Image.Image:
        """The picture decoded, no larger than the family makes use of."""
        image = self._decoded.pop(name, None)
        if image is None:
            with Image.open(io.BytesIO(picture.png), formats=["PNG"]) as opened:
                image = opened.convert("RGB")
            image.thumbnail((self._side, self._side), Image.Resampling.LANCZOS)
        self._decoded[name] = image
        while len(self._decoded) > _KEPT_DECODED:
            self._decoded.popitem(last=False)
        return image


def _names(pictures: Sequence[ImagePart]) -> list[str]:
    """What tells pictures by their content: SHA-256 in hexadecimal."""
    return [hashlib.sha256(picture.png).hexdigest() for picture in pictures]


def _placeholder_ids(config: Any, processor: Any) -> list[int]:
    """Ids that may stand for a picture, by whichever name config and processor have them."""
    names = ("image_token_index", "image_token_id", "image_token_idx")
    found = [getattr(holder, name, None) for holder in (config, processor) for name in names]
    return [id_ for id_ in found if isinstance(id_, int)]


def positions(model: Any, reading: Reading) -> dict[str, mx.array]:
    """Multimodal rotary positions of a whole prompt, for the models that have them (Qwen-VL).

    `position_ids` `(3, 1, L)` and `rope_deltas` `(1, 1)`. The model takes those of its rest for
    those of the prompt when the beginning is in the cache already (mlx-vlm 0.7.10,
    `_prime_cached_prefix_rope_state` in generate/dispatch.py does the same).
    """
    index = getattr(model.language_model, "get_rope_index", None)
    if index is None:
        return {}
    ids = mx.array(reading.ids)[None]
    grid = reading.inputs.get("image_grid_thw")
    position_ids, rope_deltas = index(ids, grid, None, mx.ones_like(ids))
    return {"position_ids": position_ids, "rope_deltas": rope_deltas}
