"""A model folder on disk: which of its files an engine needs, and whether all of them are whole.

Knows nothing of networks or of the Hub's cache: `hub` finds the folder, this file reads it.
"""

import functools
import json
import os
import re
import struct
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Any, Literal

from .errors import ModelUnsupported, SnapshotBroken
from .events import Kind
from .families import model_kind

Source = Literal["demo", "folder", "cache", "download"]

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"

# What the two engines read. Weights are safetensors only (never pickle), and no Python file is
# listed: a model's own code neither arrives nor runs.
_WANTED = (
    "*.json",
    "*.jsonl",
    "*.jinja",
    "*.safetensors",
    "*.model",
    "*.tiktoken",
    "*merges*.txt",
    "*vocab*.txt",
)
# JSON files that training and other frameworks leave behind; `consolidated*.safetensors` is the
# same model again in Mistral's own layout, which neither engine reads.
_UNWANTED = (
    "consolidated*.safetensors",
    "*.bin.index.json",
    "*.h5.index.json",
    "*.msgpack.index.json",
    "consolidated*.index.json",
    "trainer_state.json",
    "*_results.json",
)
_SUBFOLDERS = ("additional_chat_templates",)  # the only folder below a model's own that is read

_TOKENIZERS = (
    "tokenizer.json",
    "*.model",
    "*.tiktoken",
    "tekken.json",
    "vocab.json",
    "*vocab*.txt",
)

_FOREIGN_WEIGHTS = (
    "*.bin",
    "*.pt",
    "*.pth",
    "*.gguf",
    "*.ggml",
    "*.onnx",
    "*.h5",
    "*.msgpack",
    "*.ckpt",
    "*.npz",
    "*.pkl",
    "consolidated*.safetensors",
)

_SHARD = re.compile(r"(?P<stem>.+)-\d{5}-of-(?P<total>\d{5})\.safetensors")
_MAX_HEADER_BYTES = 100_000_000  # the safetensors format's own limit


@dataclass(frozen=True)
class Snapshot:
    """A resolved local folder with a revision, config and byte counts.

        snapshot = hub.resolve("demo:qwen")
        snapshot.config["model_type"], snapshot.weight_bytes

    `spec` is what the person typed, normalised; `revision` is the commit hash of a Hub model and
    None for a demo model or a plain folder; `generation_config` is empty when the folder has none;
    `weight_bytes` is the size in bytes of all tensors, as the safetensors headers announce it, and
    `kind` is what they make of it: without a vision tower's tensors it reads text only.
    """

    spec: str
    path: Path
    revision: str | None
    config: Mapping[str, Any]
    generation_config: Mapping[str, Any]
    weight_bytes: int
    source: Source
    kind: Kind = "text"


@dataclass(frozen=True)
class Sought:
    """What a spec is to name, a model or an adapter for one: which files make it, and who knows it.

    `config` marks a folder as one, and a download puts it in place last. `wanted` picks from a
    repository's file names, `check` refuses a repository by them, `missing` names what a folder
    lacks, but for the names that its second argument excuses. `demo` finds a demo spec's folder,
    and `known` lists the specs that need no network.
    """

    noun: str
    config: str
    wanted: Callable[[Iterable[str]], list[str]]
    check: Callable[[Collection[str], str], None]
    missing: Callable[[Path, Collection[str]], list[str]]
    demo: Callable[[str], tuple[str, Path]]
    known: Callable[[], set[str]]


def wanted_files(names: Iterable[str]) -> list[str]:
    """Those of a repository's file names that an engine reads, in the order given."""
    return [name for name in names if _is_wanted(name)]


def _is_wanted(name: str) -> bool:
    folder, _, base = name.rpartition("/")
    return (
        folder in ("", *_SUBFOLDERS) and _matches(base, _WANTED) and not _matches(base, _UNWANTED)
    )


def _matches(base: str, patterns: tuple[str, ...]) -> bool:
    return _one_pattern(patterns).fullmatch(base.lower()) is not None


@functools.cache
def _one_pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))


def weight_files(names: Iterable[str]) -> list[str]:
    """The safetensors files that an engine loads: `model*.safetensors`, or all there are."""
    weights = sorted(n for n in wanted_files(names) if n.endswith(".safetensors"))
    return [n for n in weights if n.startswith("model")] or weights


def check_repository(names: Collection[str], spec: str) -> None:
    """Refuse a repository that no engine could load, by its file names alone.

    Raises ModelUnsupported: other weight formats only, a LoRA adapter, no config or tokenizer.
    """
    check_weight_formats(names, spec)
    if CONFIG not in names:
        if "adapter_config.json" in names:
            raise ModelUnsupported(
                f"{spec!r} is a LoRA adapter and no model of its own; "
                f"load its base model with --adapter {spec}"
            )
        raise ModelUnsupported(f"{spec!r} has no {CONFIG}; look for it under mlx-community")
    if not weight_files(names):
        raise ModelUnsupported(f"{spec!r} has no weights; load a repository with safetensors files")
    if not _has_tokenizer(names):
        raise ModelUnsupported(f"{spec!r} has no tokenizer file; load a repository that ships one")


def check_weight_formats(names: Collection[str], spec: str) -> None:
    """Refuse a model all of whose weights are in formats that no engine here reads.

    Raises ModelUnsupported. Passes when there are no weights at all: then they are missing, not
    unsupported.
    """
    if weight_files(names):
        return
    bases = {name.rpartition("/")[2] for name in names}
    foreign = sorted({_format(base) for base in bases if _matches(base, _FOREIGN_WEIGHTS)})
    if foreign:
        raise ModelUnsupported(
            f"{spec!r} has its weights as {', '.join(foreign)} only, and MLX loads safetensors; "
            f"look for a conversion under mlx-community, or make one with mlx_lm.convert"
        )


def _has_tokenizer(names: Iterable[str]) -> bool:
    return any(_matches(name, _TOKENIZERS) for name in names)


def _format(base: str) -> str:
    return "consolidated.safetensors" if base.endswith(".safetensors") else Path(base).suffix


def file_names(folder: Path) -> set[str]:
    """Names of the files of a model folder, one level deep; dangling links are left out."""
    names = {entry.name for entry in os.scandir(folder) if entry.is_file()}
    for sub in _SUBFOLDERS:
        if (folder / sub).is_dir():
            names |= {f"{sub}/{e.name}" for e in os.scandir(folder / sub) if e.is_file()}
    return names


def missing_files(folder: Path, known_absent: Collection[str] = ()) -> list[str]:
    """What an engine needs and the folder lacks, as file names; empty when it is complete.

    `known_absent` are names that an index may promise although the repository never had them.
    Raises SnapshotBroken when the index of the shards can't be read.
    """
    return _missing(folder, file_names(folder), known_absent)


def _missing(folder: Path, names: set[str], known_absent: Collection[str]) -> list[str]:
    missing = [] if CONFIG in names else [CONFIG]
    if not _has_tokenizer(names):
        missing.append("tokenizer.json")
    shards = _indexed_shards(folder) if INDEX in names else _numbered_shards(names)
    missing += sorted(shards - names - set(known_absent))
    if not weight_files(names) and not any(n.endswith(".safetensors") for n in missing):
        missing.append("model.safetensors")
    return missing


def _indexed_shards(folder: Path) -> set[str]:
    weight_map = read_json(folder / INDEX).get("weight_map")
    if not isinstance(weight_map, dict):
        raise damaged(folder / INDEX, "it names no weights")
    return {str(name) for name in weight_map.values()}


def _numbered_shards(names: Iterable[str]) -> set[str]:
    """All shards of which at least one is there: `model-00002-of-00003` tells of two others."""
    found = [match for name in names if (match := _SHARD.fullmatch(name))]
    return {
        f"{match['stem']}-{number:05d}-of-{match['total']}.safetensors"
        for match in found
        for number in range(1, int(match["total"]) + 1)
    }


def read_snapshot(
    folder: Path,
    *,
    spec: str,
    revision: str | None,
    source: Source,
    known_absent: Collection[str] = (),
) -> Snapshot:
    """Read a complete model folder into a Snapshot.

    Raises SnapshotBroken when a file is missing, truncated or unreadable, and ModelUnsupported
    when the only weights are in a format that MLX doesn't load.
    """
    names = file_names(folder)
    check_weight_formats(names, spec)
    require_whole(_missing(folder, names, known_absent), folder, spec, "model")
    generation_config = "generation_config.json"
    config = read_json(folder / CONFIG)
    headers = [tensor_header(folder / name) for name in weight_files(names)]
    return Snapshot(
        spec=spec,
        path=folder,
        revision=revision,
        config=config,
        generation_config=read_json(folder / generation_config)
        if generation_config in names
        else {},
        weight_bytes=sum(map(_end, headers)),
        source=source,
        kind=model_kind(config, (name for header in headers for name in header)),
    )


def require_whole(missing: Sequence[str], folder: Path, spec: str, noun: str) -> None:
    """Raise SnapshotBroken when files are missing, naming the first."""
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise SnapshotBroken(
            f"{spec!r} has no {missing[0]}{more}; "
            f"add what is missing to {folder}, or load another {noun}"
        )


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises SnapshotBroken when there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path, "it is not valid JSON") from error
    except OSError as error:
        raise unreadable(path, error) from error
    if not isinstance(value, dict):
        raise damaged(path, "it is not a JSON object")
    return value


def tensor_bytes(path: Path) -> int:
    """Size in bytes of a safetensors file's tensors. Raises SnapshotBroken: see `tensor_header`."""
    return _end(tensor_header(path))


def tensor_header(path: Path) -> dict[str, dict[str, Any]]:
    """What a safetensors file says of its tensors, by name: `dtype`, `shape`, `data_offsets`.

    The format: 8 bytes with the header's length (little-endian), the header in JSON, the data.
    Raises SnapshotBroken when the file is cut off or isn't one.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(8)
            header_bytes = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
            if not 8 + header_bytes <= min(size, _MAX_HEADER_BYTES):
                raise damaged(path, f"its {size} bytes end before its header does")
            text = file.read(header_bytes)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        header: dict[str, dict[str, Any]] = json.loads(text)
        header.pop("__metadata__", None)
        announced = _end(header)
    except (ValueError, AttributeError, KeyError, IndexError, TypeError) as error:
        raise damaged(path, "its header can't be read") from error
    held = size - 8 - header_bytes
    if held != announced:
        raise damaged(path, f"it holds {held} of the {announced} bytes that its header announces")
    return header


def _end(header: Mapping[str, Mapping[str, Any]]) -> int:
    """Where the last tensor ends: with nothing between them, the bytes of all."""
    return int(max((tensor["data_offsets"][1] for tensor in header.values()), default=0))


def unreadable(path: Path, error: OSError) -> SnapshotBroken:
    """The error for a file that the system does not let us read."""
    why = error.strerror or type(error).__name__
    return SnapshotBroken(f"{path} can't be read: {why}; mend that and load again")


def damaged(path: Path, how: str) -> SnapshotBroken:
    """The error for a file that can't be read, with what to do about it."""
    # In the Hub cache the name is a link; the file to delete is what it points at.
    if path.is_symlink():
        remedy = f"delete {path.resolve()} and load again"
    else:  # perhaps the person's only copy
        remedy = f"repair {path} or copy it again"
    return SnapshotBroken(f"{path.name} is damaged: {how}; {remedy}")
