"""A Hub on this machine: enough of its HTTP surface for huggingface_hub, with faults on demand.

It speaks repository info (`/api/models/…`), file contents (`/…/resolve/…`) with ranges, a second
host for large files as the real one has, and the error codes for gated and unknown repositories.
"""

import hashlib
import json
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest
from huggingface_hub import constants

from mlx_magic import download


def safetensors_bytes(data_bytes: int, seed: int = 0) -> bytes:
    """A valid safetensors file with one uint8 tensor of that many bytes."""
    tensor = {"dtype": "U8", "shape": [data_bytes], "data_offsets": [0, data_bytes]}
    header = json.dumps({"__metadata__": {"format": "mlx"}, "weight": tensor}).encode()
    data = hashlib.shake_128(str(seed).encode()).digest(data_bytes)
    return struct.pack("<Q", len(header)) + header + data


def model_files(*, shards: int = 1, shard_bytes: int = 1000) -> dict[str, bytes]:
    """The files of a small model: config, tokenizer, weights, and an index when in shards."""
    files = {
        "config.json": b'{"model_type": "llama"}',
        "tokenizer.json": b'{"version": "1.0"}',
    }
    if shards == 1:
        return files | {"model.safetensors": safetensors_bytes(shard_bytes)}
    names = [f"model-{i + 1:05d}-of-{shards:05d}.safetensors" for i in range(shards)]
    index = {"weight_map": {f"layer.{i}": name for i, name in enumerate(names)}}
    weights = {name: safetensors_bytes(shard_bytes, i) for i, name in enumerate(names)}
    return files | weights | {"model.safetensors.index.json": json.dumps(index).encode()}


def commit_hash(label: str) -> str:
    """A commit hash for a repository's state."""
    return hashlib.sha1(label.encode()).hexdigest()


@dataclass
class Repo:
    """A repository: revisions (branch, tag or commit) to commits, commits to files."""

    revisions: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: bool = False


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    method: str
    path: str
    range: str | None
    authorization: str | None

    @property
    def file(self) -> str:
        """The file's name, or "" for anything but a file."""
        return self.path.rpartition("/")[2] if "/resolve/" in self.path else ""


@dataclass
class Fault:
    """What goes wrong with a file: while `times` lasts, each answer uses one up."""

    cut_after: int | None = None  # bytes, then the connection closes
    status: int | None = None
    chunk: int | None = None  # bytes per step of a slow answer
    pause: float = 0.0  # seconds between steps
    ignore_range: bool = False
    damage: bool = False
    times: int = 10**9


class FakeHub:
    """The server; use it in a `with` block.

    with FakeHub() as hub:
        hub.add("owner/name", model_files())
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[Request] = []
        self.faults: dict[str, Fault] = {}
        self.info_status: int | None = None
        self.info_body: bytes | None = None
        self.info_pause = 0.0  # seconds before an answer about a repository
        self.large_files_from: int | None = None  # bytes; such files come from the second host
        self._server = _serve(self)
        self._large = _serve(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.large_url = f"http://127.0.0.1:{self._large.server_port}"

    def add(self, repo_id: str, files: dict[str, bytes], revision: str = "main") -> str:
        """Store files as a revision of a repository; returns the commit."""
        commit = commit_hash(f"{repo_id} {revision} {sorted(files)} {len(str(files))}")
        repo = self.repos.setdefault(repo_id, Repo())
        repo.commits[commit] = files
        repo.revisions |= {revision: commit, commit: commit}
        return commit

    def fetched(self, name: str = "") -> list[Request]:
        """The requests for a file's content, of one name or of all."""
        return [r for r in self.requests if r.file and name in ("", r.file)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for server in (self._server, self._large):
            server.shutdown()
            server.server_close()


@contextmanager
def pointed_at(hub: FakeHub, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let huggingface_hub ask `hub` and cache below `home`: it reads the environment at import."""
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 3)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(download, "RETRY_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(download, "REPORT_SECONDS", 0.02)
    yield
    huggingface_hub.close_session()


def _serve(hub: FakeHub) -> ThreadingHTTPServer:
    class Handler(_Handler):
        fake = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    fake: FakeHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.fake.requests.append(
            Request(
                self.command, path, self.headers.get("Range"), self.headers.get("Authorization")
            )
        )
        try:
            if path.startswith("/api/models/"):
                self._info(path.removeprefix("/api/models/"))
            elif "/resolve/" in path:
                self._file(path)
            else:
                self._refuse(404, "")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _info(self, rest: str) -> None:
        repo_id, _, revision = rest.partition("/revision/")
        repo = self.fake.repos.get(repo_id)
        time.sleep(self.fake.info_pause)
        if self.fake.info_body is not None:
            self._answer(200, self.fake.info_body, {"Content-Type": "text/html"})
        elif self.fake.info_status is not None:
            self._refuse(self.fake.info_status, "")
        elif repo is None:
            self._refuse(404, "RepoNotFound")
        elif (commit := repo.revisions.get(revision or "main")) is None:
            self._refuse(404, "RevisionNotFound")
        else:
            files = repo.commits[commit]
            siblings = [_sibling(name, content) for name, content in files.items()]
            body = {"id": repo_id, "sha": commit, "siblings": siblings}
            self._answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _file(self, path: str) -> None:
        repo_id, _, rest = path.strip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        repo = self.fake.repos[repo_id]
        if repo.gated:
            self._refuse(403, "GatedRepo")
            return
        content = repo.commits[repo.revisions[revision]].get(name)
        if content is None:
            self._refuse(404, "EntryNotFound")
            return
        large = self.fake.large_files_from
        here = self.server is self.fake._server
        if here and large is not None and len(content) >= large:
            self._answer(302, b"", {"Location": f"{self.fake.large_url}{path}"})
            return
        fault = self.fake.faults.get(name, Fault())
        if fault.times <= 0:
            fault = Fault()
        fault.times -= 1
        if fault.status is not None:
            self._refuse(fault.status, "")
            return
        self._content(content, fault)

    def _content(self, content: bytes, fault: Fault) -> None:
        total, start, status = len(content), 0, 200
        asked = self.headers.get("Range")
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if fault.damage:
            content = bytes(len(content))
        if asked and not fault.ignore_range:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start = int(first)
            end = min(int(last) if last else total - 1, total - 1)
            if start >= total:
                self._refuse(416, "")
                return
            status, content = 206, content[start : end + 1]
            headers["Content-Range"] = f"bytes {start}-{end}/{total}"
        send: Callable[[bytes], None] = lambda data: self._send_slowly(data, fault)  # noqa: E731
        self._answer(status, content, headers, send, cut_after=fault.cut_after)

    def _send_slowly(self, data: bytes, fault: Fault) -> None:
        step = fault.chunk or max(len(data), 1)
        for at in range(0, len(data), step):
            self.wfile.write(data[at : at + step])
            self.wfile.flush()
            time.sleep(fault.pause)

    def _answer(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str],
        send: Callable[[bytes], None] | None = None,
        cut_after: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut_after is not None and cut_after < len(body):
            body = body[:cut_after]
            self.close_connection = True
        (send or self.wfile.write)(body)

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, b"", {"X-Error-Code": code} if code else {})

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


def _sibling(name: str, content: bytes) -> dict[str, Any]:
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    sibling: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git}
    if name.endswith((".safetensors", ".bin", ".gguf")):
        sha256 = hashlib.sha256(content).hexdigest()
        sibling["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
    return sibling
