"""mlx_magic: several MLX language and vision models side by side in a Jupyter kernel.

In a notebook: `%load_ext mlx_magic`, then `%load_model demo:qwen` and `%%chat`. From code:

>>> import mlx_magic as mm
>>> mm.load_model("demo:qwen")  # doctest: +SKIP
>>> mm.chat("What is 2 + 3?").text  # doctest: +SKIP
'2 + 3 = 5.'
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import demo as demo
    from .api import chat, load_model, pin_model, session, stream, unload_model
    from .errors import MlxMagicError
    from .reply import Reply

__all__ = [
    "MlxMagicError",
    "Reply",
    "chat",
    "demo",
    "load_model",
    "pin_model",
    "session",
    "stream",
    "unload_model",
]

# public name -> the module that has it, if not `api`; nothing is imported before it is used
_HOME = {"MlxMagicError": "errors", "Reply": "reply"}


def __getattr__(name: str) -> Any:
    if name == "demo":
        return importlib.import_module(".demo", __name__)
    if name in __all__:
        return getattr(importlib.import_module("." + _HOME.get(name, "api"), __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext mlx_magic`: register the magics. Raises `BackendMissing` where MLX can't run."""
    importlib.import_module(".engines.device", __name__).require_backend()
    importlib.import_module(".magics", __name__).load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext mlx_magic`: free every model and leave nothing registered."""
    importlib.import_module(".magics", __name__).unload(ipython)
