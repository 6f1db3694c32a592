"""LoRA adapters as views: a second module tree over the weights of a model in memory.

The base is never changed, so it and any number of views answer side by side, each at the cost of
its adapter's bytes. `view` runs on the MLX thread, as all that makes arrays.

mlx-lm's own `load_adapters` isn't used: it takes a file that lacks half of its tensors without a
word, and where an adapter from before https://github.com/ml-explore/mlx-lm/pull/515 names no `keys`
and means two layers of a block, it makes up weights for all the others.
"""

import copy
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.tuner.dora import DoRALinear
from mlx_lm.tuner.utils import linear_to_lora_layers

from ..adapters import ADAPTER_CONFIG, ADAPTER_WEIGHTS, AdapterSnapshot, check_base
from ..errors import ModelUnsupported, SnapshotBroken
from ..plain import one_line
from ..units import count
from .device import free_unused

# A layer's own name and what an adapter adds to it: two factors, and in DoRA a magnitude. Layers
# that mlx-lm fuses have numbered ones.
_TENSOR = re.compile(r"(?P<layer>.+)\.(?P<part>lora_a|lora_b|m)(\.\d+)?")


@dataclass(frozen=True)
class _Settings:
    """What `linear_to_lora_layers` reads of an adapter_config.json, checked."""

    dora: bool
    num_layers: int
    rank: int
    scale: float
    keys: tuple[str, ...] | None


def view(model: Any, adapter: AdapterSnapshot, base: str = "the base") -> Any:
    """A second model over the weights of `model`, with the adapter on it; evaluated, in eval mode.

        pirate = view(model, resolve_adapter("demo:pirate"), "demo:llama")
        own_bytes(pirate, model)  # the adapter's

    The same as `prepare` and `read_weights`, and raises what they raise.
    """
    changed = prepare(model, adapter, base)
    read_weights(changed, adapter)
    return changed


def prepare(model: Any, adapter: AdapterSnapshot, base: str = "the base") -> Any:
    """The view of `view` before the adapter's weights are read: it costs nothing, and says nothing
    yet.

    `base` is the model's spec. LoRA and DoRA adapters fit, over quantised weights too. Raises
    `ModelUnsupported` when the adapter doesn't fit; the model is as it was.
    """
    check_base(adapter, base)
    settings = _settings(adapter)
    _check_depth(model, settings, adapter, base)
    _check_rank(settings, adapter)
    changed = _converted(model, settings, adapter, base)
    _check_tensors(model, changed, settings, adapter, base)
    changed.eval()
    return changed


def read_weights(prepared: Any, adapter: AdapterSnapshot) -> None:
    """Bring the adapter's weights into what `prepare` has made of it, evaluated.

    Raises `SnapshotBroken` when they can't be read; then `prepared` is as it was.
    """
    prepared.load_weights(list(_weights(adapter).items()), strict=False)


def own_bytes(view: Any, base: Any) -> int:
    """Bytes of the arrays that a view has and its base has not."""
    shared = base.parameters()
    both = mx.get_array_buffer_size(view.parameters(), shared)  # counts each buffer once
    return int(both) - int(mx.get_array_buffer_size(shared))


def _settings(adapter: AdapterSnapshot) -> _Settings:
    config = adapter.config
    kind = config.get("fine_tune_type", "lora")
    if kind == "full":
        raise ModelUnsupported(
            f"{adapter.spec!r} is a full fine-tune: its weights replace the base's and share none; "
            "make a model of both with mlx_lm.fuse and load that"
        )
    if kind not in ("lora", "dora"):
        raise ModelUnsupported(
            f"{adapter.spec!r} is an adapter of the type {one_line(str(kind), 40)!r}; "
            "there is 'lora', 'dora'"
        )
    found = config.get("lora_parameters")
    parameters: Mapping[str, Any] = found if isinstance(found, dict) else {}
    depth: Any = config.get("num_layers")
    rank: Any = parameters.get("rank")
    scale: Any = parameters.get("scale")
    keys: Any = parameters.get("keys")
    usable = {
        "num_layers": _is_int(depth),
        "rank in lora_parameters": _is_int(rank) and rank > 0,
        "scale in lora_parameters": _is_number(scale),
        "keys in lora_parameters": keys is None
        or (isinstance(keys, list) and all(isinstance(key, str) for key in keys)),
    }
    for name, is_usable in usable.items():
        if not is_usable:
            raise ModelUnsupported(
                f"the {ADAPTER_CONFIG} of {adapter.spec!r} has no usable {name}; "
                "load an adapter with the config that mlx_lm.lora wrote for it"
            )
    return _Settings(kind == "dora", depth, rank, scale, None if keys is None else tuple(keys))


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)


def _check_depth(model: Any, settings: _Settings, adapter: AdapterSnapshot, base: str) -> None:
    layers = len(model.layers)
    if settings.num_layers > layers:
        raise _misfit(
            adapter, base, f"it changes {count(settings.num_layers, 'layer')} of the {layers} there"
        )


def _check_rank(settings: _Settings, adapter: AdapterSnapshot) -> None:
    for name, shape in adapter.shapes.items():
        rank = _rank(name, shape)
        if rank not in (None, settings.rank):
            raise _contradiction(
                adapter, f"{_short(name)} has the rank {rank} and {ADAPTER_CONFIG} {settings.rank}"
            )


def _rank(name: str, shape: tuple[int, ...]) -> int | None:
    """The rank that a factor's shape tells; None for what is no factor.

    Linear layers: lora_a (inputs, rank), lora_b (rank, outputs). Experts: lora_a (experts, rank,
    inputs), lora_b (experts, outputs, rank).
    """
    match = _TENSOR.fullmatch(name)
    if match is None or match["part"] == "m" or len(shape) not in (2, 3):
        return None
    return shape[1] if (match["part"] == "lora_a") else shape[0 if len(shape) == 2 else 2]


def _converted(model: Any, settings: _Settings, adapter: AdapterSnapshot, base: str) -> Any:
    """A copy of the model whose layers take the adapter.

    Copied arrays share their buffers, and the factors that mlx-lm makes up stay unevaluated until
    the adapter's own replace them: none of this costs memory.
    """
    keys = set(_layer_keys(model, adapter) if settings.keys is None else settings.keys)
    parameters = {
        "rank": settings.rank,
        "scale": settings.scale,
        "dropout": 0.0,  # of no effect outside training
        "keys": keys,
    }
    changed = copy.deepcopy(model)
    try:
        linear_to_lora_layers(changed, settings.num_layers, parameters, use_dora=settings.dora)
    except ValueError as error:
        raise _misfit(adapter, base, f"mlx-lm says {one_line(str(error), 200)}") from error
    _check_dora_bits(changed, adapter, base)
    return changed


def _layer_keys(model: Any, adapter: AdapterSnapshot) -> Iterator[str]:
    """The names that the adapter's file has for parts of a layer, as in `self_attn.q_proj`."""
    blocks = _blocks(model)
    for match in filter(None, map(_TENSOR.fullmatch, adapter.shapes)):
        for block in blocks:
            if match["layer"].startswith(f"{block}."):
                yield match["layer"].removeprefix(f"{block}.")


def _blocks(model: Any) -> list[str]:
    """The names of the model's layers in their order, as in `model.layers.0`."""
    names = {id(module): name for name, module in model.named_modules()}
    return [names[id(layer)] for layer in model.layers]


def _check_dora_bits(changed: Any, adapter: AdapterSnapshot, base: str) -> None:
    # mlx-lm 0.32.2 unpacks the width of a DoRA layer's input by 32 // bits.
    for _, layer in changed.named_modules():
        bits = getattr(layer.linear, "bits", 32) if isinstance(layer, DoRALinear) else 32
        if 32 % bits:
            raise ModelUnsupported(
                f"{adapter.spec!r} is a DoRA adapter, which mlx-lm can't put on the {bits}-bit "
                f"weights of {base}; load a 4-bit or 8-bit conversion of it"
            )


def _check_tensors(
    model: Any, changed: Any, settings: _Settings, adapter: AdapterSnapshot, base: str
) -> None:
    """Refuse a file that doesn't hold exactly the tensors that the changed layers take."""
    own = {name for name, _ in tree_flatten(model.parameters())}
    takes = {
        name: tuple(array.shape)
        for name, array in tree_flatten(changed.parameters())
        if _TENSOR.fullmatch(name) and name not in own
    }
    layers = {name for name, _ in model.named_modules()}
    blocks = _blocks(model)
    early = blocks[: -settings.num_layers] if settings.num_layers > 0 else []
    for name, shape in sorted(adapter.shapes.items()):
        match = _TENSOR.fullmatch(name)
        if match is None:
            raise _contradiction(adapter, f"{_short(name)} is no LoRA weight")
        if match["layer"] not in layers:
            raise _misfit(adapter, base, f"there is no {_short(match['layer'])} there")
        block = next((one for one in early if name.startswith(f"{one}.")), None)
        if block is not None:
            raise _misfit(
                adapter,
                base,
                f"it changes {block}, which is not among the last {settings.num_layers} "
                f"of the {count(len(blocks), 'layer')} there",
            )
        if name not in takes:
            raise _contradiction(adapter, f"{ADAPTER_CONFIG} leaves out {_short(name)}")
        if shape != takes[name]:
            raise _misfit(
                adapter, base, f"{_short(name)} is {_by(shape)}, and {_by(takes[name])} fits there"
            )
    absent = sorted(takes.keys() - adapter.shapes.keys())
    if absent or not takes:
        lacks = _short(absent[0]) if absent else "tensor"
        raise _contradiction(adapter, f"{ADAPTER_WEIGHTS} has no {lacks}")


def _weights(adapter: AdapterSnapshot) -> dict[str, mx.array]:
    """The adapter's arrays, evaluated: those whose shapes were checked, and no others."""
    file = adapter.path / ADAPTER_WEIGHTS
    try:
        weights: dict[str, mx.array] = mx.load(str(file))  # type: ignore[assignment]  # by suffix
        if {name: tuple(array.shape) for name, array in weights.items()} != adapter.shapes:
            raise SnapshotBroken(f"{file} has just been changed; load again")
        # MLX hands out a pooled buffer of up to twice the size asked for: fine for an activation,
        # a waste for weights, which stay.
        free_unused(collect=False)
        mx.eval(weights)
    except (RuntimeError, OSError) as error:  # MLX raises nothing narrower
        raise SnapshotBroken(
            f"{adapter.spec!r} can't be read: MLX says {one_line(str(error), 200)}; "
            f"repair {file} or copy it again"
        ) from error
    return weights


def _misfit(adapter: AdapterSnapshot, base: str, why: str) -> ModelUnsupported:
    trained_on = f", {_short(adapter.base)}" if adapter.base else ""
    return ModelUnsupported(
        f"{adapter.spec!r} does not fit {base}: {why}; "
        f"load it over the model that it was trained on{trained_on}"
    )


def _contradiction(adapter: AdapterSnapshot, why: str) -> ModelUnsupported:
    return ModelUnsupported(
        f"the two files of {adapter.spec!r} don't belong together: {why}; "
        "copy both again from where it was trained"
    )


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _short(name: str) -> str:
    return one_line(name, 100)
