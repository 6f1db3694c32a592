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
from .parsing import pictures_at_hand

_LINE = re.compile(r"^\s*%{1,2}(\w+)\s+(?:.*?(\S+)\s+)?(\S*)$")

# magic -> its function, and where the names that it takes come from
_MAGICS: dict[str, tuple[Any, str]] = {
    "load_model": (ModelMagics.load_model, "specs"),
    "unload_model": (ModelMagics.unload_model, "residents"),
    "pin_model": (ModelMagics.pin_model, "residents"),
    "models": (ModelMagics.models, ""),
    "pool": (ModelMagics.pool, ""),
    "chat": (ChatMagics.chat, "residents"),
}
# flag -> where its values come from; those of other flags can't be guessed
_VALUES = {
    "--conversation": "conversations",
    "--adapter": "adapters",
    "--image": "pictures",
    "--draft": "specs",
}


@context_matcher()
def model_matcher(context: CompletionContext) -> SimpleMatcherResult:
    """Complete flags after a dash, the value of a flag after it, else the names the magic takes."""
    line = context.line_with_cursor[: context.cursor_position]
    match = _LINE.match(line)
    in_prompt = match is not None and match[1] == "chat" and context.cursor_line > 0
    if match is None or match[1] not in _MAGICS or in_prompt:
        return {"completions": []}
    magic, source = _MAGICS[match[1]]
    before, fragment = match[2] or "", match[3]
    actions = {flag: action for action in magic.parser._actions for flag in action.option_strings}
    kind = "model"
    if fragment.startswith("-"):
        words, kind = [*actions, "--help"], "flag"
    elif before in actions and actions[before].nargs != 0:
        words, kind = _names(_VALUES.get(before, "")), "value"
    else:
        words = _names(source)
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
    if source == "conversations":
        return [conversation.name for conversation in get_session().conversations]
    if source == "pictures":
        return pictures_at_hand()
    if source == "adapters":
        return [demo.PREFIX + adapter.name for adapter in demo.adapters()]
    if source == "specs":
        cached = [model.spec for model in hub.list_cached() if model.complete]
        return [model.spec for model in demo.list()] + cached
    return []
