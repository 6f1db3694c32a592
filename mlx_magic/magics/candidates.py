"""What may be typed after a magic or a flag: names of models, conversations, files, variables.

Answers from memory and from folders on this disk, at once: no network, no MLX, nothing is loaded.
"""

import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from . import variables

if TYPE_CHECKING:
    from ..sessions import Session

_MOST_ENTRIES = 10_000  # of a folder that are looked at


@dataclass(frozen=True)
class Candidate:
    """A word that may be typed, as it stands for itself (not quoted), and what sort of thing it is.

    A `whole` one fits what was typed already: a path that was looked up with it.
    """

    text: str
    kind: str
    whole: bool = False


@dataclass(frozen=True)
class Asked:
    """What is sought: how it begins, and the words of the line that belong to no flag."""

    start: str = ""
    given: Sequence[str] = field(default=())


Source = Callable[[Asked], list[Candidate]]


def residents(asked: Asked) -> list[Candidate]:
    """The models in memory that the line doesn't name yet, the one used last first."""
    session = _session()
    status = session.pool.status() if session else None
    names = [resident.name for resident in reversed(status.residents)] if status else []
    return [Candidate(name, "model") for name in names if name not in asked.given]


def conversations(_: Asked) -> list[Candidate]:
    """The conversations of this kernel."""
    session = _session()
    talks = session.conversations if session else ()
    return [Candidate(talk.name, "conversation") for talk in talks]


def specs(asked: Asked) -> list[Candidate]:
    """Models that load without the network: demo models, the Hub cache, local folders."""
    from .. import demo
    from ..cached import cached_specs
    from ..snapshot import CONFIG

    near = [model.spec for model in demo.list()] + cached_specs(CONFIG)
    return [Candidate(spec, "model") for spec in near] + _folders(asked.start, CONFIG, "model")


def adapters(asked: Asked) -> list[Candidate]:
    """LoRA adapters on this disk; for a demo model only those that were trained on it."""
    from .. import demo
    from ..adapters import ADAPTER_CONFIG
    from ..cached import cached_specs

    base = asked.given[0] if asked.given else ""
    base = demo.PREFIX + demo.DEFAULT if base in ("demo", demo.PREFIX) else base
    near = [
        demo.PREFIX + adapter.name
        for adapter in demo.adapters()
        if adapter.base == base or not base.startswith(demo.PREFIX)
    ]
    near += cached_specs(ADAPTER_CONFIG)
    folders = _folders(asked.start, ADAPTER_CONFIG, "adapter")
    return [Candidate(spec, "adapter") for spec in near] + folders


def names(asked: Asked) -> list[Candidate]:
    """What the line's model would be called by itself."""
    from ..names import default_name

    return [Candidate(default_name(spec), "name") for spec in asked.given]


def revisions(asked: Asked) -> list[Candidate]:
    """The revisions of the line's repository that lie in the Hub cache."""
    from ..cached import cached_revisions

    found = cached_revisions(asked.given[0]) if asked.given else []
    return [Candidate(revision, "revision") for revision in found]


def pictures(asked: Asked) -> list[Candidate]:
    """Variables that hold a picture, then picture files and folders."""
    from ..images import SUFFIXES

    names = variables.pictures(variables.own_variables())
    fields = [f"{{{{{name}}}}}" for name in names] if asked.start.startswith("{") else names
    return [Candidate(name, "variable") for name in fields] + _files(asked.start, SUFFIXES)


def schemas(asked: Asked) -> list[Candidate]:
    """Variables that hold a JSON schema, then JSON files and folders."""
    names = variables.schemas(variables.own_variables())
    return [Candidate(name, "variable") for name in names] + _files(asked.start, (".json",))


def replies(_: Asked) -> list[Candidate]:
    """Variables that hold a reply already, then names for one."""
    names = variables.replies(variables.own_variables())
    return [Candidate(name, "variable") for name in dict.fromkeys([*names, "answer", "reply"])]


def examples(*texts: str) -> Source:
    """A source of these, whatever is asked."""
    return lambda _: [Candidate(text, "value") for text in texts]


def fitting(candidates: Sequence[Candidate], start: str) -> list[Candidate]:
    """Those that begin so; then those of which a later part does, as `qwen` of `demo:qwen`."""
    start = start.lower()
    first = [c for c in candidates if c.whole or c.text.lower().startswith(start)]
    later = [c for c in candidates if not c.whole and _later_part(c.text.lower(), start)]
    return first + [c for c in later if c not in first]


def _later_part(text: str, start: str) -> bool:
    return bool(start) and text.replace(":", "/").rpartition("/")[2].startswith(start)


def _session() -> "Session | None":
    """The session if there is one; completion makes none."""
    # The background may be importing the module right now: then it has no such name yet.
    module = sys.modules.get("mlx_magic.sessions")
    session: Session | None = getattr(module, "open_session", lambda: None)()
    return session


def _files(start: str, suffixes: Collection[str]) -> list[Candidate]:
    """Files with one of these suffixes and folders, in the folder that `start` leads into."""
    files, folders = [], _way_on(start)
    for shown, entry in _entries(start):
        if entry.is_dir():
            folders.append(Candidate(shown + "/", "path", whole=True))
        elif os.path.splitext(entry.name)[1].lower() in suffixes:  # noqa: PTH122 - of thousands
            files.append(Candidate(shown, "path", whole=True))
    return _sorted(files) + _sorted(folders)


def _folders(start: str, config: str, kind: str) -> list[Candidate]:
    """Folders that hold a file called `config`; also the others, once something is typed."""
    whole, others = [], _way_on(start)
    for shown, entry in _entries(start):
        if not entry.is_dir():
            continue
        if os.path.isfile(f"{entry.path}/{config}"):  # noqa: PTH113 - of thousands
            whole.append(Candidate(shown, kind, whole=True))
        elif start:
            others.append(Candidate(shown + "/", "path", whole=True))
    return _sorted(whole) + _sorted(others)


def _way_on(start: str) -> list[Candidate]:
    """The slash that `~`, `.` and `..` still want; they are the names of folders that all know."""
    last = start.rpartition("/")[2]
    ends = last in (".", "..") or start == "~"
    return [Candidate(start + "/", "path", whole=True)] if ends else []


def _entries(start: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """What the folder holds that `start` leads into, each with the path to type for it."""
    folder, slash, beginning = start.rpartition("/")
    try:
        with os.scandir(Path(folder + slash).expanduser()) as entries:
            for entry in islice(entries, _MOST_ENTRIES):
                name = entry.name
                shown = name.isprintable() and not name.startswith("-" if slash else ("-", "{"))
                hidden = name.startswith(".") and not beginning.startswith(".")
                if shown and not hidden and name.lower().startswith(beginning.lower()):
                    yield folder + slash + name, entry
    except (OSError, ValueError, RuntimeError):  # no such folder, NUL in it, no home
        return


def _sorted(candidates: list[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: candidate.text.lower())
