"""Tab: what stands before the cursor, and what may come next.

On the line of a magic of ours: models, flags, the values of flags. In a prompt: `{{variables}}`.
"""

import argparse
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    ProvisionalCompleterWarning,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from . import candidates
from .candidates import Asked, Candidate, Source, examples, fitting
from .chat import ChatMagics
from .models import ModelMagics
from .variables import own_variables, values
from .words import Place, Typed, place, quoted, typed

_LINE = re.compile(r"\s*(?:[A-Za-z_]\w*\s*=\s*)?(%{1,2}\w+)\s+(.*)", re.DOTALL)
_FIELD = re.compile(r"\{\{\s*(\w*)$")

# What the magic's own words may be; words beyond them there are none.
_NAMES: dict[str, Source] = {
    "%load_model": candidates.specs,
    "%unload_model": candidates.residents,
    "%pin_model": candidates.residents,
    "%%chat": candidates.residents,
}
# What the value of a flag may be, whichever magic has it. Numbers are examples.
_VALUES: dict[str, Source] = {
    "--image": candidates.pictures,
    "--conversation": candidates.conversations,
    "--output": candidates.replies,
    "--json": candidates.schemas,
    "--adapter": candidates.adapters,
    "--draft": candidates.specs,
    "--revision": candidates.revisions,
    "--as": candidates.names,
    "--ttl": examples("10m", "30m", "2h", "none"),
    "--budget": examples("8GiB", "16GiB", "24GiB", "none"),
    "--max-tokens": examples("100", "1000", "4000"),
    "--temperature": examples("0", "0.7", "1"),
    "--top-p": examples("0.9", "0.95"),
    "--top-k": examples("20", "50"),
    "--min-p": examples("0.05", "0.1"),
    "--repetition-penalty": examples("1.1", "1.2"),
    "--seed": examples("0", "1"),
}
_PROMPTS = ("%%chat",)  # the magics whose cell is a prompt


def _magics() -> dict[str, Any]:
    return {
        ("%%" if kind == "cell" else "%") + name: getattr(group, method)
        for group in (ModelMagics, ChatMagics)
        for kind, names in group.magics.items()
        for name, method in names.items()
    }


# IPython silences this warning, an error by default, only while it completes. `warnings` knows no
# threads, and so a library that the warm-up imports may undo that: then Tab would do nothing.
_SILENCED = ("ignore", None, ProvisionalCompleterWarning, None, 0)


def install(shell: Any) -> None:
    """Let Tab complete our magics and prompts in a shell."""
    remove(shell)
    shell.Completer.custom_matchers.append(model_matcher)
    warnings.filterwarnings("ignore", category=ProvisionalCompleterWarning)


def remove(shell: Any) -> None:
    """Take back what `install` did."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if matcher is not model_matcher]
    if _SILENCED in warnings.filters:
        warnings.filters.remove(_SILENCED)  # type: ignore[attr-defined]  # a list, typed narrower


# Before Python's own completion, which takes a while, and would be left out anyway.
@context_matcher(priority=100)
def model_matcher(context: CompletionContext) -> SimpleMatcherResult:
    """Complete a magic's line, or a field of a prompt; nothing anywhere else."""
    try:
        line = context.line_with_cursor
        before, after = line[: context.cursor_position], line[context.cursor_position :]
        above = "\n".join(context.full_text.split("\n")[: context.cursor_line]).lstrip()
        head = _LINE.match(above.partition("\n")[0] + " ")
        if head is not None and head[1] in _PROMPTS:
            return _in_prompt(head[2], before, after)
        return _on_line(before, is_first=not above)
    except Exception:  # noqa: BLE001 - a Tab that finds nothing must not fill the cell with red
        return {"completions": []}


def _in_prompt(arguments: str, before: str, after: str) -> SimpleMatcherResult:
    """`{{na` becomes `{{name}}`, with as many braces as are missing."""
    field = _FIELD.search(before)
    if field is None or "--raw" in arguments.split():
        return {"completions": []}
    closing = "" if re.match(r"\w|\s*\}\}", after) else "}" if after.startswith("}") else "}}"
    opening = field[0].removesuffix(field[1])
    found = [
        SimpleCompletion(text=opening + name + closing, type="variable")
        for name in sorted(values(own_variables()), key=str.lower)
        if name.lower().startswith(field[1].lower())
    ]
    return _only(found, field[0]) if found else {"completions": []}


def _on_line(before: str, is_first: bool) -> SimpleMatcherResult:
    found = _LINE.fullmatch(before)
    magic = _magics().get(found[1]) if found else None
    if found is None or magic is None or (found[1].startswith("%%") and not is_first):
        return {"completions": []}
    line = typed(found[2])
    flag, equals, value = line.raw.partition("=")
    if equals and flag.startswith("--"):
        line = replace(typed(value), words=(*line.words, flag))
    here = place(line.words, magic.parser._actions)
    words = _next(found[1], magic.parser._actions, here, line)
    if not words:
        # Python would now offer all it knows, and nothing of it belongs on this line. So what
        # stands there is offered, and beside it what is wanted.
        wanted = here.waiting.help if here.waiting and not line.raw else None
        words = [SimpleCompletion(text=line.raw, type=_unbroken(wanted or "nothing fits"))]
    return _only(words, line.raw)


def _unbroken(text: str) -> str:
    """For JupyterLab, which breaks what stands at the right wherever it can."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _only(completions: list[SimpleCompletion], fragment: str) -> SimpleMatcherResult:
    return {
        "completions": completions,
        "matched_fragment": fragment,
        "suppress": True,
        "ordered": True,
    }


def _next(
    name: str, actions: Sequence[argparse.Action], here: Place, line: Typed
) -> list[SimpleCompletion]:
    """What may stand in the place of the word that is being typed."""
    if here.waiting is not None:
        choices = [str(choice) for choice in here.waiting.choices or ()]
        flag = here.waiting.option_strings[-1]
        source = examples(*choices) if choices else _VALUES.get(flag)
    elif line.raw.startswith("-"):
        return _flags(actions, here.used, line.raw)
    else:
        source = _NAMES.get(name) if _takes_more(actions, here.given) else None
    asked = Asked(line.value, here.given)
    found = fitting(source(asked), asked.start) if source else []
    if not found and here.waiting is None and not line.raw:
        return _flags(actions, here.used, "--")
    return [SimpleCompletion(text=_to_type(word), type=word.kind) for word in found]


def _takes_more(actions: Sequence[argparse.Action], given: Sequence[str]) -> bool:
    """Whether another word that belongs to no flag may follow."""
    taking = [action for action in actions if not action.option_strings]
    return len(given) < len(taking) or any(action.nargs in ("*", "+") for action in taking)


def _flags(
    actions: Sequence[argparse.Action], used: Sequence[argparse.Action], start: str
) -> list[SimpleCompletion]:
    """The flags that begin so and may still be said."""
    free = [a for a in actions if a not in used or isinstance(a, argparse._AppendAction)]
    names = [flag for action in free for flag in action.option_strings] + ["--help"]
    return [SimpleCompletion(text=n, type="flag") for n in names if n.startswith(start)]


def _to_type(word: Candidate) -> str:
    return word.text if word.kind == "variable" else quoted(word.text)
