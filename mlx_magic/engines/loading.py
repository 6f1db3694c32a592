"""What goes wrong when a model's files are loaded, as one line that names the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from tokenizers import Tokenizer

from ..errors import ModelUnsupported, SnapshotBroken
from ..plain import one_line
from ..snapshot import file_names, read_json, tensor_bytes, weight_files

if TYPE_CHECKING:
    from ..snapshot import Snapshot


def evaluate(snapshot: "Snapshot", parameters: list[Any]) -> None:
    """Read announced weights into memory. Raises `SnapshotBroken` that names the file."""
    try:
        mx.eval(parameters)
    except RuntimeError as error:  # MLX raises nothing narrower, and names no file
        raise _read_problem(snapshot, error) from error


def own_bytes(parameters: list[Any], shared: list[Any]) -> int:
    """Bytes of the buffers of `parameters` that aren't those of `shared`, each counted once."""
    both = mx.get_array_buffer_size(parameters, shared)
    return int(both) - int(mx.get_array_buffer_size(shared))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' advice to developers out of the notebook."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


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


def load_problem(snapshot: "Snapshot", error: Exception, library: str) -> Exception:
    """The one-line error for what `library` or transformers said about a folder."""
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
            f"{library} does not run {snapshot.spec} (model type {model_type!r}): {said}; "
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
