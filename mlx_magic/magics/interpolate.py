"""`{{name}}` in a prompt: put in a notebook variable, in a single pass."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# An identifier, then simple attributes and indexes. A name that starts with an underscore stops
# it: `{{x.__init__.__globals__}}` must not leak the notebook into a prompt.
_STEP = r"""\.[A-Za-z]\w*|\[-?\d+\]|\['[^'\]]*'\]|\["[^"\]]*"\]"""
_PATH = rf"([A-Za-z_]\w*)((?:{_STEP})*)"
_NAME = re.compile(_PATH)
_FIELD = re.compile(rf"\{{\{{\s*{_PATH}\s*\}}\}}")
_STEPS = re.compile(_STEP)


def interpolate(prompt: str, variables: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The prompt with every known `{{name}}` replaced, and the fields left as they were.

    What is put in is not looked at again. A single `{` or `$` is always literal.

    >>> interpolate("{{n}} and {{m}} and {n}", {"n": 3})
    ('3 and {{m}} and {n}', ['{{m}}'])
    """
    unknown: list[str] = []

    def value(match: re.Match[str]) -> str:
        found = _value(match, variables)
        if found is None:
            unknown.append(match[0])
            return match[0]
        return str(found.value)

    return _FIELD.sub(value, prompt), unknown


def follow_name(name: str, variables: Mapping[str, Any]) -> Any:
    """The value of `name`, `name.attribute` or `name[0]` in the notebook; None when there is none.

    >>> follow_name("pictures[1]", {"pictures": ["a", "b"]})
    'b'
    """
    match = _NAME.fullmatch(name)
    found = _value(match, variables) if match else None
    return found.value if found else None


@dataclass(frozen=True)
class _Found:
    value: Any


def _value(match: re.Match[str], variables: Mapping[str, Any]) -> _Found | None:
    try:
        found = variables[match[1]]
        for step in _STEPS.findall(match[2]):
            found = _follow(found, step)
    except Exception:  # noqa: BLE001 - a property of the notebook's may raise anything
        return None
    return _Found(found)


def _follow(value: Any, step: str) -> Any:
    if step.startswith("."):
        return getattr(value, step[1:])
    key = step[1:-1]
    return value[key[1:-1]] if key[0] in "'\"" else value[int(key)]
