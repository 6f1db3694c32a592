"""Magics that bring models in, show them and let them go."""

import json
from dataclasses import asdict
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display

from ..errors import Interrupted
from ..plain import plain_text
from .parsing import parse

# Everything else is imported by the magic that needs it: loading the extension must stay quick.


@magics_class
class ModelMagics(Magics):
    """`%load_model`, `%unload_model`, `%pin_model`, `%models`."""

    shell: Any

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("spec", metavar="SPEC", help="Hub repository, local folder, or demo:NAME")
    @argument("--as", dest="name", metavar="NAME", help="what cells call it (default: from SPEC)")
    @argument("--pin", action="store_true", help="never evict it")
    @argument("--revision", metavar="REV", help="branch, tag or commit of a Hub repository")
    def load_model(self, line: str) -> None:
        """Bring a model into memory, from disk if it is there, else from the Hub.

        Example: %load_model mlx-community/Qwen3-4B-4bit --as qwen
        """
        arguments = parse(self.load_model, line)
        if arguments is None:
            return
        bring_in(
            self.shell,
            arguments.spec,
            name=arguments.name,
            pin=arguments.pin,
            revision=arguments.revision,
        )

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("names", nargs="*", metavar="NAME", help="models to free")
    @argument("--all", action="store_true", help="free every model")
    def unload_model(self, line: str) -> None:
        """Free the memory of one or several models.

        Example: %unload_model qwen
        """
        arguments = parse(self.unload_model, line)
        if arguments is None:
            return
        from ..sessions import get_session
        from ..units import format_bytes

        pool = get_session().pool
        residents = [r.name for r in pool.status().residents]
        names = residents if arguments.all else arguments.names
        if arguments.all and arguments.names:
            raise UsageError("unload_model: say names or --all, not both")
        if not names and not arguments.all:
            raise UsageError(f"unload_model: say which one ({_choices(residents)}), or --all")
        # All are known before any is freed; a name said twice is freed once.
        for name in dict.fromkeys(pool.resident(name).name for name in names):
            freed = pool.unload(name)
            _say(f"{freed.name} unloaded, {format_bytes(freed.weight_bytes)} freed")
        if not names:
            _say("nothing was loaded")

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("names", nargs="+", metavar="NAME", help="models to pin")
    @argument("--off", action="store_true", help="unpin them")
    def pin_model(self, line: str) -> None:
        """Keep models in memory whatever else is loaded, or stop keeping them (--off).

        Example: %pin_model qwen
        """
        arguments = parse(self.pin_model, line)
        if arguments is None:
            return
        from ..sessions import get_session

        pool = get_session().pool
        for name in dict.fromkeys(pool.resident(name).name for name in arguments.names):
            pool.pin(name, not arguments.off)
            _say(f"{name} {'unpinned' if arguments.off else 'pinned'}")

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("--cached", action="store_true", help="what lies on disk: demo models, Hub cache")
    @argument("--json", action="store_true", help="as JSON")
    def models(self, line: str) -> None:
        """List the models in memory, least recently used first, or those on disk (--cached).

        Example: %models
        """
        arguments = parse(self.models, line)
        if arguments is None:
            return
        from ..render.models import disk_table, pool_table
        from ..sessions import get_session

        if arguments.cached:
            rows = _on_disk()
            _say(_json(rows)) if arguments.json else display(disk_table(rows))
            return
        status = get_session().pool.status()
        _say(_json(asdict(status))) if arguments.json else display(pool_table(status))


def bring_in(shell: Any, spec: str, **how: Any) -> None:
    """Load a model, with its download shown in one line that becomes the result.

    `how` goes to `Session.load_model`. Raises its errors, and `Interrupted`.
    """
    from ..render.models import loaded_line
    from ..sessions import get_session
    from .live import LiveLine, one_interrupt

    live = LiveLine(shell, spec)
    with one_interrupt():
        try:
            before = {r.name for r in get_session().pool.status().residents}
            resident = get_session().load_model(spec, on_progress=live.progress, **how)
        except KeyboardInterrupt:
            kept = f" at {live.line}; run the cell again to resume" if live.line else ""
            raise Interrupted(f"interrupted{kept}; nothing was loaded") from None
    live.finish(loaded_line(resident, already=resident.name in before))


def _on_disk() -> list[dict[str, Any]]:
    from .. import demo, hub

    rows: list[dict[str, Any]] = [
        {"spec": m.spec, "bytes": m.size_bytes, "complete": True, "last_used": None}
        for m in demo.list()
    ]
    for m in hub.list_cached():
        rows.append(
            {
                "spec": m.spec,
                "bytes": m.disk_bytes,
                "complete": m.complete,
                "last_used": m.last_used,
            }
        )
    return rows


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, default=str)


def _choices(names: list[str]) -> str:
    return ", ".join(names) or "nothing is loaded"


def _say(text: str) -> None:
    print(plain_text(text))  # noqa: T201 - a magic's answer
