"""The magics: what `%load_ext mlx_magic` registers and `%unload_ext` takes away again."""

import sys
import threading
from typing import Any

from .. import settings
from ..errors import set_debug
from .chat import ChatMagics
from .completion import model_matcher
from .models import ModelMagics

_GROUPS = (ModelMagics, ChatMagics)
_REPLY = ("mlx_magic.reply", "Reply")


class MlxMagics(settings.Settings):
    """Defaults of mlx_magic's magics. The name is what a person types after %config."""


def load(shell: Any) -> None:
    """Register magics, settings, completion and the reply's display; warm up in the background.

    The session and all it stands on are imported by the warm-up, or by the first magic.
    """
    unload(shell)
    ours = MlxMagics(parent=shell)
    settings.use(ours)
    shell.configurables.append(ours)
    for group in _GROUPS:
        shell.register_magics(group(shell))
    shell.Completer.custom_matchers.append(model_matcher)
    formatters = shell.display_formatter.formatters
    formatters["text/html"].for_type_by_name(*_REPLY, _reply_html)
    formatters["text/plain"].for_type_by_name(*_REPLY, _reply_text)
    _start_warm_up()


def unload(shell: Any) -> None:
    """Take everything back: magics, settings, completion, display, models, threads."""
    _join_warm_up()
    for group in _GROUPS:
        for kind, names in group.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        shell.magics_manager.registry.pop(group.__name__, None)
    ours = (*_GROUPS, MlxMagics)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, ours)]
    # A refused %config value stays here and would make the next %load_ext fail.
    shell.config.pop("MlxMagics", None)
    if model_matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(model_matcher)
    for mime in ("text/html", "text/plain"):
        _forget_reply(shell.display_formatter.formatters[mime])
    settings.use(None)
    set_debug(False)
    sessions = sys.modules.get("mlx_magic.sessions")
    if sessions is not None:
        sessions.close_session()


def _reply_html(reply: Any) -> str:
    from ..render.reply import reply_html

    return reply_html(reply)


def _reply_text(reply: Any, printer: Any, _cycle: bool) -> None:
    from ..render.reply import reply_text

    nested = len(printer.stack) > 1  # in a list, say, where a card would be in the way
    printer.text(f"Reply({reply.text!r}, {reply.model!r})" if nested else reply_text(reply))


def _forget_reply(formatter: Any) -> None:
    """Undo `for_type_by_name`; the formatter moves the entry once it has met the type."""
    formatter.deferred_printers.pop(_REPLY, None)
    for type_ in list(formatter.type_printers):
        if (type_.__module__, type_.__name__) == _REPLY:
            formatter.type_printers.pop(type_)


_warm_up: threading.Thread | None = None


def _start_warm_up() -> None:
    """Import the engines' libraries in the background (seconds) while the person types."""
    global _warm_up

    def warm_up() -> None:
        from ..sessions import get_session

        get_session().warm_up()

    _warm_up = threading.Thread(target=warm_up, name="mlx-magic-warm-up", daemon=True)
    _warm_up.start()


def _join_warm_up() -> None:
    global _warm_up
    thread, _warm_up = _warm_up, None
    if thread is not None:
        thread.join()
