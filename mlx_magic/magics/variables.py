"""The notebook's variables as completion and hints see them: pictures, schemas, replies.

Looks at types and shapes only: nothing of the person's is called, drawn or read.
"""

import sys
from collections.abc import Mapping
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

# (package, class) of what `--image` takes.
_PICTURES = {
    ("PIL", "Image"),
    ("matplotlib", "FigureBase"),
    ("matplotlib", "Axes"),
    ("IPython", "Image"),
    ("mlx_magic", "Picture"),
    ("mlx_magic", "ImagePart"),
}
_ARRAYS = {("numpy", "ndarray"), ("mlx", "array"), ("torch", "Tensor"), ("jaxlib", "ArrayImpl")}
_CHANNELS = (1, 3, 4)
_MAX_TEXT = 4096  # characters of a text that may be a path or an address
_CODE = (ModuleType, FunctionType, BuiltinFunctionType, type)


def own_variables() -> dict[str, Any]:
    """The variables that the person has made, without IPython's own; empty outside IPython."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        return {}
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in shell.user_ns.copy().items()
        if not name.startswith("_") and not (name in hidden and hidden[name] is value)
    }


def pictures(variables: Mapping[str, Any]) -> list[str]:
    """The names of those that `--image` may well take: pictures, arrays, figures, paths of some."""
    return [name for name, value in variables.items() if _is_picture(value)]


def schemas(variables: Mapping[str, Any]) -> list[str]:
    """The names of those that `--json` may well take: pydantic models, and dicts of a schema."""
    return [name for name, value in variables.items() if _is_schema(value)]


def replies(variables: Mapping[str, Any]) -> list[str]:
    """The names of those that hold a reply."""
    return [name for name, value in variables.items() if ("mlx_magic", "Reply") in _kinds(value)]


def values(variables: Mapping[str, Any]) -> list[str]:
    """The names of those that a prompt may want: no modules, functions or classes."""
    return [name for name, value in variables.items() if not issubclass(type(value), _CODE)]


def _is_picture(value: Any) -> bool:
    kind = type(value)
    if kind in (list, tuple):
        return bool(value) and type(value[0]) not in (list, tuple) and _is_picture(value[0])
    if kind is str:
        return names_picture(value)
    if kind is bytes:
        from ..images import picture_format

        return picture_format(value[:128]) is not None
    if issubclass(kind, PurePath):
        return names_picture(str(value))
    kinds = _kinds(value)
    return bool(kinds & _PICTURES) or (bool(kinds & _ARRAYS) and _is_image(value))


def names_picture(text: str) -> bool:
    """Whether a text ends as the name of a picture file does."""
    from ..images import SUFFIXES

    return len(text) <= _MAX_TEXT and text.lower().endswith(SUFFIXES)


def _is_image(array: Any) -> bool:
    try:
        shape = array.shape
        flat = len(shape) == 2 or (len(shape) == 3 and shape[2] in _CHANNELS)
        return flat and str(array.dtype) != "object"
    except Exception:  # noqa: BLE001 - a class of the person's own may raise anything
        return False


def _is_schema(value: Any) -> bool:
    if type(value) is dict:
        return any(key in value for key in ("type", "properties", "$ref", "anyOf", "enum", "oneOf"))
    pydantic = sys.modules.get("pydantic")
    model = getattr(pydantic, "BaseModel", None)
    return model is not None and issubclass(type(value), type) and issubclass(value, model)


def _kinds(value: Any) -> set[tuple[str, str]]:
    """The package and the name of a value's class, and of those that it derives from."""
    return {(str(c.__module__).partition(".")[0], c.__name__) for c in type(value).__mro__}
