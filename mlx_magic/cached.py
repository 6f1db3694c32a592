"""What lies in the Hub cache: which models, which snapshots, and whether they are complete."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .download import PARTIAL_SUFFIX
from .errors import SnapshotBroken
from .snapshot import CONFIG, INDEX, file_names, missing_files

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class CachedModel:
    """A model in the Hub cache: one snapshot of one repository.

        [m.spec for m in hub.list_cached() if m.complete]

    `disk_bytes` counts all files of the snapshot; `last_used` is when one was last read or
    written, as far as the disk records reads; `complete` says that it loads without the network.
    """

    spec: str
    revision: str
    disk_bytes: int
    last_used: datetime
    complete: bool


def cache_root() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser()


def store_of(spec: str) -> Path:
    """The folder of the Hub cache in which a repository lies, if it does."""
    return cache_root() / ("models--" + spec.replace("/", "--"))


def cached_commit(store: Path, revision: str) -> str | None:
    """The commit of a cached snapshot, from the cache's own notes."""
    try:
        commit = (store / "refs" / revision).read_text(encoding="utf-8").strip()
    except OSError:
        commit = revision
    known = _COMMIT.fullmatch(commit) and (store / "snapshots" / commit).is_dir()
    return commit if known else None


def known_absent(store: Path, commit: str) -> set[str]:
    """Files of which the cache notes that the repository doesn't have them."""
    folder = store / ".no_exist" / commit
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def cached_specs(config: str) -> list[str]:
    """The repositories in the Hub cache with a snapshot of weights and a file called `config`.

        cached_specs("config.json")

    Quick, for completion: two folders are listed for each repository, and no file is looked into.
    What can't be read is left out.
    """
    root = str(cache_root())
    stores = sorted(name for name in _names(root) if name.startswith("models--"))
    return ["/".join(name.split("--")[1:]) for name in stores if _holds(f"{root}/{name}", config)]


def cached_revisions(spec: str) -> list[str]:
    """The revisions of a repository in the Hub cache: branches and tags, then commits."""
    store = store_of(spec)
    commits = [name for name in _names(f"{store}/snapshots") if _COMMIT.fullmatch(name)]
    refs = sorted(ref for ref in (store / "refs").rglob("*") if ref.is_file())
    names = [ref.relative_to(store / "refs").as_posix() for ref in refs]
    return [name for name in names if cached_commit(store, name)] + sorted(commits)


def _holds(store: str, config: str) -> bool:
    snapshots = f"{store}/snapshots"
    found = [_names(f"{snapshots}/{commit}") for commit in _names(snapshots)]
    return any(config in n and any(x.endswith(".safetensors") for x in n) for n in found)


def _names(folder: str) -> list[str]:
    """What a folder holds; nothing where there is none."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except (OSError, ValueError):
        return []


def list_cached() -> tuple[CachedModel, ...]:
    """The models in the Hub cache, the one used last first; never asks the network.

    Lists snapshots with a config and safetensors weights, and downloads of them that broke off
    (`complete` is False then). What can't be read is left out.
    """
    found: list[CachedModel] = []
    root = cache_root()
    for store in root.glob("models--*") if root.is_dir() else ():
        try:
            found += _cached_models(store)
        except (OSError, ValueError):
            continue
    return tuple(sorted(found, key=lambda m: (m.last_used, m.spec), reverse=True))


def _cached_models(store: Path) -> Iterator[CachedModel]:
    spec = "/".join(store.name.split("--")[1:])
    snapshots = store / "snapshots"
    commits = [p.name for p in snapshots.iterdir()] if snapshots.is_dir() else []
    for commit in commits:
        names = file_names(snapshots / commit)
        if CONFIG in names and (INDEX in names or any(n.endswith(".safetensors") for n in names)):
            paths = [snapshots / commit / name for name in names]
            yield _cached_model(spec, commit, paths, _is_complete(store, commit))
    partials = list((store / "blobs").glob(f"*{PARTIAL_SUFFIX}"))
    if partials:
        refs = [ref.read_text().strip() for ref in (store / "refs").rglob("*") if ref.is_file()]
        for commit in sorted(set(refs) - set(commits)):
            yield _cached_model(spec, commit, list((store / "blobs").iterdir()), False)


def _is_complete(store: Path, commit: str) -> bool:
    try:
        return not missing_files(store / "snapshots" / commit, known_absent(store, commit))
    except SnapshotBroken:
        return False


def _cached_model(spec: str, commit: str, paths: list[Path], complete: bool) -> CachedModel:
    stats = [path.stat() for path in paths]
    last = max(max(s.st_atime, s.st_mtime) for s in stats)
    size = sum(s.st_size for s in stats)
    return CachedModel(spec, commit, size, datetime.fromtimestamp(last, UTC), complete)
