"""Engines: the only floor that knows MLX. One class for each modality, found in one table."""

import importlib
from typing import TYPE_CHECKING

from ..events import Kind

if TYPE_CHECKING:
    from ..hub import Snapshot
    from .protocol import Engine

# kind of model -> module with its engine class `ENGINE`
_ENGINES: dict[Kind, str] = {"text": "text", "vision": "vision"}


def load_engine(snapshot: "Snapshot", draft: "Snapshot | None" = None) -> "Engine":
    """Build the engine for a snapshot's kind; `read_weights` then brings its weights in.

    `draft` is a small model that guesses ahead. Runs on the MLX thread. Raises `ModelUnsupported`
    for an architecture that mlx-lm or mlx-vlm lacks, `SnapshotBroken` when the files are damaged;
    either way nothing stays in memory.
    """
    module = importlib.import_module(f".{_ENGINES[snapshot.kind]}", __name__)
    engine: Engine = module.ENGINE.load(snapshot, draft)
    return engine


def preload(kind: Kind = "text") -> None:
    """Import what an engine stands on (seconds, once), so that the first load need not."""
    importlib.import_module(f".{_ENGINES[kind]}", __name__)
