"""A LoRA adapter on disk: from a spec to its two files, and what they say of it.

Knows nothing of MLX: `engines.adapters` puts an adapter on a model.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ModelUnsupported
from .events import DownloadProgress
from .hub import Found, find, survey
from .plain import one_line
from .remote import Remote
from .snapshot import (
    CONFIG,
    Sought,
    Source,
    damaged,
    file_names,
    read_json,
    require_whole,
    tensor_bytes,
    tensor_header,
)

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapters.safetensors"

_PEFT_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_DTYPES = ("F32", "BF16", "F16")  # in which mlx-lm trains and saves; whole numbers multiply nothing


@dataclass(frozen=True)
class AdapterSnapshot:
    """A resolved adapter folder with a revision, its config and its byte count.

        adapter = resolve_adapter("demo:pirate")
        adapter.base, adapter.weight_bytes

    `spec` is what the person typed, normalised; `revision` is the commit hash of a Hub repository
    and None otherwise; `config` is adapter_config.json; `weight_bytes` is the size in bytes of all
    tensors, and `shapes` has the shape of each by name, as the header of adapters.safetensors
    announces them.
    """

    spec: str
    path: Path
    revision: str | None
    config: Mapping[str, Any]
    weight_bytes: int
    shapes: Mapping[str, tuple[int, ...]]
    source: Source

    @property
    def base(self) -> str | None:
        """The model it was trained on, as its trainer named it; nobody has checked it."""
        model = self.config.get("model")
        return model if isinstance(model, str) and model else None


def resolve_adapter(
    spec: str,
    *,
    revision: str | None = None,
    on_progress: Callable[[DownloadProgress], None] | None = None,
) -> AdapterSnapshot:
    """Find the LoRA adapter that `spec` names, downloading its two files when they aren't on disk.

        resolve_adapter("demo:pirate").weight_bytes
        resolve_adapter("owner/name", revision="v1.0")

    `spec` is `demo:NAME`, a folder, or a Hub repository as `owner/name`; `revision`, `on_progress`
    and Ctrl-C are as in `hub.resolve`.

    Raises what `hub.resolve` raises: ModelUnsupported for a model, or for an adapter in a format
    that mlx-lm doesn't read; SnapshotBroken for missing or damaged files.
    """
    return _read(find(spec, _ADAPTER, revision=revision, on_progress=on_progress))


def look_up_adapter(
    spec: str, *, revision: str | None = None
) -> AdapterSnapshot | Remote[AdapterSnapshot]:
    """Find the LoRA adapter that `spec` names and download nothing, as `hub.look_up` does."""
    return survey(spec, _ADAPTER, _read, revision=revision)


def _read(found: Found) -> AdapterSnapshot:
    return read_adapter(found.path, spec=found.spec, revision=found.revision, source=found.source)


def read_adapter(
    folder: Path, *, spec: str, revision: str | None, source: Source
) -> AdapterSnapshot:
    """Read an adapter folder. Raises SnapshotBroken, or ModelUnsupported for another format."""
    names = file_names(folder)
    _refuse_others(names, spec)
    require_whole(_missing(names), folder, spec, "adapter")
    config = read_json(folder / ADAPTER_CONFIG)
    if "peft_type" in config:
        raise _peft(spec)
    weights = folder / ADAPTER_WEIGHTS
    return AdapterSnapshot(
        spec=spec,
        path=folder,
        revision=revision,
        config=config,
        weight_bytes=tensor_bytes(weights),
        shapes=_shapes(weights),
        source=source,
    )


def check_base(adapter: AdapterSnapshot, base: str) -> None:
    """Raise ModelUnsupported for another base than the adapter's own, where that is certain.

    It is for the demo models, some of which have the same shape. Elsewhere the same model goes by
    many names, as a conversion to 4 bit or as a folder.
    """
    trained_on = adapter.base or ""
    if trained_on != base and all(name.startswith("demo:") for name in (trained_on, base)):
        raise ModelUnsupported(
            f"{adapter.spec!r} was trained on {one_line(trained_on, 100)}, not on {base}; "
            "load it over that one"
        )


def _shapes(weights: Path) -> dict[str, tuple[int, ...]]:
    header = tensor_header(weights)
    for name, tensor in header.items():
        if tensor.get("dtype") not in _DTYPES:
            raise damaged(weights, f"{name} is of the type {tensor.get('dtype')}")
        shape = tensor.get("shape")
        if not isinstance(shape, list) or not all(isinstance(size, int) for size in shape):
            raise damaged(weights, f"{name} has no shape")
    return {name: tuple(tensor["shape"]) for name, tensor in header.items()}


def _wanted(names: Iterable[str]) -> list[str]:
    return [name for name in names if name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS)]


def _missing(names: Collection[str]) -> list[str]:
    return [name for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS) if name not in names]


def _check_repository(names: Collection[str], spec: str) -> None:
    """Refuse a repository that holds no adapter for mlx-lm, by its file names alone."""
    _refuse_others(names, spec)
    missing = _missing(names)
    if missing:
        raise ModelUnsupported(
            f"{spec!r} has no {missing[0]}; load an adapter that mlx_lm.lora has trained"
        )


def _refuse_others(names: Collection[str], spec: str) -> None:
    """Raise ModelUnsupported for what is plainly something else: PEFT's format, or a model."""
    if ADAPTER_WEIGHTS in names:
        return
    if any(name in names for name in _PEFT_WEIGHTS):
        raise _peft(spec)
    if CONFIG in names and ADAPTER_CONFIG not in names:
        raise ModelUnsupported(f"{spec!r} is a model and no adapter; load it without --adapter")


def _peft(spec: str) -> ModelUnsupported:
    return ModelUnsupported(
        f"{spec!r} is a PEFT adapter, a format that mlx-lm does not read; "
        f"train one with mlx_lm.lora, or load a model with this one merged in"
    )


def _demo_adapter(spec: str) -> tuple[str, Path]:
    from . import demo

    adapter = demo.find_adapter(spec)
    return demo.PREFIX + adapter.name, Path(adapter.path)


def _known_adapters() -> set[str]:
    from . import demo

    return {demo.PREFIX + adapter.name for adapter in demo.adapters()}


_ADAPTER = Sought(
    noun="adapter",
    config=ADAPTER_CONFIG,
    wanted=_wanted,
    check=_check_repository,
    missing=lambda folder, _: _missing(file_names(folder)),
    demo=_demo_adapter,
    known=_known_adapters,
)
