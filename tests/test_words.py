"""Messages, options and errors: pure values."""

import math
from typing import Any

import pytest

from mlx_magic.errors import (
    Interrupted,
    ModelNotFound,
    TemplateRefused,
    UsageProblem,
    did_you_mean,
    set_debug,
)
from mlx_magic.messages import ImagePart, Message, TextPart
from mlx_magic.options import GenerationOptions
from mlx_magic.settings import Settings

PICTURE = ImagePart(b"\x89PNG", 4, 3, "chart.png")


def test_a_text_message_is_a_dictionary_of_role_and_string() -> None:
    assert Message.of("user", "Hi").to_openai() == {"role": "user", "content": "Hi"}


def test_a_message_with_a_picture_keeps_the_order() -> None:
    message = Message("user", (TextPart("look: "), PICTURE, TextPart("well?")))
    kinds = [part["type"] for part in message.to_openai()["content"]]
    assert kinds == ["text", "image_url", "text"]
    assert message.text == "look: well?" and message.images == (PICTURE,)


@pytest.mark.parametrize(
    "name, value",
    [
        ("temperature", -0.1), ("temperature", math.nan), ("temperature", "hot"),
        ("top_p", 0), ("top_p", 1.01), ("top_k", -1), ("top_k", 1.5), ("min_p", 1.2),
        ("max_tokens", 0), ("seed", -1), ("repetition_penalty", 0), ("think", 1),
        ("json_schema", "x"),
        ("max_tokens", True), ("temperature", math.inf),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_with_its_name(name: str, value: Any) -> None:
    with pytest.raises(UsageProblem, match=name):
        GenerationOptions.of(**{name: value})


def test_what_was_said_wins_over_the_defaults() -> None:
    options = GenerationOptions(temperature=0.0, think=False)
    merged = options.with_defaults({"temperature": 1.0, "top_k": 5, "think": True, "other": 1})
    assert (merged.temperature, merged.top_k, merged.think) == (0.0, 5, False)


def test_each_sampling_setting_takes_what_its_option_takes() -> None:
    from traitlets import TraitError

    settings = Settings()
    settings.temperature = 1
    assert settings.options(GenerationOptions()).temperature == 1.0
    with pytest.raises(TraitError, match="temperature must be"):
        settings.temperature = 99
    assert settings.temperature == 1.0
    with pytest.raises(TraitError):
        settings.max_tokens = 0


def test_an_error_shows_as_one_line_and_with_its_traceback_when_debugging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lines() -> list[str]:
        try:
            raise ModelNotFound("no such model")
        except ModelNotFound as error:
            return error._render_traceback_()

    assert lines() == ["ModelNotFound: no such model"]
    monkeypatch.setenv("MLX_MAGIC_DEBUG", "1")
    assert len(lines()) > 2 and lines()[-1].endswith("no such model")
    monkeypatch.setenv("MLX_MAGIC_DEBUG", "0")
    assert len(lines()) == 1
    set_debug(True)
    try:
        assert len(lines()) > 2
    finally:
        set_debug(False)


def test_what_a_template_or_mlx_says_stays_one_line_without_controls() -> None:
    error = TemplateRefused("no\n\x1b]0;pwned\x07\x1b[2J\u202e" + "x" * 1000)
    (line,) = error._render_traceback_()
    assert line.startswith("TemplateRefused: no ]0;pwned[2Jx") and line.isprintable()
    assert len(line) <= 500


def test_an_interrupt_is_a_keyboard_interrupt_in_one_line() -> None:
    error = Interrupted("interrupted; the answer so far is kept")
    assert isinstance(error, KeyboardInterrupt) and not isinstance(error, Exception)
    assert error._render_traceback_() == ["interrupted; the answer so far is kept"]


@pytest.mark.parametrize(
    "name, choices, hint",
    [
        ("lama", ["llama", "qwen"], "did you mean 'llama'?"),
        ("QWEN", ["llama", "Qwen"], "did you mean 'Qwen'?"),
        ("zzz", ["llama", "qwen"], "there is 'llama', 'qwen'"),
        ("zzz", [], ""),
        # What has no more than the prefix in common with it isn't meant.
        ("demo:pirat", ["demo:pirate", "demo:shout"], "did you mean 'demo:pirate'?"),
        ("demo:gema", ["demo:gemma", "demo:llama"], "did you mean 'demo:gemma'?"),
        ("chat", ["chat1", "chat2", "x"], "did you mean 'chat2' or 'chat1'?"),
    ],
)
def test_a_hint_names_the_close_choices(name: str, choices: list[str], hint: str) -> None:
    assert did_you_mean(name, choices) == hint
