"""Tab completion on a magic's line: names of models and flags."""

import re
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from .chat import ChatMagics
from .models import ModelMagics

_LINE = re.compile(r"^\s*%{1,2}(\w+)\s+(?:.*\s)?(\S*)$")

# magic -> (its function, where its positional argument and --as-like values come from)
_MAGICS: dict[str, tuple[Any, str]] = {
    "load_model": (ModelMagics.load_model, "specs"),
    "unload_model": (ModelMagics.unload_model, "residents"),
    "pin_model": (ModelMagics.pin_model, "residents"),
    "models": (ModelMagics.models, ""),
    "chat": (ChatMagics.chat, "residents"),
}


@context_matcher()
def model_matcher(context: CompletionContext) -> SimpleMatcherResult:
    """Complete flags after a dash, else the names that the magic takes."""
    line = context.line_with_cursor[: context.cursor_position]
    match = _LINE.match(line)
    if match is None or match[1] not in _MAGICS or (match[1] == "chat" and context.cursor_line > 0):
        return {"completions": []}
    magic, source = _MAGICS[match[1]]
    fragment = match[2]
    if fragment.startswith("-"):
        words = [flag for action in magic.parser._actions for flag in action.option_strings]
        kind = "flag"
    else:
        words, kind = _names(source), "model"
    completions = [
        SimpleCompletion(text=word, type=kind) for word in words if word.startswith(fragment)
    ]
    return {
        "completions": completions,
        "matched_fragment": fragment,
        "suppress": bool(completions),
        "ordered": True,
    }


def _names(source: str) -> list[str]:
    from .. import demo, hub
    from ..sessions import get_session

    if source == "residents":
        residents = get_session().pool.status().residents
        return [resident.name for resident in reversed(residents)]
    if source == "specs":
        cached = [model.spec for model in hub.list_cached() if model.complete]
        return [model.spec for model in demo.list()] + cached
    return []
