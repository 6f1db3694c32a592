"""KV caches kept between turns, so that no model reads again what it has read.

mlx-lm's `LRUPromptCache` finds the kept cache that shares the longest prefix with a prompt and
hands out a copy; the copy's buffers are shared until they are written to. What is kept is only
what is certain: a cache whose layers all agree on how many tokens they hold, of kinds whose reuse
gives the tokens of a fresh reading.
"""

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import LRUPromptCache, make_prompt_cache, trim_prompt_cache

# mlx-vlm has classes of its own under mlx-lm's names; importing them here would take a second.
# Left out, as of mlx-lm 0.32.2: ChunkedKVCache lets itself be trimmed to before what it still
# holds, ConcatenateKVCache appends after the tokens that it was to forget, and quantized caches,
# which this package never makes.
_LIBRARIES = ("mlx_lm.models.cache", "mlx_vlm.models.cache")
_CERTIFIED = ("KVCache", "RotatingKVCache", "ArraysCache")

MAX_CACHES = 8

# The kept caches weigh no more than the model, or than this if the model is small.
MIN_CACHE_BYTES = 2**28

# One engine, one store: the name under which mlx-lm files its caches says nothing.
_KEY = ""


class PrefixCache:
    """The KV caches of one model's last turns, least recently kept first to go.

    Beyond `max_bytes` only the newest stays. Everything runs on the MLX thread; `nbytes` may be
    read from any. A token's id stands for what was read: a picture's tokens, which are all alike,
    need others that tell the picture.

    >>> cache, rest = PrefixCache(2**30).take(model, [1, 2, 3])  # doctest: +SKIP
    >>> rest
    [1, 2, 3]
    """

    def __init__(
        self, max_bytes: int, make_cache: Callable[[Any], list[Any]] = make_prompt_cache
    ) -> None:
        self._make_cache = make_cache
        self._store = LRUPromptCache(max_size=MAX_CACHES)
        self._max_bytes = max_bytes
        self._layers: weakref.WeakSet[Any] = weakref.WeakSet()  # of the caches in the store
        self.nbytes = 0

    def take(self, model: Any, ids: Sequence[int]) -> tuple[list[Any], list[int]]:
        """A cache that holds a prefix of the prompt, and the ids left to read: at least one.

        The cache is the caller's; what it is made from stays as it is.
        """
        ids = list(ids)
        cache, _ = self._store.fetch_nearest_cache(_KEY, ids)
        if cache is not None and position(cache) == len(ids):
            trim_prompt_cache(cache, 1)  # generation needs a token to begin with
        held = position(cache) if cache is not None else None
        if cache is None or held is None or held >= len(ids):
            return self._make_cache(model), ids
        for layer in _flat(cache):
            _cut(layer)
        return cache, ids[held:]

    def keep(self, tokens: Sequence[int], cache: list[Any]) -> None:
        """Keep what a turn has left: `cache` holds `tokens`, or as many of them as it has read.

        Generation runs a step ahead, so it may also hold one more, which is trimmed. One that
        holds yet more (of a model that makes several tokens of one) is not kept.
        """
        held = position(cache)
        if held is not None and held == len(tokens) + 1:
            trim_prompt_cache(cache, 1)
            held = position(cache)
        if not held or held > len(tokens):
            return
        tokens = list(tokens[:held])
        if len(self._store.fetch_nearest_cache(_KEY, tokens)[1]) == 1:
            return  # the store can give as much already, from a longer one
        mx.eval([_arrays(layer) for layer in _flat(cache)])  # a recurrent layer's step may wait
        self._layers.update(_flat(cache))
        self._store.insert_cache(_KEY, tokens, cache)
        newest_bytes = sum(layer.nbytes for layer in cache)
        self._store.trim_to(n_bytes=max(self._max_bytes, newest_bytes))
        self._count()

    def clear(self) -> None:
        """Drop every cache."""
        self._store.trim_to(n_sequences=0)
        self._count()

    def _count(self) -> None:
        """The bytes MLX holds for the kept caches; buffers that several share count once."""
        self.nbytes = int(mx.get_array_buffer_size([_arrays(layer) for layer in self._layers]))


def position(cache: Sequence[Any]) -> int | None:
    """How many tokens a cache holds; None where that, or its safe reuse, is not certain."""
    layers = list(_flat(cache))
    if not all(_kind(layer) in _CERTIFIED for layer in layers):
        return None
    offsets = {layer.offset for layer in layers if _kind(layer) != "ArraysCache"}
    return int(offsets.pop()) if len(offsets) == 1 else None


def needs_marks(cache: Sequence[Any]) -> bool:
    """Whether a cache can't be trimmed at will: sliding windows and recurrent layers forget.

    Then only what was kept on the way can be gone back to.
    """
    return position(cache) is not None and any(_kind(c) != "KVCache" for c in _flat(cache))


def _flat(cache: Sequence[Any]) -> Iterator[Any]:
    for layer in cache:
        if _kind(layer) == "CacheList":
            yield from _flat(layer.caches)
        else:
            yield layer


def _kind(layer: Any) -> str:
    """The name of a library's own class; nothing for any other class."""
    kind = type(layer)
    return kind.__name__ if kind.__module__ in _LIBRARIES else ""


def _arrays(layer: Any) -> Any:
    """The arrays that a layer holds: whole buffers, where `state` gives mlx-vlm's in slices."""
    return layer.state if _kind(layer) == "ArraysCache" else (layer.keys, layer.values)


def _cut(layer: Any) -> None:
    """Leave out the slots that a trim has emptied, or the copy would be as large as before it."""
    if _kind(layer) == "KVCache" and layer.keys is not None:
        slots = (layer.offset // layer.step + 1) * layer.step
        layer.keys, layer.values = layer.keys[..., :slots, :], layer.values[..., :slots, :]
