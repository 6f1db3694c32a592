"""What in the notebook still holds a model that was freed: a variable, an output, a traceback."""

import gc
import sys
import weakref
from collections.abc import Iterable
from types import FrameType, ModuleType
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten

from .device import free_unused
from .protocol import Engine

_DEPTH = 8  # references between an array and the name that leads to it
_MOST_SEEN = 20_000
_MOST_NAMED = 3
_NOT_FOUND = "something that this search did not find"
_SMALL_BYTES = 4096  # MLX itself holds a few for a sampler's state


def close_and_look(engine: Engine) -> tuple[int, tuple[str, ...]]:
    """Close an engine on the MLX thread; the bytes that came back, and what holds the others."""
    watched = _watch(engine)
    owed = engine.weight_bytes + engine.cache_bytes
    before = mx.get_active_memory()
    engine.close()
    free_unused()
    alive = [thing for ref in watched if (thing := ref()) is not None]
    freed = max(0, before - mx.get_active_memory())
    if alive:
        return freed, tuple(_names(alive))
    # Other arrays may lie over the same buffers: a view of this base that somebody holds.
    return freed, (_NOT_FOUND,) if owed - freed > max(owed // 100, _SMALL_BYTES) else ()


def _watch(engine: Engine) -> list[weakref.ref[Any]]:
    """Weak references to the modules and to the arrays that go with this engine alone."""
    shared = {id(array) for _, array in tree_flatten(engine.shared_parameters())}
    own = [a for _, a in tree_flatten(engine.parameters()) if id(a) not in shared]
    return [weakref.ref(thing) for thing in (*engine.modules(), *own)]


def _names(things: list[Any]) -> list[str]:
    """How a person would call what leads to these things, the nearest names first."""
    spaces = _namespaces()
    found: dict[str, None] = {}
    seen = {id(things), id(spaces)}
    layer: list[Any] = list(things)
    for _ in range(_DEPTH):
        above: list[Any] = []
        for thing in layer:
            for holder in gc.get_referrers(thing):
                if id(holder) in seen or holder is layer or holder is above:
                    continue
                if id(holder) in spaces:
                    found |= dict.fromkeys(_called(spaces[id(holder)], holder, thing))
                elif not _is_ours(holder) and len(seen) < _MOST_SEEN:
                    seen.add(id(holder))
                    above.append(holder)
        if found or not above:
            break
        layer = above
    return list(found)[:_MOST_NAMED] or [_NOT_FOUND]


def _namespaces() -> dict[int, str]:
    """The dictionaries whose keys are names that a person knows, and what to call them."""
    main = sys.modules.get("__main__")
    spaces = {id(vars(main)): "the variable {}"} if main is not None else {}
    outputs = vars(main).get("Out") if main is not None else None
    if isinstance(outputs, dict):
        spaces[id(outputs)] = "Out[{}]"
    spaces[id(vars(sys))] = "sys.{}"
    return spaces


def _called(form: str, space: dict[Any, Any], thing: Any) -> Iterable[str]:
    keys = [key for key, value in list(space.items()) if value is thing]
    plain = [key for key in keys if not str(key).startswith("_")] or keys
    for key in plain:
        if str(key) in ("last_traceback", "last_value", "last_exc"):
            yield "the traceback of the last error"
        else:
            yield form.format(key)


def _is_ours(holder: Any) -> bool:
    """Whether it is this search itself, or no way to a name."""
    if isinstance(holder, FrameType):
        return holder.f_globals.get("__name__") == __name__
    return isinstance(holder, (ModuleType, weakref.ref))
