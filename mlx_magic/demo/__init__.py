"""The demo models that come with the package: which there are, where they lie, what each knows.

Tiny models of real architectures, trained by `training/`. This file reads no weights and knows no
MLX: it says where the files are.

    >>> find("demo").spec
    'demo:qwen'
"""

from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelNotFound, did_you_mean

PREFIX = "demo:"
DEFAULT = "qwen"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class DemoModel:
    """One demo model: its spec, its kind (`text` or `vision`), its family and what it knows."""

    name: str
    spec: str
    kind: str
    family: str
    knows: str
    path: Path

    @property
    def size_bytes(self) -> int:
        """Bytes of the model's folder on disk."""
        return sum(file.stat().st_size for file in self.path.iterdir() if file.is_file())


def _row(name: str, kind: str, family: str, knows: str) -> DemoModel:
    return DemoModel(name, PREFIX + name, kind, family, knows, _HERE / name)


_MODELS = (
    _row(
        "qwen",
        kind="text",
        family="qwen",
        knows="sums to 99, 60 capitals, 30 animals, your name and number, little stories",
    ),
)


def list() -> tuple[DemoModel, ...]:
    """All demo models.

    >>> [model.spec for model in list()]
    ['demo:qwen']
    """
    return _MODELS


def find(name: str) -> DemoModel:
    """The demo model of that name: `qwen`, `demo:qwen`, or `demo` for the first choice.

    Raises `ModelNotFound` when there is none.
    """
    asked = DEFAULT if name in ("demo", PREFIX) else name.removeprefix(PREFIX)
    for model in _MODELS:
        if model.name == asked:
            return model
    hint = did_you_mean(PREFIX + asked, [model.spec for model in _MODELS])
    raise ModelNotFound(f"there is no demo model {name!r}; {hint}")
