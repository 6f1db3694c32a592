"""`{{name}}` in prompts."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_magic.magics.interpolate import interpolate

VARIABLES = {
    "n": 3,
    "text": "{{n}}",
    "row": SimpleNamespace(name="Ada", tags=["x", "y"], _secret="no"),
    "table": {"a b": {"c": 1}},
}


@pytest.mark.parametrize(
    "prompt, filled",
    [
        ("{{n}}", "3"),
        ("{{ n }} and {{n}}", "3 and 3"),
        ("{{text}}", "{{n}}"),
        ("{{row.name}} {{row.tags[-1]}}", "Ada y"),
        ("{{table['a b'][\"c\"]}}", "1"),
        ('{"a": 1} {} \\frac{x}{y} $5 {n}', '{"a": 1} {} \\frac{x}{y} $5 {n}'),
    ],
)
def test_a_known_field_is_replaced_once(prompt: str, filled: str) -> None:
    assert interpolate(prompt, VARIABLES) == (filled, [])


@pytest.mark.parametrize(
    "prompt",
    ["{{m}}", "{{row.age}}", "{{row.tags[9]}}", "{{table['z']}}", "{{n[0]}}"],
)
def test_an_unknown_field_stays_and_is_reported(prompt: str) -> None:
    assert interpolate(prompt, VARIABLES) == (prompt, [prompt])


@pytest.mark.parametrize("prompt", ["{{row._secret}}", "{{n.__class__}}", "{{f()}}", "{{1+1}}"])
def test_what_is_no_simple_field_is_plain_text(prompt: str) -> None:
    assert interpolate(prompt, VARIABLES) == (prompt, [])


@given(st.text())
def test_text_without_double_braces_is_never_changed(text: str) -> None:
    plain = text.replace("{{", "{ ")
    assert interpolate(plain, VARIABLES)[0] == plain
