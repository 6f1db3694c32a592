"""The magics: what `%load_ext mlx_magic` registers and `%unload_ext` takes away again."""

import sys
import threading
from typing import Any

from .. import settings, widgets
from ..errors import set_debug
from ..units import count
from . import completion, models
from .chat import ChatMagics
from .defaults import MlxMagics, configured
from .models import ModelMagics

_GROUPS = (ModelMagics, ChatMagics)


def load(shell: Any) -> None:
    """Register magics, settings and completion; warm up in the background.

    The session and all it stands on are imported by the warm-up, or by the first magic.
    """
    _remove(shell)
    ours = configured(shell)
    settings.use(ours)
    ours.observe(_keep_to_budget, "memory_budget")
    shell.configurables.append(ours)
    for group in _GROUPS:
        shell.register_magics(group(shell))
    completion.install(shell)
    _start_warm_up()


def unload(shell: Any) -> None:
    """Take everything back: magics, settings, completion, models, threads."""
    _join_warm_up()
    widgets.close_panels()
    _remove(shell)
    settings.use(None)
    set_debug(False)
    sessions = sys.modules.get("mlx_magic.sessions")
    if sessions is not None:
        freed = sessions.close_session()
        if freed:
            print(f"{count(freed, 'model')} freed")  # noqa: T201 - it may come as a surprise


def _remove(shell: Any) -> None:
    """Undo what `load` registered; IPython has no such thing of its own."""
    for group in _GROUPS:
        for kind, names in group.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        shell.magics_manager.registry.pop(group.__name__, None)
    ours = (*_GROUPS, MlxMagics)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, ours)]
    completion.remove(shell)


def _keep_to_budget(_: object) -> None:
    """Make a budget that %config sets hold at once; a session yet to come asks for it itself."""
    if "mlx_magic.sessions" in sys.modules:
        models.keep_to_budget()


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
