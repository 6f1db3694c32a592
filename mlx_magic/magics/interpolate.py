"""`{{name}}` in a prompt: put in a notebook variable, in a single pass."""

import re
from collections.abc import Mapping
from typing import Any

# An identifier, then simple attributes and indexes. A name that starts with an underscore stops
# it: `{{x.__init__.__globals__}}` must not leak the notebook into a prompt.
_STEP = r"""\.[A-Za-z]\w*|\[-?\d+\]|\['[^'\]]*'\]|\["[^"\]]*"\]"""
_FIELD = re.compile(rf"\{{\{{\s*([A-Za-z_]\w*)((?:{_STEP})*)\s*\}}\}}")
_STEPS = re.compile(_STEP)


def interpolate(prompt: str, variables: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The prompt with every known `{{name}}` replaced, and the fields left as they were.

    What is put in is not looked at again. A single `{` or `$` is always literal.

    >>> interpolate("{{n}} and {{m}} and {n}", {"n": 3})
    ('3 and {{m}} and {n}', ['{{m}}'])
    """
    unknown: list[str] = []

    def value(match: re.Match[str]) -> str:
        try:
            found = variables[match[1]]
            for step in _STEPS.findall(match[2]):
                found = _follow(found, step)
        except Exception:  # noqa: BLE001 - a property of the notebook's may raise anything
            unknown.append(match[0])
            return match[0]
        return str(found)

    return _FIELD.sub(value, prompt), unknown


def _follow(value: Any, step: str) -> Any:
    if step.startswith("."):
        return getattr(value, step[1:])
    key = step[1:-1]
    return value[key[1:-1]] if key[0] in "'\"" else value[int(key)]
