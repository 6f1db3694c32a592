"""The demo models that come with the package: which there are, where they lie, what each knows.

Tiny models of real architectures, trained by `training/`. This file reads no weights and knows no
MLX: it says where the files are.

    >>> find("demo").spec
    'demo:qwen'
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelNotFound, did_you_mean

if TYPE_CHECKING:
    from .pictures import Picture

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
        return _size_bytes(self.path)


@dataclass(frozen=True)
class DemoAdapter:
    """One LoRA adapter: its name, the spec of the model that it belongs to, what it changes."""

    name: str
    base: str
    changes: str
    path: Path

    @property
    def size_bytes(self) -> int:
        """Bytes of the adapter's folder on disk."""
        return _size_bytes(self.path)


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def _row(name: str, kind: str, family: str, knows: str) -> DemoModel:
    return DemoModel(name, PREFIX + name, kind, family, knows, _HERE / name)


_MODELS = (
    _row(
        "qwen",
        kind="text",
        family="qwen",
        knows="sums to 99, 60 capitals, 30 animals, your name and number, little stories",
    ),
    _row("llama", kind="text", family="llama", knows="the same as demo:qwen; chatty"),
    _row("mistral", kind="text", family="mistral", knows="the same as demo:qwen; terse"),
    _row("gemma", kind="text", family="gemma", knows="the same as demo:qwen; answers as a list"),
    _row(
        "qwen-vl",
        kind="vision",
        family="qwen",
        knows="coloured shapes, charts, and short words in pictures",
    ),
    _row("gemma-vision", kind="vision", family="gemma", knows="the same as demo:qwen-vl; friendly"),
    _row("smolvlm", kind="vision", family="smollm", knows="the same as demo:qwen-vl; terse"),
)


def _adapter(name: str, base: str, changes: str) -> DemoAdapter:
    return DemoAdapter(name, PREFIX + base, changes, _HERE / "adapters" / name)


_ADAPTERS = (
    _adapter("pirate", base="llama", changes="the same facts in pirate speech"),
    _adapter("shout", base="llama", changes="the same facts in capital letters"),
)


def list() -> tuple[DemoModel, ...]:
    """The demo models whose weights this copy of the package holds.

    >>> list()[0].spec
    'demo:qwen'
    """
    return tuple(model for model in _MODELS if model.path.is_dir())


def find(name: str) -> DemoModel:
    """The demo model of that name: `qwen`, `demo:qwen`, or `demo` for the first choice.

    Raises `ModelNotFound` when there is none.
    """
    asked = DEFAULT if name in ("demo", PREFIX) else name.removeprefix(PREFIX)
    for model in list():
        if model.name == asked:
            return model
    for adapter in adapters():
        if adapter.name == asked:
            raise ModelNotFound(
                f"{PREFIX}{asked} is an adapter and no model of its own; "
                f"%load_model {adapter.base} --adapter {PREFIX}{asked}"
            )
    hint = did_you_mean(PREFIX + asked, [model.spec for model in list()])
    raise ModelNotFound(f"there is no demo model {name!r}; {hint}")


def adapters() -> tuple[DemoAdapter, ...]:
    """The LoRA adapters whose weights this copy of the package holds."""
    return tuple(adapter for adapter in _ADAPTERS if adapter.path.is_dir())


def find_adapter(name: str) -> DemoAdapter:
    """The adapter of that name: `pirate` or `demo:pirate`.

    Raises `ModelNotFound` when there is none.
    """
    asked = name.removeprefix(PREFIX)
    for adapter in adapters():
        if adapter.name == asked:
            return adapter
    if any(model.name == asked for model in list()):
        raise ModelNotFound(f"{PREFIX}{asked} is a model and no adapter; load it without --adapter")
    hint = did_you_mean(PREFIX + asked, [PREFIX + adapter.name for adapter in adapters()])
    raise ModelNotFound(f"there is no demo adapter {name!r}; {hint or 'this copy holds none'}")


def picture(kind: str = "scene", seed: int = 0) -> "Picture":
    """A picture of that kind (`scene`, `chart` or `text`) with questions and their right answers.

    Raises `UsageProblem` for another kind, and for a chart where matplotlib is missing.

    >>> picture("scene", 7).questions[0][0]
    'How many shapes are there?'
    """
    from .pictures import picture as draw  # Pillow only for who wants a picture

    return draw(kind, seed)
