"""The `%%chat` magic: one turn of a conversation, streamed into the cell."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from keyword import iskeyword
from os import PathLike
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import Interrupted, close_matches
from ..plain import one_line
from .help import with_help
from .parsing import option_flags, options_of, parse, picture_named
from .variables import own_variables, values

if TYPE_CHECKING:
    from ..conversations import CellRun

# Everything else is imported by the magic that needs it: loading the extension must stay quick.


@with_help
@magics_class
class ChatMagics(Magics):
    """`%%chat`."""

    shell: Any

    @no_var_expand
    @cell_magic
    @magic_arguments("%chat")
    @argument("model", nargs="?", metavar="MODEL", help="which loaded model (default: last used)")
    @argument(
        "--image",
        dest="images",
        metavar="X",
        action="append",
        help="a picture: path, URL, data URI or variable (again for another)",
    )
    @argument("--conversation", metavar="NAME", help="which one to go on with (default: 'default')")
    @argument("--new", action="store_true", help="forget the conversation's earlier turns")
    @argument("--system", metavar="TEXT", help="system prompt, from this turn on")
    @argument("-o", "--output", metavar="VAR", help="put the reply into this variable")
    @argument("--raw", action="store_true", help="leave {{name}} as it is")
    @option_flags
    def chat(self, line: str, cell: str) -> None:
        """Ask a model; the cell's text is the prompt, and {{name}} puts a variable in.

        Example: %%chat gemma-vision --image chart.png --temperature 0.7 -o answer
        """
        arguments = parse(self.chat, line)
        if arguments is None:
            return
        variable = arguments.output
        if variable is not None and (not variable.isidentifier() or iskeyword(variable)):
            raise UsageError(f"chat: -o takes a variable name, not {variable!r}")
        from ..sessions import DEFAULT_CONVERSATION, get_session
        from .live import follow
        from .models import bring_in

        session = get_session()
        options = options_of(arguments, self.shell.user_ns)
        default = session.settings.model
        if default and arguments.model is None and not session.pool.status().residents:
            bring_in(self.shell, default)
        if arguments.conversation is not None:
            _note_a_likely_slip(arguments.conversation, [c.name for c in session.conversations])
        try:
            pictures = self._pictures(arguments.images or ())
        except KeyboardInterrupt:
            raise Interrupted("interrupted at the pictures; nothing was asked") from None
        exchange = session.ask(
            cell.strip() if arguments.raw else self._fill_in(cell.strip()),
            model=arguments.model,
            images=pictures,
            conversation=arguments.conversation or DEFAULT_CONVERSATION,
            options=options,
            system=arguments.system,
            new=arguments.new,
            made_by=_cell_run(self.shell),
        )
        try:
            follow(exchange, self.shell, session.settings.render_hz)
        except Interrupted:
            self._assign(variable, exchange.reply)
            raise
        self._assign(variable, exchange.reply)

    def _fill_in(self, prompt: str) -> str:
        from .interpolate import interpolate

        filled, unknown = interpolate(prompt, self.shell.user_ns)
        if unknown:
            left = ", ".join(dict.fromkeys(unknown))
            name, known = _variable(unknown[0]), own_variables()
            close = close_matches(name, values(known)) if name not in known else []
            hint = f"; did you mean {close[0]!r}?" if close else ""
            _warn(f"left as it is: {left} (no such variable{hint})")
        return filled

    def _pictures(self, names: Sequence[str]) -> list[Any]:
        """The pictures that `--image` names; one from a variable goes by the variable's name."""
        from ..sessions import get_session

        pictures: list[Any] = []
        for name in names:
            found = picture_named(name, self.shell.user_ns)
            several = isinstance(found, list | tuple)
            for index, picture in enumerate(get_session().pictures(found)):
                named = found is name or isinstance(found, str | PathLike)
                title = f"{name}[{index}]" if several else name
                pictures.append(picture if named else replace(picture, source=title))
        return pictures

    def _assign(self, variable: str | None, value: Any) -> None:
        if variable is not None:
            self.shell.user_ns[variable] = value


def _variable(field: str) -> str:
    """The variable that `{{row.city}}` begins with."""
    return re.split(r"[.\[]", field.strip("{ }"))[0]


def _note_a_likely_slip(name: str, known: Sequence[str]) -> None:
    """Say so when a new conversation is called much like another: that may be a slip."""
    # Names that differ in their number or their last letter are meant so: chat1, chat2.
    apart = [k for k in known if re.sub(r"\d+|.$", "", k) != re.sub(r"\d+|.$", "", name)]
    close = close_matches(name, apart, cutoff=0.8)
    if close and name not in known:
        _warn(f"{name!r} is a new conversation; did you mean {close[0]!r}?")


def _warn(text: str) -> None:
    print(one_line(text), file=sys.stderr)  # noqa: T201 - beside the answer


def _cell_run(shell: Any) -> "CellRun | None":
    """Which cell is running, and which run of it; None where there are none (a terminal)."""
    from ..conversations import CellRun

    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = (parent.get("metadata") or {}).get("cellId")
    return CellRun(cell, parent["header"]["msg_id"]) if cell else None
