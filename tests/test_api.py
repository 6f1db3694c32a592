"""The Python functions and the session's defaults."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mlx_magic as mm
from mlx_magic.errors import BackendMissing, UsageProblem
from mlx_magic.sessions import default_name


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("mlx", "mlx_lm", "mlx_vlm", "transformers", "huggingface_hub", "IPython", "numpy")
    program = f"""
import sys, mlx_magic
mlx_magic.load_model, mlx_magic.chat, mlx_magic.session, mlx_magic.Reply
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_is_there() -> None:
    for name in mm.__all__:
        assert getattr(mm, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'load_modle'"):
        mm.load_modle  # noqa: B018


def test_load_chat_pin_unload(session: Any, tiny: Any) -> None:
    assert mm.load_model(str(tiny["llama"]), "a").name == "a"
    reply = mm.chat("Hello", "a", max_tokens=5)
    assert isinstance(reply, mm.Reply) and reply.model == "a" and str(reply) == reply.text
    assert reply.stats is not None and reply.stats.generation_tokens == 5
    assert mm.pin_model("a").pinned
    assert mm.unload_model("a").status.name == "a"
    assert mm.session().pool.status().residents == ()


def test_stream_yields_events_and_its_reply(session: Any, tiny: Any) -> None:
    mm.load_model(str(tiny["llama"]), "a")
    events = mm.stream("Hello", conversation="c", max_tokens=5)
    kinds = [type(event).__name__ for event in events]
    assert kinds[0] == "PrefillProgress" and kinds[-1] == "Finished"
    assert mm.session().conversation("c").turns[0].reply is events.reply


def test_an_unknown_option_names_the_close_one(session: Any) -> None:
    with pytest.raises(UsageProblem, match="did you mean 'temperature'"):
        mm.chat("Hello", temprature=1)


@pytest.mark.parametrize("name", ["a b", "", "\x1b[31mred", "--as", "a\n"])
def test_a_name_that_could_not_be_typed_is_refused(session: Any, tiny: Any, name: str) -> None:
    with pytest.raises(UsageProblem, match="is no name"):
        session.load_model(str(tiny["llama"]), name)


def test_a_taken_name_is_refused_before_anything_is_fetched(
    session: Any, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.load_model(str(tiny["llama"]), "a")
    monkeypatch.setattr("mlx_magic.hub.look_up", lambda *_, **__: pytest.fail("asked the Hub"))
    with pytest.raises(UsageProblem, match="the name 'a' is taken"):
        session.load_model("owner/big", "a")


def test_a_reply_draws_itself_without_the_extension() -> None:
    reply = mm.Reply("**Paris**", "qwen", ())
    bundle = reply._repr_mimebundle_()
    assert "<strong>Paris</strong>" in bundle["text/html"]
    assert repr([reply]) == "[Reply('**Paris**', 'qwen')]"


def test_a_machine_without_a_backend_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from types import SimpleNamespace

    from mlx_magic.engines import device

    bare = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(device.sys, "platform", "linux")
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda _: bare)
    monkeypatch.setitem(sys.modules, "mlx.core", None)  # as if libmlx were missing
    device.require_backend.cache_clear()
    with pytest.raises(BackendMissing, match=r"mlx-magic\[cpu\].*mlx-magic\[cuda\]") as caught:
        device.require_backend()
    assert "\n" not in str(caught.value)


def test_the_default_model_is_loaded_when_nothing_is_resident(session: Any, tiny: Any) -> None:
    from mlx_magic import settings

    settings.use(settings.Settings(model=str(tiny["llama"])))
    try:
        assert mm.chat("Hello", max_tokens=2).model == "llama"
    finally:
        settings.use(None)


def test_settings_are_the_defaults_of_the_options(session: Any, tiny: Any) -> None:
    from mlx_magic import settings

    ours = settings.Settings(max_tokens=3)
    settings.use(ours)
    try:
        mm.load_model(str(tiny["llama"]), "a")
        first, second = mm.chat("Hello"), mm.chat("Hello", max_tokens=5)
        assert first.stats is not None and first.stats.generation_tokens == 3
        assert second.stats is not None and second.stats.generation_tokens == 5
    finally:
        settings.use(None)


@pytest.mark.parametrize(
    "spec, name",
    [
        ("mlx-community/Qwen3-4B-4bit", "Qwen3-4B-4bit"),
        ("demo:qwen", "qwen"),
        ("/models/mine/", "mine"),
        ("./mine", "mine"),
        ("/models/tiny llama (2)", "tiny-llama-2"),
        ("/", "model"),
    ],
)
def test_a_name_is_made_from_the_spec(spec: str, name: str) -> None:
    assert default_name(spec) == name
