"""From a spec to a local folder: demo model, folder, Hub cache, and only then a download.

What is complete on disk is never asked for over the network, not even whether it is current.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from .cached import (
    CachedModel,
    cache_root,
    cached_commit,
    cached_revisions,
    known_absent,
    list_cached,
    store_of,
)
from .download import Download, transport_error
from .errors import (
    DiskFull,
    DownloadFailed,
    HubUnreachable,
    MlxMagicError,
    ModelGated,
    ModelNotFound,
    UsageProblem,
    close_matches,
    did_you_mean,
)
from .events import DownloadProgress
from .remote import Remote, weigh
from .snapshot import (
    CONFIG,
    Snapshot,
    Sought,
    Source,
    check_repository,
    missing_files,
    read_snapshot,
    wanted_files,
)
from .units import format_bytes

__all__ = [
    "CachedModel",
    "DownloadProgress",
    "Found",
    "Snapshot",
    "canonical",
    "find",
    "list_cached",
    "look_up",
    "resolve",
    "survey",
]

T = TypeVar("T")

_DEFAULT_DEMO = "qwen"
_DEFAULT_REVISION = "main"
# Git's own rules for a branch or tag, narrowed: a revision becomes a path below refs/.
_REVISION = re.compile(r"(?!.*(\.\.|//|/\.|\.lock$))[A-Za-z0-9_][\w./+-]{0,200}")


def resolve(
    spec: str,
    *,
    revision: str | None = None,
    on_progress: Callable[[DownloadProgress], None] | None = None,
) -> Snapshot:
    """Find the model that `spec` names, downloading it when it isn't on disk.

        resolve("demo:qwen").path
        resolve("owner/name", revision="v1.0", on_progress=print)

    `spec` is `demo` or `demo:NAME`, a folder, or a Hub repository as `owner/name`; `revision` is
    a branch, tag or commit of the latter (default `main`). `on_progress` is called about seven
    times a second in the calling thread while files arrive. Ctrl-C stops the transfer; what
    arrived is kept, and the next call resumes.

    Raises ModelNotFound, ModelGated, ModelUnsupported, HubUnreachable, DownloadFailed, DiskFull,
    SnapshotBroken, or UsageProblem for a malformed spec or revision.
    """
    return _read(find(spec, _MODEL, revision=revision, on_progress=on_progress))


def look_up(spec: str, *, revision: str | None = None) -> Snapshot | Remote[Snapshot]:
    """Find the model that `spec` names; what isn't on disk is weighed, not downloaded.

        hub.look_up("owner/name").weight_bytes

    Nothing is written to disk. `Remote.fetch` goes on from here. Raises what `resolve` raises.
    """
    return survey(spec, _MODEL, _read, revision=revision)


@dataclass(frozen=True)
class Found:
    """Where a spec led to; `known_absent` names files that the repository is known not to have."""

    spec: str
    path: Path
    revision: str | None
    source: Source
    known_absent: frozenset[str] = frozenset()


def _read(found: Found) -> Snapshot:
    return read_snapshot(
        found.path,
        spec=found.spec,
        revision=found.revision,
        source=found.source,
        known_absent=found.known_absent,
    )


def find(
    spec: str,
    sought: Sought,
    *,
    revision: str | None = None,
    on_progress: Callable[[DownloadProgress], None] | None = None,
) -> Found:
    """The way of `resolve` to a folder, for whatever is sought. The folder is not read yet."""
    place = _locate(spec, sought, revision)
    return place if isinstance(place, Found) else _fetch(place, on_progress)


def survey(
    spec: str, sought: Sought, read: Callable[[Found], T], *, revision: str | None = None
) -> T | Remote[T]:
    """The way of `look_up`, for whatever is sought, and `read` once it is on disk."""
    place = _locate(spec, sought, revision)
    if isinstance(place, Found):
        return read(place)
    with _one_line(place):
        place.look_up()
        weight_bytes = weigh(place)
    return Remote(
        spec=place.repo_id,
        path=place.folder,
        revision=place.commit,
        weight_bytes=weight_bytes,
        missing_bytes=place.missing_bytes,
        fetch=lambda on_progress: read(_fetch(place, on_progress)),
    )


def _locate(spec: str, sought: Sought, revision: str | None) -> Found | Download:
    """Where it is on disk, or the download that would bring it."""
    spec = canonical(spec)
    if spec.startswith("demo:"):
        _refuse_revision(spec, revision)
        return Found(*sought.demo(spec), revision=None, source="demo")
    if os.path.isabs(spec):  # noqa: PTH117 - never raises, see _names_a_path
        _refuse_revision(spec, revision)
        return _find_folder(spec, sought)
    _check_repo_id(spec, sought)
    if revision is not None and not _REVISION.fullmatch(revision):
        raise UsageProblem(f"{revision!r} is no revision; give a branch, a tag or a commit hash")
    return _locate_on_hub(spec, revision or _DEFAULT_REVISION, sought)


def canonical(spec: str | os.PathLike[str]) -> str:
    """The one way to write a spec: `demo:NAME`, an absolute path, or a Hub id as it is.

    Raises ModelNotFound for the home of a user that doesn't exist, UsageProblem for no text.
    """
    if isinstance(spec, os.PathLike):
        spec = os.path.abspath(os.fspath(spec))  # noqa: PTH100 - keeps links
    if not isinstance(spec, str):
        raise UsageProblem(f"a spec is a Hub id, a folder or demo:NAME, not {spec!r}")
    spec = spec.strip()
    if spec in ("demo", "demo:"):
        return f"demo:{_DEFAULT_DEMO}"
    if spec.startswith("demo:") or not _names_a_path(spec):
        return spec
    try:
        return os.path.abspath(Path(spec).expanduser())  # noqa: PTH100 - keeps links
    except RuntimeError as error:  # ~nobody
        raise ModelNotFound(f"there is no folder {spec!r}; check the user's name") from error


def _refuse_revision(spec: str, revision: str | None) -> None:
    if revision is not None:
        raise UsageProblem(f"only Hub repositories have revisions; leave it out for {spec!r}")


def _demo_model(spec: str) -> tuple[str, Path]:
    from . import demo

    model = demo.find(spec)
    return model.spec, Path(model.path)


def _known_models() -> set[str]:
    from . import demo

    return {model.spec for model in demo.list()} | {m.spec for m in list_cached() if m.complete}


_MODEL = Sought(
    noun="model",
    config=CONFIG,
    wanted=wanted_files,
    check=check_repository,
    missing=missing_files,
    demo=_demo_model,
    known=_known_models,
)


def _names_a_path(spec: str) -> bool:
    if spec in (".", "..", "~") or spec.startswith(("/", "./", "../", "~")):
        return True
    # os.path says no where pathlib raises: what was typed may be no possible path at all.
    return bool(spec) and os.path.isdir(spec)  # noqa: PTH112


def _find_folder(spec: str, sought: Sought) -> Found:
    folder = Path(spec)
    if os.path.isfile(folder):  # noqa: PTH113 - never raises, see above
        raise UsageProblem(
            f"{_short(spec)} is a file; give the folder that holds the {sought.noun}"
        )
    if not os.path.isdir(folder):  # noqa: PTH112 - never raises
        parent = folder.parent
        # An impossible path raises even when it is only looked at; it has no siblings either.
        known = parent.glob(f"*/{sought.config}") if os.path.isdir(parent) else ()  # noqa: PTH112
        siblings = [path.parent.name for path in known]
        hint = did_you_mean(folder.name, siblings) or "check the path"
        raise ModelNotFound(f"there is no folder {_short(spec)}; {hint}")
    return Found(str(folder), folder, revision=None, source="folder")


def _check_repo_id(spec: str, sought: Sought) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # lazy

    try:
        validate_repo_id(spec)
    except HFValidationError as error:
        raise UsageProblem(
            f"{_short(spec)} is neither demo:NAME, a folder nor a Hub repository owner/name"
            f"{_close_matches(spec, sought)}"
        ) from error
    if "/" not in spec:
        raise ModelNotFound(
            f"there is no {sought.noun} {spec!r}; a Hub repository is owner/name, a folder ./{spec}"
            f"{_close_matches(spec, sought)}"
        )


def _locate_on_hub(repo_id: str, revision: str, sought: Sought) -> Found | Download:
    store = store_of(repo_id)
    commit = cached_commit(store, revision)
    if commit is not None:
        folder = store / "snapshots" / commit
        absent = known_absent(store, commit)
        if not sought.missing(folder, absent):
            return Found(repo_id, folder, commit, "cache", frozenset(absent))
    return Download(repo_id, revision, store, sought)


def _fetch(download: Download, on_progress: Callable[[DownloadProgress], None] | None) -> Found:
    with _one_line(download):
        folder = download.run(on_progress)
    absent = known_absent(download.store, download.commit)
    return Found(download.repo_id, folder, download.commit, "download", frozenset(absent))


@contextmanager
def _one_line(download: Download) -> Iterator[None]:
    """Turn what huggingface_hub, its HTTP client or the disk raises into one line of ours."""
    try:
        yield
    except MlxMagicError:
        raise
    except Exception as error:
        ours = _explain(error, download)
        if ours is None:
            raise
        raise ours from error


def _explain(error: Exception, download: Download) -> MlxMagicError | None:
    """Our error for a foreign one; None for a bug, which stays loud."""
    from huggingface_hub import errors as hub

    # The first row that fits counts: a gated repository is also "not found" by inheritance.
    rows: list[tuple[type[Exception], Callable[[Download], MlxMagicError]]] = [
        (hub.GatedRepoError, _gated),
        (hub.RepositoryNotFoundError, _not_found),
        (hub.RevisionNotFoundError, _no_revision),
        (hub.DisabledRepoError, _disabled),
        (hub.HfHubHTTPError, partial(_refused, error)),
        (hub.OfflineModeIsEnabled, _offline),
        (JSONDecodeError, _no_hub),
        (transport_error(), partial(_no_connection, error)),
        (OSError, partial(_disk_trouble, error)),
    ]
    return next((explain(download) for kind, explain in rows if isinstance(error, kind)), None)


def _gated(download: Download) -> MlxMagicError:
    return ModelGated(
        f"{download.repo_id!r} is gated: accept its licence on its model page "
        f"({_model_page(download)}), then run `hf auth login` and load again"
    )


def _not_found(download: Download) -> MlxMagicError:
    return ModelNotFound(
        f"the Hub has no {download.sought.noun} {download.repo_id!r}, or it is private "
        f"(then run `hf auth login`){_close_matches(download.repo_id, download.sought)}"
    )


def _no_revision(download: Download) -> MlxMagicError:
    return ModelNotFound(
        f"{download.repo_id!r} has no revision {download.revision!r}; "
        f"leave it out to load {_DEFAULT_REVISION!r}, or see {_model_page(download)}/commits"
        f"{_close_revisions(download)}"
    )


def _disabled(download: Download) -> MlxMagicError:
    return ModelNotFound(
        f"the Hub has disabled {download.repo_id!r}; load another {download.sought.noun}"
    )


def _refused(error: Exception, download: Download) -> MlxMagicError:
    status = error.response.status_code  # type: ignore[attr-defined]  # an HfHubHTTPError
    if status in (401, 403):
        return ModelGated(
            f"the Hub refuses {download.repo_id!r} with this token (HTTP {status}); "
            f"run `hf auth login` with a token that may read it, and load again"
        )
    answer = f"the Hub answers HTTP {status}"
    if download.total_bytes:
        return _broke_off(answer, download)
    return HubUnreachable(f"{answer} for {download.repo_id!r}{_on_disk(download)}; try again later")


def _offline(download: Download) -> MlxMagicError:
    return HubUnreachable(
        f"offline (HF_HUB_OFFLINE is set){_on_disk(download)}; "
        f"unset it and restart the kernel{_likely(download)}"
    )


def _no_hub(download: Download) -> MlxMagicError:
    # What a hotel's or an airport's network answers until one has logged in there.
    return HubUnreachable(
        f"something that isn't the Hub answers at {_model_page(download)}; "
        f"log in to this network, or check HF_ENDPOINT, and load again"
    )


def _no_connection(error: Exception, download: Download) -> MlxMagicError:
    if download.total_bytes:
        return _broke_off(f"the connection broke ({type(error).__name__})", download)
    return HubUnreachable(
        f"the Hub can't be reached ({type(error).__name__}){_on_disk(download)}; "
        f"check the connection and load again{_likely(download)}"
    )


def _disk_trouble(error: Exception, download: Download) -> MlxMagicError:
    assert isinstance(error, OSError)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        left = format_bytes(download.missing_bytes)
        return DiskFull(
            f"the disk is full: {download.repo_id!r} needs {left} more in {cache_root()}; "
            f"delete what %models --cached shows, and load again to resume"
        )
    reason = error.strerror or str(error).partition("\n")[0]
    return DownloadFailed(
        f"{download.repo_id!r} can't be stored: {reason} ({error.filename or cache_root()}); "
        f"make the folder writable or set HF_HOME, and load again"
    )


def _broke_off(what: str, download: Download) -> DownloadFailed:
    kept, total = format_bytes(download.done_bytes), format_bytes(download.total_bytes)
    return DownloadFailed(
        f"{what}; {kept} of {total} of {download.repo_id!r} are kept: load again to resume"
    )


def _on_disk(download: Download) -> str:
    blobs = download.store / "blobs"
    if _close_revisions(download):
        return f" and revision {download.revision!r} of {download.repo_id!r} is not on disk"
    partly = blobs.is_dir() and any(blobs.iterdir())
    return f" and {download.repo_id!r} is {'only partly' if partly else 'not'} on disk"


def _model_page(download: Download) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{download.repo_id}"


def _likely(download: Download) -> str:
    """`; did you mean …?`: another revision, or where there is none here another repository."""
    if cached_revisions(download.repo_id):
        return _close_revisions(download)
    return _close_matches(download.repo_id, download.sought)


def _close_revisions(download: Download) -> str:
    """`; did you mean …?` from the repository's revisions on this disk, or nothing."""
    known = cached_revisions(download.repo_id)
    if not known or download.revision in known:
        return ""
    hint = did_you_mean(download.revision, known)
    return f"; {hint.replace('there is', 'on this machine there is', 1)}"


def _close_matches(spec: str, sought: Sought) -> str:
    """`; did you mean …?` from what loads without the network, or nothing."""
    known = sought.known()
    if "/" not in spec:
        # People leave out the owner: then the name alone is compared.
        tails = {name.replace(":", "/").rpartition("/")[2].lower(): name for name in known}
        close = [spec.lower()] if spec.lower() in tails else close_matches(spec, tails)
        if close:
            return f"; did you mean {' or '.join(repr(tails[tail]) for tail in close)}?"
    hint = did_you_mean(spec, known).replace("there is", "on this machine there is", 1)
    return f"; {hint}" if hint else ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
