"""Magics that bring models in, show them and let them go."""

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display

from ..errors import Interrupted
from ..plain import plain_text
from .help import with_help
from .parsing import parse

# Everything else is imported by the magic that needs it: loading the extension must stay quick.


@with_help
@magics_class
class ModelMagics(Magics):
    """`%load_model`, `%unload_model`, `%pin_model`, `%models`, `%pool`."""

    shell: Any

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("spec", metavar="SPEC", help="Hub repository, local folder, or demo:NAME")
    @argument("--as", dest="name", metavar="NAME", help="what cells call it (default: from SPEC)")
    @argument("--pin", action="store_true", help="never evict it")
    @argument(
        "--adapter", metavar="PATH", help="LoRA adapter over it: folder, repository, demo:NAME"
    )
    @argument("--revision", metavar="REV", help="branch, tag or commit of a Hub repository")
    @argument("--ttl", metavar="TIME", help="free it after so long idle, e.g. 30m; none: never")
    @argument(
        "--draft", metavar="SPEC", help="small model of the same vocabulary that guesses ahead"
    )
    @argument("--dry-run", action="store_true", help="say what it would take, change nothing")
    def load_model(self, line: str) -> None:
        """Bring a model into memory, from disk if it is there, else from the Hub.

        Example: %load_model mlx-community/Qwen3-4B-4bit --as qwen
        """
        arguments = parse(self.load_model, line)
        if arguments is None:
            return
        how = {
            "name": arguments.name,
            "adapter": arguments.adapter,
            "revision": arguments.revision,
            "draft": arguments.draft,
        }
        ttl_seconds = _seconds("load_model", arguments.ttl)
        if arguments.dry_run:
            plan_only(arguments.spec, **how)
        else:
            bring_in(self.shell, arguments.spec, pin=arguments.pin, ttl_seconds=ttl_seconds, **how)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("names", nargs="*", metavar="NAME", help="models to free")
    @argument("--all", action="store_true", help="free every model")
    @argument("--force", action="store_true", help="cancel what they are answering")
    def unload_model(self, line: str) -> None:
        """Free the memory of one or several models.

        Example: %unload_model qwen
        """
        arguments = parse(self.unload_model, line)
        if arguments is None:
            return
        from ..render.models import unloaded_line
        from ..sessions import get_session

        pool = get_session().pool
        residents = [r.name for r in pool.status().views_first]
        names = residents if arguments.all else arguments.names
        if arguments.all and arguments.names:
            raise UsageError("unload_model: say names or --all, not both")
        if not names and not arguments.all:
            raise UsageError(f"unload_model: say which one ({_choices(residents)}), or --all")
        # All are known before any is freed; a name said twice is freed once.
        named = {r.name: r for r in map(pool.resident, names)}
        for resident in sorted(named.values(), key=lambda r: r.base is None):
            if resident.busy and not arguments.force:
                _say(f"{resident.name} is answering; it goes when the answer ends (or --force)")
            try:
                _say(unloaded_line(pool.unload(resident.name, force=arguments.force)))
            except KeyboardInterrupt:
                raise Interrupted(f"interrupted; {resident.name} is still loaded") from None
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
        from ..render.panel import pinned_line
        from ..sessions import get_session

        pool = get_session().pool
        for name in dict.fromkeys(pool.resident(name).name for name in arguments.names):
            seen = pool.status().changes
            pool.pin(name, not arguments.off)
            gone = [c.name for c in pool.changes(seen) if c.kind == "evicted"]
            _say(pinned_line(name, not arguments.off, gone))

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

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("--budget", metavar="SIZE", help="most memory to use, e.g. 24GiB; none: no limit")
    @argument("--close", action="store_true", help="end the live panels; a snapshot of each stays")
    def pool(self, line: str) -> None:
        """Show who holds the memory, live where the notebook allows it, or set the most to hold.

        Example: %pool --budget 24GiB
        """
        arguments = parse(self.pool, line)
        if arguments is None:
            return
        from traitlets import TraitError

        from .. import widgets
        from ..sessions import get_session
        from ..units import count
        from .displays import in_notebook

        if arguments.close:
            closed = widgets.close_panels()
            _say(f"{count(closed, 'panel')} closed" if closed else "no panel is open")
            if arguments.budget is None:
                return
        session = get_session()
        try:
            if arguments.budget is not None:
                session.settings.memory_budget = arguments.budget
            keep_to_budget()
            session.pool.budget()
        except TraitError as error:
            raise UsageError(f"pool: --budget: {error}") from None
        except KeyboardInterrupt:
            raise Interrupted("interrupted; run it again once the answer has ended") from None
        if in_notebook(self.shell) and widgets.available() and not arguments.close:
            widgets.show_panel(session, _cell_id(self.shell))
        else:
            _show_snapshot(session)


def _cell_id(shell: Any) -> str | None:
    """The id of the running cell, where the front end tells it."""
    cell = (shell.get_parent().get("metadata") or {}).get("cellId")
    return cell if isinstance(cell, str) else None


def _show_snapshot(session: Any) -> None:
    """The pool as it is now: a page in a notebook, text in a terminal."""
    from ..render.panel import snapshot_html, snapshot_text

    view = session.pool.status(), session.system_memory(), datetime.now(UTC)
    display({"text/html": snapshot_html(*view), "text/plain": snapshot_text(*view)}, raw=True)


def keep_to_budget() -> None:
    """Let the pool keep to the budget of the settings, and say what that took."""
    from ..render.models import shrunk_line
    from ..sessions import get_session

    plan = get_session().apply_budget()
    if plan is not None and (plan.evict or plan.short_bytes):
        _say(shrunk_line(plan))


def plan_only(spec: str, **how: Any) -> None:
    """Say what loading it would do. Raises what loading would, and `Interrupted`."""
    from ..render.models import plan_line
    from ..sessions import get_session
    from .live import one_interrupt

    with one_interrupt():
        try:
            plan = get_session().plan_load(spec, **how)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; nothing has changed") from None
    _say(plan_line(spec, plan, plan.download_bytes))


def bring_in(shell: Any, spec: str, **how: Any) -> None:
    """Load a model, with its download shown in one line that becomes the result.

    `how` goes to `Session.load_model`. Raises its errors, and `Interrupted`.
    """
    from ..render.models import loaded_line
    from ..sessions import get_session
    from .live import one_interrupt
    from .live_line import LiveLine

    live = LiveLine(shell, spec)
    with one_interrupt():
        pool = get_session().pool
        status = pool.status()
        before = {r.name for r in status.residents}
        try:
            resident = get_session().load_model(spec, on_progress=live.progress, **how)
        except KeyboardInterrupt:
            kept = f" at {live.line}; run the cell again to resume" if live.line else ""
            raise Interrupted(f"interrupted{kept}; nothing was loaded") from None
    changes = pool.changes(status.changes)
    live.finish(loaded_line(resident, already=resident.name in before, changes=changes))


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


def _seconds(magic: str, text: str | None) -> float | None:
    from ..units import parse_seconds

    try:
        if text is not None and text.strip().lower() == "none":
            return math.inf
        return None if text is None else parse_seconds(text)
    except ValueError as error:
        raise UsageError(f"{magic}: --ttl: {error}") from None


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, default=str)


def _choices(names: list[str]) -> str:
    return ", ".join(names) or "nothing is loaded"


def _say(text: str) -> None:
    print(plain_text(text))  # noqa: T201 - a magic's answer
