"""The `%%chat` magic: one turn of a conversation, streamed into the cell."""

import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import Interrupted
from .parsing import option_flags, options_of, parse

# Everything else is imported by the magic that needs it: loading the extension must stay quick.


@magics_class
class ChatMagics(Magics):
    """`%%chat`."""

    shell: Any

    @no_var_expand
    @cell_magic
    @magic_arguments("%chat")
    @argument("model", nargs="?", metavar="MODEL", help="resident (default: last used)")
    @argument("--conversation", metavar="NAME", help="default: 'default'")
    @argument("--new", action="store_true", help="forget the conversation's earlier turns")
    @argument("--system", metavar="TEXT", help="system prompt, from this turn on")
    @argument("-o", "--output", metavar="VAR", help="put the reply into this variable")
    @argument("--raw", action="store_true", help="leave {{name}} as it is")
    @argument("--bg", action="store_true", help="answer while other cells run")
    @option_flags
    def chat(self, line: str, cell: str) -> None:
        """Ask a model; the cell's text is the prompt, and {{name}} puts a variable in.

        Example: %%chat qwen --temperature 0.7 -o answer
        """
        arguments = parse(self.chat, line)
        if arguments is None:
            return
        variable = arguments.output
        if variable is not None and not variable.isidentifier():
            raise UsageError(f"chat: -o takes a variable name, not {variable!r}")
        from ..sessions import get_session
        from .live import follow, follow_in_background, in_notebook

        if arguments.bg and not in_notebook(self.shell):
            raise UsageError("chat: --bg needs a notebook; leave it out in a terminal")
        session = get_session()
        exchange = session.ask(
            cell.strip() if arguments.raw else self._fill_in(cell.strip()),
            model=arguments.model,
            conversation=session.conversation(arguments.conversation),
            options=options_of(arguments, self.shell.user_ns),
            system=arguments.system,
            new=arguments.new,
            cell=_cell_id(self.shell),
        )
        if arguments.bg:
            follow_in_background(
                exchange,
                session.settings.render_hz,
                done=lambda reply: self._assign(variable, reply),
            )
            return
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
            print(f"left as it is: {left} (no such variable)", file=sys.stderr)  # noqa: T201
        return filled

    def _assign(self, variable: str | None, value: Any) -> None:
        if variable is not None:
            self.shell.user_ns[variable] = value


def _cell_id(shell: Any) -> str | None:
    """The notebook's id of the running cell; None where there is none (a terminal)."""
    if not hasattr(shell, "get_parent"):
        return None
    metadata = shell.get_parent().get("metadata") or {}
    return metadata.get("cellId")
