"""Fetches the files of one Hub repository into the Hub cache: resumable, interruptible, checked.

The caller's thread only waits and reports; daemon threads talk to the network. The layout of the
cache (blobs named by their hash, links in snapshots/, commits in refs/) is huggingface_hub's, so
what arrives here is cached for every other program too.

Why the bytes are moved here and not by `hf_hub_download` (huggingface_hub 2.4):
- since 1.18 it deletes what arrived of a file when a transfer ends early, so an interrupted 5 GB
  shard starts from zero: https://github.com/huggingface/huggingface_hub/issues/4196
- a Xet transfer can be stopped only together with every other one of the process, through private
  API, and doesn't resume: https://github.com/huggingface/huggingface_hub/issues/4632
Plain HTTP ranges work for Xet repositories as well; several files at once make up for the speed.
The client, its proxies and certificates, the token and offline mode stay huggingface_hub's.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .errors import DiskFull, DownloadFailed
from .events import DownloadProgress
from .snapshot import Sought
from .transfer import Line, Workers, wait_for
from .units import format_bytes

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

RESERVE_BYTES = 2**30  # stays free on the disk: a system without any space left fails elsewhere
REPORT_SECONDS = 0.15  # time between two readings of the progress
RATE_WINDOW_SECONDS = 5.0
WORKERS = 4  # files on the way at once
RETRIES = 4  # tries in a row without a single new byte before a download counts as broken off
RETRY_WAIT_SECONDS = 1.0  # after the first failure; doubles with each further one
# A server may refuse to send more than 50 GB in one answer; larger files arrive in pieces.
PIECE_BYTES = 16 * 2**30
PARTIAL_SUFFIX = ".mlx_magic.incomplete"  # ends as huggingface_hub's do: `hf cache prune` sees it

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BUSY_STATUS = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class RemoteFile:
    """A file of the repository: its digest is a sha256, or git's sha1 for a small one."""

    name: str
    size_bytes: int
    digest: str


class Download:
    """One download: it knows how far it is, so that a failure can say what is kept."""

    def __init__(self, repo_id: str, revision: str, store: Path, sought: Sought) -> None:
        """`store` is the repository's own folder in the Hub cache (`models--owner--name`)."""
        self.sought = sought
        self.repo_id = repo_id
        self.revision = revision
        self.store = store
        self.commit = ""
        self.repo_files: tuple[str, ...] = ()
        self.files: tuple[RemoteFile, ...] = ()  # those that are wanted
        self.total_bytes = 0
        self._bytes_of: dict[str, int] = {}  # digest -> bytes on disk
        self._latest = ""

    @property
    def done_bytes(self) -> int:
        """Bytes on disk of all files of this download."""
        return sum(list(self._bytes_of.values()))

    @property
    def missing_bytes(self) -> int:
        """Bytes that are still to come."""
        return self.total_bytes - self.done_bytes

    @property
    def folder(self) -> Path:
        """Where the snapshot lies once it is complete."""
        return self.store / "snapshots" / self.commit

    def look_up(self) -> None:
        """Ask the Hub, once, which files the revision has; nothing is written.

        Raises ModelUnsupported when no file is loadable, DiskFull when they don't fit on the disk,
        and huggingface_hub's and its client's errors as they are.
        """
        if not self.commit:
            wait_for(self._ask_for_files)
        self.sought.check(self.repo_files, self.repo_id)
        self._check_space()

    def run(self, on_progress: Callable[[DownloadProgress], None] | None) -> Path:
        """Fetch what is missing and return the folder of the complete snapshot.

        Raises what `look_up` raises before the first byte, DownloadFailed for damaged or refused
        bytes. An exception in `on_progress`, or KeyboardInterrupt, stops the transfer.
        """
        self.look_up()
        _note_revision(self.store / "refs" / self.revision, self.commit, self.revision)
        speed = _Speed(self.done_bytes)
        by_digest = {file.digest: file for file in self.files}.values()
        with Workers(self._fetch, by_digest, WORKERS) as workers:
            workers.start()
            while True:
                finished = workers.wait(REPORT_SECONDS)
                if on_progress is not None:
                    on_progress(self._reading(speed))
                if finished:
                    break
        return self._link()

    def _ask_for_files(self) -> None:
        """Which files the revision has, and which of their bytes are here."""
        from huggingface_hub import HfApi, constants

        info = HfApi(library_name="mlx_magic").model_info(
            self.repo_id,
            revision=self.revision,
            files_metadata=True,
            timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
        )
        siblings = {sibling.rfilename: sibling for sibling in info.siblings or []}
        if info.sha is None or not _COMMIT.fullmatch(info.sha):
            raise DownloadFailed(
                f"the Hub names no commit for {self.repo_id!r}; "
                f"check that HF_ENDPOINT is a Hub ({constants.ENDPOINT})"
            )
        self.commit = info.sha
        self.repo_files = tuple(siblings)
        files = [self._remote_file(siblings[name]) for name in self.sought.wanted(siblings)]
        # Small files first: a refusal shows at once, and the config is there early.
        self.files = tuple(sorted(files, key=lambda f: f.size_bytes))
        sizes = {f.digest: f.size_bytes for f in self.files}
        self.total_bytes = sum(sizes.values())
        self._bytes_of = {file.digest: self._on_disk(file) for file in self.files}
        self._latest = self.files[-1].name if self.files else ""

    def _remote_file(self, sibling: "RepoSibling") -> RemoteFile:
        digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
        size = sibling.lfs.size if sibling.lfs else sibling.size
        # The digest becomes a file name: whatever isn't a plain hash stops here.
        known = digest is not None and (_SHA256.fullmatch(digest) or _COMMIT.fullmatch(digest))
        if digest is None or not known or size is None:
            raise DownloadFailed(
                f"the Hub gives no hash or size for {sibling.rfilename!r} of {self.repo_id!r}; "
                f"try again later"
            )
        return RemoteFile(sibling.rfilename, size, digest)

    def _is_here(self, file: RemoteFile) -> bool:
        # Without links (see _link) the snapshot holds the file itself, and there is no blob.
        link = self.folder / file.name
        return _has_size(link, file.size_bytes) or _has_size(self._blob(file), file.size_bytes)

    def _on_disk(self, file: RemoteFile) -> int:
        if self._is_here(file):
            return file.size_bytes
        with suppress(FileNotFoundError):
            return min(file.size_bytes, _partial_path(self._blob(file)).stat().st_size)
        return 0

    def _blob(self, file: RemoteFile) -> Path:
        return self.store / "blobs" / file.digest

    def _check_space(self) -> None:
        need = self.missing_bytes
        folder = next(p for p in (self.store, *self.store.parents) if p.exists())
        free = shutil.disk_usage(folder).free
        if need and need + RESERVE_BYTES > free:
            raise DiskFull(
                f"{self.repo_id!r} needs {format_bytes(need)}, and {format_bytes(RESERVE_BYTES)} "
                f"to stay free, but {format_bytes(free)} are free in {folder}; "
                f"delete what %models --cached shows, or set HF_HOME to a larger disk"
            )

    def _fetch(self, file: RemoteFile, line: Line) -> None:
        """Complete one blob (in a worker's thread)."""
        blob = self._blob(file)
        blob.parent.mkdir(parents=True, exist_ok=True)
        if not self._is_here(file):
            with _locked_partial(_partial_path(blob), line) as out:
                # Another kernel may have had the lock, and finished.
                if self._is_here(file):
                    _partial_path(blob).unlink(missing_ok=True)
                else:
                    self._complete(_Partial(file, out, line), line)
                    _partial_path(blob).replace(blob)
        self._bytes_of[file.digest] = file.size_bytes

    def _complete(self, partial: "_Partial", line: Line) -> None:
        """Append to the partial file until it is whole; retry as long as bytes keep arriving."""
        file, failures = partial.file, 0
        while (offset := partial.size_bytes) < file.size_bytes:
            failure: Exception | None = None
            try:
                self._receive(partial, line)
            except Exception as error:
                if not _worth_a_retry(error):
                    raise
                failure = error
            line.check()
            failures = failures + 1 if partial.size_bytes <= offset else 0
            if failures > RETRIES:
                raise failure or DownloadFailed(
                    f"the Hub sends no bytes of {file.name!r}; load again to resume"
                )
            if failure is not None:
                line.sleep(RETRY_WAIT_SECONDS * 2 ** max(failures - 1, 0))
        if not partial.is_intact():
            # Nothing of it can be trusted, so nothing of it is resumed.
            partial.restart()
            self._bytes_of[file.digest] = 0
            raise DownloadFailed(
                f"{file.name!r} of {self.repo_id!r} arrived damaged and was dropped; "
                f"load again to fetch that file anew"
            )

    def _receive(self, partial: "_Partial", line: Line) -> None:
        """Append one answer of the server, which is asked to begin where the file ends."""
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]  # lazy

        file, offset = partial.file, partial.size_bytes
        part = None
        if offset or file.size_bytes > PIECE_BYTES:
            part = range(offset, min(file.size_bytes, offset + PIECE_BYTES))
        with self.ask(file, line, part) as response:
            if response.status_code == 416:  # no such range: the next try asks for all of it
                partial.restart()
                return
            hf_raise_for_status(response)
            if response.status_code != 206:
                partial.restart()
            for chunk in response.iter_raw():
                line.check()
                partial.append(chunk)
                self._latest = file.name
                self._bytes_of[file.digest] = partial.size_bytes

    def ask(
        self, file: RemoteFile, line: Line, part: range | None = None
    ) -> AbstractContextManager[Any]:
        """Stream the Hub's answer to a request for a file, or for a part of its bytes.

        A server may send all of it where a part was asked for.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # lazy

        headers = build_hf_headers(library_name="mlx_magic")
        headers["Accept-Encoding"] = "identity"  # a compressed answer could not be resumed
        if part is not None:
            headers["Range"] = f"bytes={part.start}-{part.stop - 1}"
        return line.open(hf_hub_url(self.repo_id, file.name, revision=self.commit), headers)

    def _reading(self, speed: "_Speed") -> DownloadProgress:
        done = self.done_bytes
        rate = speed.rate(done)
        left = (self.total_bytes - done) / rate if rate > 0 else None
        return DownloadProgress(self._latest, done, self.total_bytes, rate, left)

    def _link(self) -> Path:
        """Put the snapshot's links in place; the config last, so that no half looks whole."""
        folder = self.folder
        for file in sorted(self.files, key=lambda f: f.name == self.sought.config):
            link, blob = folder / file.name, self._blob(file)
            if _has_size(link, file.size_bytes):
                continue
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)  # a dangling one, or a file cut short
            try:
                link.symlink_to(os.path.relpath(blob, link.parent))
            except OSError:
                # exFAT and some network disks have no links: huggingface_hub moves files there
                # too. A small one is copied, for two names may share it.
                if file.size_bytes < 2**20:
                    shutil.copyfile(blob, link)
                else:
                    blob.replace(link)
        # An index may promise files that the repository never had. huggingface_hub's place to
        # note that a commit lacks a file keeps the next load off the network.
        for name in self.sought.missing(folder, ()):
            note = self.store / ".no_exist" / self.commit / name
            note.parent.mkdir(parents=True, exist_ok=True)
            note.touch()
        return folder


def _has_size(path: Path, size_bytes: int) -> bool:
    return path.is_file() and path.stat().st_size == size_bytes


def _partial_path(blob: Path) -> Path:
    return blob.with_name(blob.name + PARTIAL_SUFFIX)


def _note_revision(ref: Path, commit: str, revision: str) -> None:
    """Note which commit a branch or tag names; a commit needs no note."""
    if revision == commit:
        return
    ref.parent.mkdir(parents=True, exist_ok=True)
    fresh = ref.with_name(f"{ref.name}.{uuid.uuid4().hex[:8]}.tmp")
    fresh.write_text(commit)
    fresh.replace(ref)


class _Partial:
    """The growing file of one blob, with the running hash of what it holds."""

    def __init__(self, file: RemoteFile, out: BinaryIO, line: Line) -> None:
        """Continue what an earlier try left in `out`, which costs reading it once."""
        self.file = file
        self._out = out
        self.restart(keep=out.seek(0, os.SEEK_END) <= file.size_bytes)
        out.seek(0)
        while chunk := out.read(2**20):
            line.check()
            self._digest.update(chunk)

    @property
    def size_bytes(self) -> int:
        """Bytes written so far."""
        return self._out.tell()

    def append(self, chunk: bytes) -> None:
        """Write the next bytes."""
        self._out.write(chunk)
        self._digest.update(chunk)

    def restart(self, keep: bool = False) -> None:
        """Forget the hash and, unless they are kept, all bytes."""
        if not keep:
            self._out.seek(0)
            self._out.truncate()
        # What names a blob: sha256 of the bytes, or git's sha1 of a header and the bytes.
        if _SHA256.fullmatch(self.file.digest):
            self._digest = hashlib.sha256()
        else:
            prefix = b"blob %d\0" % self.file.size_bytes
            self._digest = hashlib.sha1(prefix, usedforsecurity=False)

    def is_intact(self) -> bool:
        """Whether the bytes are those that the Hub announced."""
        return self._digest.hexdigest() == self.file.digest


@contextmanager
def _locked_partial(path: Path, line: Line) -> Iterator[BinaryIO]:
    """Open the partial file for this process alone; wait while another kernel fills it.

    On a disk whose locks do nothing two writers may mix their bytes; the hash then tells.
    """
    while True:
        with path.open("a+b") as out:
            try:
                fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                line.sleep(0.2)
                continue
            except OSError as error:
                if error.errno not in (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS):
                    raise
            # While this waited, the file may have been renamed to the finished blob.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(out.fileno())):
                yield out
                return


def _worth_a_retry(error: Exception) -> bool:
    """Whether a failed request may go well a moment later: a lost connection, a busy server."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in _BUSY_STATUS
    return isinstance(error, transport_error())


def transport_error() -> type[Exception]:
    """The root error of the HTTP client that huggingface_hub uses (httpx, httpx2 since 2.0)."""
    from huggingface_hub.errors import HfHubHTTPError

    root = HfHubHTTPError.__bases__[0]
    assert issubclass(root, Exception)
    return root


class _Speed:
    """Mean rate over the last seconds, from readings of one growing count."""

    def __init__(self, done_bytes: int) -> None:
        self._readings = deque([(time.monotonic(), done_bytes)])

    def rate(self, done_bytes: int) -> float:
        """Bytes per second, this reading included."""
        now = time.monotonic()
        self._readings.append((now, done_bytes))
        while len(self._readings) > 2 and now - self._readings[0][0] > RATE_WINDOW_SECONDS:
            self._readings.popleft()
        start, before = self._readings[0]
        return max(0.0, (done_bytes - before) / max(now - start, 1e-6))
