"""Engines: the only floor that knows MLX. One class for each modality, found in one table."""

import importlib
from typing import TYPE_CHECKING

from ..errors import ModelUnsupported

if TYPE_CHECKING:
    from ..hub import Snapshot
    from .protocol import Engine

# kind of model -> module with its engine class `ENGINE`
_ENGINES = {"text": "text"}


def load_engine(snapshot: "Snapshot", draft: "Snapshot | None" = None) -> "Engine":
    """Build the engine for a snapshot's kind; `read_weights` then brings its weights in.

    `draft` is a small model that guesses ahead. Runs on the MLX thread. Raises `ModelUnsupported`
    when no engine or no architecture fits, `SnapshotBroken` when the files are damaged; either way
    nothing stays in memory.
    """
    from ..families import model_kind

    kind = model_kind(snapshot.config)
    module = _ENGINES.get(kind)
    if module is None:
        raise ModelUnsupported(
            f"{snapshot.spec} is a {kind} model, and this version runs "
            f"{' and '.join(_ENGINES)} models only"
        )
    engine: Engine = importlib.import_module(f".{module}", __name__).ENGINE.load(snapshot, draft)
    return engine


def preload() -> None:
    """Import what the engines stand on (seconds, once), so that the first load need not."""
    for module in _ENGINES.values():
        importlib.import_module(f".{module}", __name__)
