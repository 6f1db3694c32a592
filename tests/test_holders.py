"""What keeps a freed model in memory: found, and called as a person would call it."""

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_models

from mlx_magic.engines import device
from mlx_magic.events import Unloaded
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions

# MLX itself holds a few bytes: random state, a sampler's constants.
SLACK_BYTES = 512 + 1024  # mlx-vlm keeps a table of 1 kB


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> None:
    """Not here: who holds something is looked for among all objects."""


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The variables of a `__main__` of this test's own, with IPython's `Out`."""
    main = types.ModuleType("__main__")
    vars(main)["Out"] = {}
    monkeypatch.setitem(sys.modules, "__main__", main)
    for name in ("last_traceback", "last_value", "last_exc", "last_type"):
        monkeypatch.delattr(sys, name, raising=False)
    return vars(main)


@pytest.fixture
def loaded(session: Any, tiny: Any) -> Iterator[Any]:
    """A session whose only resident, `a`, has answered; a second model stays beside it."""
    session.load_model(tiny["qwen"], "stays")
    session.load_model(tiny["llama"], "a")
    list(session.pool.stream("a", [Message.of("user", "Hi")], GenerationOptions(max_tokens=2)))
    yield session


def _model(session: Any, name: str = "a") -> Any:
    return session.pool._residents[name].engine._model


def _active_bytes(session: Any) -> int:
    session.thread.call(lambda _: device.free_unused())
    return int(session.pool.status().active_bytes)


def _unload(session: Any, name: str = "a") -> tuple[Unloaded, int]:
    """The report, and the bytes that it had to give back."""
    status = session.pool.resident(name)
    before = _active_bytes(session)
    unloaded = session.pool.unload(name)
    assert isinstance(unloaded, Unloaded)
    # whatever it says of the bytes is so
    assert abs(before - _active_bytes(session) - unloaded.freed_bytes) <= SLACK_BYTES
    return unloaded, status.weight_bytes + status.cache_bytes


def _all_is_back(session: Any, name: str = "a") -> None:
    unloaded, owed = _unload(session, name)
    assert unloaded.held_by == ()
    assert abs(unloaded.freed_bytes - owed) <= SLACK_BYTES


def test_without_a_holder_all_comes_back(loaded: Any, notebook: dict[str, Any]) -> None:
    notebook["bystander"] = [1, 2, 3]
    _all_is_back(loaded)


def test_a_variable_is_named_and_what_it_holds_does_not_come_back(
    loaded: Any, notebook: dict[str, Any]
) -> None:
    notebook["kept"] = _model(loaded)
    weights = loaded.pool.resident("a").weight_bytes
    unloaded, owed = _unload(loaded)
    assert unloaded.held_by == ("the variable kept",)
    assert abs(owed - weights - unloaded.freed_bytes) <= SLACK_BYTES  # the kept caches only
    other = loaded.pool.status().other_bytes
    assert abs(other - weights) <= SLACK_BYTES
    notebook.clear()
    assert _active_bytes(loaded) <= loaded.pool.resident("stays").weight_bytes + SLACK_BYTES


def test_a_single_array_holds_itself_and_nothing_else(
    loaded: Any, notebook: dict[str, Any]
) -> None:
    notebook["row"] = _model(loaded).model.embed_tokens.weight
    size = notebook["row"].nbytes
    unloaded, owed = _unload(loaded)
    assert unloaded.held_by == ("the variable row",)
    assert abs(unloaded.freed_bytes + size - owed) <= SLACK_BYTES


class Box:
    """Somebody's own class, with a model in an attribute."""

    def __init__(self, model: Any) -> None:
        self.inside = {"deep": [model]}


def _closure(model: Any) -> Callable[[], Any]:
    return lambda: model


WRAPPINGS: dict[str, Callable[[Any], Any]] = {
    "a list": lambda model: [model],
    "an attribute": Box,
    "a closure": _closure,
    "one of its layers": lambda model: model.layers[1],
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_a_holder_is_found_at_one_remove(
    loaded: Any, notebook: dict[str, Any], wrap: Callable[[Any], Any]
) -> None:
    notebook["holder"] = wrap(_model(loaded))
    unloaded, owed = _unload(loaded)
    assert unloaded.held_by == ("the variable holder",)
    assert unloaded.freed_bytes < owed - SLACK_BYTES


def test_several_variables_are_all_named(loaded: Any, notebook: dict[str, Any]) -> None:
    model = _model(loaded)
    notebook["one"], notebook["two"] = model, model
    del model
    assert set(_unload(loaded)[0].held_by) == {"the variable one", "the variable two"}


def test_an_output_of_the_notebook_is_named_by_its_number(
    loaded: Any, notebook: dict[str, Any]
) -> None:
    notebook["Out"][3] = _model(loaded)
    unloaded, owed = _unload(loaded)
    assert unloaded.held_by == ("Out[3]",)
    assert unloaded.freed_bytes < owed - SLACK_BYTES


def test_ipythons_own_copies_of_an_output_are_not_named_beside_it(
    loaded: Any, notebook: dict[str, Any]
) -> None:
    notebook["_"] = notebook["_3"] = notebook["Out"][3] = notebook["mine"] = _model(loaded)
    assert set(_unload(loaded)[0].held_by) == {"the variable mine", "Out[3]"}


def _fail_with(model: Any) -> None:
    raise ValueError(f"no such layer in {len(model.layers)}")


def test_a_traceback_is_named(loaded: Any, notebook: dict[str, Any]) -> None:
    def failing(session: Any) -> None:
        _fail_with(_model(session))

    try:
        failing(loaded)
    except ValueError as error:
        sys.last_traceback = error.__traceback__
    unloaded, owed = _unload(loaded)
    assert unloaded.held_by == ("the traceback of the last error",)
    assert unloaded.freed_bytes < owed - SLACK_BYTES
    del sys.last_traceback


@pytest.mark.parametrize("where", ["last_exc", "last_value"])
def test_the_last_exception_is_named_too(loaded: Any, notebook: dict[str, Any], where: str) -> None:
    try:
        _fail_with(_model(loaded))
    except ValueError as error:
        setattr(sys, where, error)
    assert _unload(loaded)[0].held_by == ("the traceback of the last error",)
    delattr(sys, where)


def _suspended(model: Any) -> Iterator[int]:
    """What a person's own loop over a model looks like when it is left half-way."""
    yield len(model.layers)
    yield len(model.layers)


def test_a_suspended_generator_is_named_and_closing_it_gives_all_back(
    loaded: Any, notebook: dict[str, Any]
) -> None:
    notebook["steps"] = _suspended(_model(loaded))
    next(notebook["steps"])
    unloaded, owed = _unload(loaded)
    assert unloaded.held_by == ("the variable steps",)
    assert unloaded.freed_bytes < owed - SLACK_BYTES
    notebook["steps"].close()
    assert _active_bytes(loaded) <= loaded.pool.resident("stays").weight_bytes + SLACK_BYTES


def test_mlx_lms_own_suspended_generator_is_named(loaded: Any, notebook: dict[str, Any]) -> None:
    from mlx_lm import stream_generate

    def begin(_: Any) -> None:
        engine = loaded.pool._residents["a"].engine
        notebook["generator"] = stream_generate(
            engine._model, engine.tokenizer, [1, 2, 3], max_tokens=9
        )
        next(notebook["generator"])

    loaded.thread.call(begin)
    unloaded, _ = _unload(loaded)
    assert unloaded.held_by == ("the variable generator",)
    loaded.thread.call(lambda _: notebook.pop("generator").close())


def test_a_holder_that_nobody_named_is_owned_up_to(loaded: Any, notebook: dict[str, Any]) -> None:
    hidden = [_model(loaded)]  # a local of this test, which no notebook knows
    unloaded, owed = _unload(loaded)
    assert unloaded.held_by == ("something that this search did not find",)
    assert unloaded.freed_bytes < owed - SLACK_BYTES and hidden


def test_a_views_base_is_no_leftover_of_it(
    session: Any, tiny: Any, notebook: dict[str, Any], tmp_path: Path
) -> None:
    adapter = tiny_models.build_adapter(tmp_path / "lora", tiny["llama"])
    session.load_model(tiny["llama"], "base")
    session.load_model(tiny["llama"], "view", adapter=adapter)
    notebook["base_too"] = _model(session, "base")
    _all_is_back(session, "view")
    assert _unload(session, "base")[0].held_by == ("the variable base_too",)


def test_a_held_view_holds_its_base_too(
    session: Any, tiny: Any, notebook: dict[str, Any], tmp_path: Path
) -> None:
    adapter = tiny_models.build_adapter(tmp_path / "lora", tiny["llama"])
    session.load_model(tiny["llama"], "base")
    session.load_model(tiny["llama"], "view", adapter=adapter)
    notebook["pirate"] = _model(session, "view")
    assert _unload(session, "view")[0].held_by == ("the variable pirate",)
    unloaded, owed = _unload(session, "base")
    # Its arrays have other names in the view, but the buffers are the same.
    assert unloaded.freed_bytes < owed - SLACK_BYTES
    assert unloaded.held_by == ("something that this search did not find",)


def test_a_reload_beside_a_held_copy_is_charged_for_both(
    loaded: Any, tiny: Any, notebook: dict[str, Any]
) -> None:
    notebook["kept"] = _model(loaded)
    weights = loaded.pool.resident("a").weight_bytes
    _unload(loaded)
    loaded.load_model(tiny["llama"], "a")
    assert abs(loaded.pool.status().other_bytes - weights) <= SLACK_BYTES
    _all_is_back(loaded)
