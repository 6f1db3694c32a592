"""The way from a spec to a folder, against a real HTTP server and the real huggingface_hub."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import huggingface_hub
import pytest
from fake_hub import FakeHub, Fault, commit_hash, model_files, pointed_at, safetensors_bytes
from huggingface_hub import constants

import mlx_magic
from mlx_magic import download, hub, snapshot
from mlx_magic.cached import cached_revisions, cached_specs
from mlx_magic.errors import (
    DiskFull,
    DownloadFailed,
    HubUnreachable,
    MlxMagicError,
    ModelGated,
    ModelNotFound,
    ModelUnsupported,
    SnapshotBroken,
    UsageProblem,
)

ROOT = Path(__file__).parent.parent
REPO = "acme/small"
WEIGHTS = "model.safetensors"


@pytest.fixture
def server() -> Iterator[FakeHub]:
    with FakeHub() as fake:
        yield fake


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "home" / "hub"


@pytest.fixture(autouse=True)
def this_hub(server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with pointed_at(server, tmp_path / "home", monkeypatch):
        yield


@pytest.fixture(autouse=True)
def demos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One demo model, so that these tests hold whichever demo models there are."""
    folder = write_folder(tmp_path / "demos" / "qwen", model_files())
    qwen = SimpleNamespace(name="qwen", spec="demo:qwen", path=folder)

    def find(name: str) -> SimpleNamespace:
        if name != "demo:qwen":
            raise ModelNotFound(f"there is no demo model {name!r}")
        return qwen

    fake = SimpleNamespace(find=find, list=lambda: (qwen,))
    monkeypatch.setitem(sys.modules, "mlx_magic.demo", fake)
    monkeypatch.setattr(mlx_magic, "demo", fake, raising=False)
    return folder


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def cached_store(cache: Path, repo_id: str, files: dict[str, bytes], revision: str = "main") -> str:
    """Lay a snapshot into the cache the way huggingface_hub does; returns the commit."""
    store = cache / f"models--{repo_id.replace('/', '--')}"
    commit = commit_hash(repo_id + revision)
    snapshot_folder = store / "snapshots" / commit
    snapshot_folder.mkdir(parents=True)
    (store / "blobs").mkdir(exist_ok=True)
    for name, content in files.items():
        blob = store / "blobs" / commit_hash(repo_id + name + revision)
        blob.write_bytes(content)
        (snapshot_folder / name).symlink_to(os.path.relpath(blob, snapshot_folder))
    (store / "refs" / revision).parent.mkdir(parents=True, exist_ok=True)
    (store / "refs" / revision).write_text(commit)
    return commit


def refused(error: type[MlxMagicError], spec: str, **arguments: Any) -> str:
    """The message with which a spec is refused; it has to be one line."""
    with pytest.raises(error) as raised:
        hub.resolve(spec, **arguments)
    message = str(raised.value)
    assert "\n" not in message
    return message


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@dataclass
class Child:
    """A Python process with the environment of someone who uses the fake Hub."""

    process: subprocess.Popen[str]

    def finish(self, seconds: float = 20) -> Ran:
        out, err = self.process.communicate(timeout=seconds)
        return Ran(self.process.returncode, out, err)


def start_python(code: str, server: FakeHub, tmp_path: Path, **env: str) -> Child:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    clean |= {
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
        **env,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Child(process)


def wait_until(condition: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def partial_bytes(cache: Path, digest: str = "*") -> int:
    """What is on disk of files under way, or of the one with this digest."""
    found = list(cache.glob(f"*/blobs/{digest}{download.PARTIAL_SUFFIX}"))
    return sum(path.stat().st_size for path in found)


def download_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("mlx_magic-download")]


# --- the grammar of a spec -------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["demo", "demo:qwen", " demo "])
def test_demo_alone_means_the_qwen_demo_model(spec: str, demos: Path) -> None:
    found = hub.resolve(spec)
    assert (found.spec, found.path, found.source) == ("demo:qwen", demos, "demo")
    assert found.revision is None


def test_an_unknown_demo_name_is_not_found() -> None:
    assert "nosuch" in refused(ModelNotFound, "demo:nosuch")


def test_a_folder_resolves_by_absolute_relative_and_home_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "models" / "mine", model_files())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for spec in (str(folder), "./models/mine", "../" + tmp_path.name + "/models/mine"):
        assert hub.resolve(spec).path == folder
    assert hub.resolve("~/models/mine").path == folder
    found = hub.resolve("models/mine")  # no ./, but it holds a config.json
    assert (found.path, found.spec, found.source) == (folder, str(folder), "folder")


def test_a_folder_that_is_there_is_never_asked_of_the_hub(
    server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(REPO, model_files())
    monkeypatch.chdir(tmp_path)
    (tmp_path / REPO).mkdir(parents=True)
    assert "has no config.json" in refused(SnapshotBroken, REPO)
    assert server.requests == []


def test_a_folder_that_does_not_exist_is_not_found_with_its_neighbours(tmp_path: Path) -> None:
    write_folder(tmp_path / "llama-3b", model_files())
    assert "did you mean 'llama-3b'?" in refused(ModelNotFound, str(tmp_path / "llama-3"))


def test_a_file_instead_of_a_folder_is_a_usage_problem(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"")
    assert "is a file" in refused(UsageProblem, str(tmp_path / "m.gguf"))


@pytest.mark.parametrize("spec", ["", "a/b/c", "-bad/name", "a/b..c", "x y", "a//b"])
def test_a_malformed_spec_is_a_usage_problem(spec: str) -> None:
    assert "owner/name" in refused(UsageProblem, spec)


def test_a_malformed_spec_of_many_lines_makes_a_short_single_line() -> None:
    assert len(refused(UsageProblem, "a b\n" * 2000)) < 300
    assert len(refused(ModelNotFound, "/a b\n" * 2000)) < 300


def test_a_bare_name_suggests_the_model_that_ends_in_it(cache: Path) -> None:
    cached_store(cache, "acme/Tiny-4bit", model_files())
    assert "did you mean 'acme/Tiny-4bit'?" in refused(ModelNotFound, "tiny-4bit")
    assert "did you mean 'demo:qwen'?" in refused(ModelNotFound, "qwen")


@pytest.mark.parametrize("spec", ["demo:qwen", "/tmp"])
def test_a_revision_is_refused_where_there_is_none(spec: str) -> None:
    refused(UsageProblem, spec, revision="main")


@pytest.mark.parametrize("revision", ["", "../main", "/main", "a b", "a//b", "a/../b", "-x"])
def test_a_malformed_revision_is_a_usage_problem(revision: str) -> None:
    refused(UsageProblem, REPO, revision=revision)


# --- what a folder has to hold ---------------------------------------------------------------


def test_the_byte_count_is_that_of_the_tensors(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", model_files(shards=3, shard_bytes=700))
    assert hub.resolve(str(folder)).weight_bytes == 2100


def test_the_configs_are_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", model_files())
    assert hub.resolve(str(folder)).generation_config == {}
    (folder / "generation_config.json").write_text('{"temperature": 0.5}')
    found = hub.resolve(str(folder))
    assert found.config == {"model_type": "llama"}
    assert found.generation_config == {"temperature": 0.5}


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", WEIGHTS, "model-00002-of-00003.safetensors"]
)
@pytest.mark.parametrize("with_index", [True, False])
def test_a_missing_file_is_named(tmp_path: Path, name: str, with_index: bool) -> None:
    files = model_files(shards=3 if "-of-" in name else 1)
    if not with_index:
        files.pop(snapshot.INDEX, None)
    del files[name]
    folder = write_folder(tmp_path / "m", files)
    assert f"has no {name}" in refused(SnapshotBroken, str(folder))


@pytest.mark.parametrize("cut", [4, 40, 500])
def test_a_truncated_weights_file_is_refused_by_name(tmp_path: Path, cut: int) -> None:
    files = model_files(shards=2)
    name = "model-00002-of-00002.safetensors"
    files[name] = files[name][:cut]
    folder = write_folder(tmp_path / "m", files)
    assert f"{name} is damaged" in refused(SnapshotBroken, str(folder))


def test_weights_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    for content in (b"x" * 500, b"\x04" + bytes(7) + b"[[]]", b"\x02" + bytes(7) + b"??"):
        folder = write_folder(tmp_path / "m", model_files() | {WEIGHTS: content})
        assert f"{WEIGHTS} is damaged" in refused(SnapshotBroken, str(folder))


def test_a_config_that_is_not_json_is_refused_by_name(tmp_path: Path) -> None:
    for content in (b"{", b"[]", b"\xff\xfe"):
        folder = write_folder(tmp_path / "m", model_files() | {"config.json": content})
        assert "config.json is damaged" in refused(SnapshotBroken, str(folder))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "m.gguf", "model.pth", "model.onnx"])
def test_weights_in_other_formats_alone_are_unsupported(tmp_path: Path, name: str) -> None:
    files = model_files() | {name: b"weights"}
    del files[WEIGHTS]
    folder = write_folder(tmp_path / "m", files)
    message = refused(ModelUnsupported, str(folder))
    assert Path(name).suffix in message
    assert "mlx-community" in message


def test_only_what_an_engine_reads_is_wanted() -> None:
    read = [
        "config.json",
        "tokenizer.model",
        "merges.txt",
        "vocab.txt",
        "chat_template.jinja",
        "additional_chat_templates/tools.jinja",
        "qwen.tiktoken",
        "preprocessor_config.json",
        "tokens.jsonl",
        "model-00001-of-00002.safetensors",
        "model.safetensors.index.json",
    ]
    skipped = [
        "README.md",
        "modeling_custom.py",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "model.pt",
        "weights.pth",
        "model.gguf",
        "onnx/model.onnx",
        "tf_model.h5",
        "flax_model.msgpack",
        "training_args.bin",
        "trainer_state.json",
        "optimizer.pkl",
        "original/params.json",
        "original/model.safetensors",
        "consolidated.safetensors",
        "consolidated-00001-of-00002.safetensors",
        "../config.json",
    ]
    assert snapshot.wanted_files([*read, *skipped]) == read


# --- the cache ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 3])
def test_a_complete_cached_model_is_found_without_a_request(
    server: FakeHub, cache: Path, shards: int
) -> None:
    commit = cached_store(cache, REPO, model_files(shards=shards))
    found = hub.resolve(REPO)
    assert (found.spec, found.revision, found.source) == (REPO, commit, "cache")
    assert found.weight_bytes == shards * 1000
    assert server.requests == []


def test_a_cached_model_opens_no_socket_in_a_fresh_process(
    server: FakeHub, cache: Path, tmp_path: Path
) -> None:
    cached_store(cache, REPO, model_files())
    code = f"""
        import socket

        def refuse(*args, **kwargs):
            raise SystemExit("a socket was opened")

        socket.socket.connect = socket.socket.connect_ex = refuse
        socket.create_connection = socket.getaddrinfo = refuse
        from mlx_magic import hub
        found = hub.resolve({REPO!r})
        print(found.source, [m.spec for m in hub.list_cached()])
    """
    ran = start_python(code, server, tmp_path).finish()
    assert (ran.code, ran.out, ran.err) == (0, f"cache ['{REPO}']\n", "")
    assert server.requests == []


def test_a_cached_model_loads_offline(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    cached_store(cache, REPO, model_files())
    assert hub.resolve(REPO).source == "cache"


def test_cached_branches_tags_and_commits_resolve_without_a_request(
    server: FakeHub, cache: Path
) -> None:
    main = cached_store(cache, REPO, model_files())
    tag = cached_store(cache, REPO, model_files(shard_bytes=50), revision="v1.0")
    branch = cached_store(cache, REPO, model_files(shard_bytes=60), revision="refs/pr/3")
    for revision, commit in {"v1.0": tag, "refs/pr/3": branch, tag: tag, None: main}.items():
        assert hub.resolve(REPO, revision=revision).revision == commit
    assert server.requests == []


def test_a_truncated_cached_file_is_refused_by_name(cache: Path) -> None:
    cached_store(cache, REPO, model_files() | {WEIGHTS: safetensors_bytes(1000)[:-1]})
    assert f"{WEIGHTS} is damaged" in refused(SnapshotBroken, REPO)


# --- the download ------------------------------------------------------------------------------


def test_a_download_fetches_only_what_is_needed_and_is_cached_for_everyone(
    server: FakeHub, cache: Path
) -> None:
    extras = ["README.md", "modeling_evil.py", "pytorch_model.bin", "original/x.safetensors"]
    files = model_files(shards=2) | dict.fromkeys(extras, b"unwanted")
    commit = server.add(REPO, files)
    found = hub.resolve(REPO)
    assert (found.revision, found.source, found.weight_bytes) == (commit, "download", 2000)
    assert sorted(r.file for r in server.fetched()) == sorted(model_files(shards=2))
    ours = huggingface_hub.snapshot_download(REPO, local_files_only=True)
    assert Path(ours) == found.path
    repo = next(iter(huggingface_hub.scan_cache_dir(cache).repos))
    assert (repo.repo_id, repo.refs.keys()) == (REPO, {"main"})
    assert (found.path / WEIGHTS.replace(".", "-00001-of-00002.")).is_symlink()
    seen = len(server.requests)
    assert hub.resolve(REPO).source == "cache"
    assert len(server.requests) == seen


@pytest.mark.parametrize("label", ["tag", "commit", "branch"])
def test_a_revision_downloads_its_own_files(server: FakeHub, label: str) -> None:
    server.add(REPO, model_files())
    name = {"tag": "v1.0", "branch": "refs/pr/3", "commit": "v2"}[label]
    commit = server.add(REPO, model_files(shard_bytes=77), revision=name)
    found = hub.resolve(REPO, revision=commit if label == "commit" else name)
    assert (found.revision, found.weight_bytes) == (commit, 77)
    seen = len(server.requests)
    assert hub.resolve(REPO, revision=commit).source == "cache"
    assert len(server.requests) == seen


def test_progress_comes_in_the_calling_thread_and_ends_at_the_total(server: FakeHub) -> None:
    files = model_files(shard_bytes=200_000)
    server.add(REPO, files)
    server.faults[WEIGHTS] = Fault(chunk=20_000, pause=0.03)
    seen: list[hub.DownloadProgress] = []
    threads = set()

    def note(progress: hub.DownloadProgress) -> None:
        threads.add(threading.current_thread())
        seen.append(progress)

    hub.resolve(REPO, on_progress=note)
    assert threads == {threading.current_thread()}
    total = sum(len(content) for content in files.values())
    assert {p.total_bytes for p in seen} == {total}
    done = [p.done_bytes for p in seen]
    assert done == sorted(done)
    assert done[-1] == total
    assert len(set(done)) > 3
    assert seen[len(seen) // 2].bytes_per_second > 0
    assert seen[-1].seconds_left == 0
    assert WEIGHTS in {p.file for p in seen}


def test_the_token_goes_to_the_hub_and_not_to_its_file_host(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.large_files_from = 500
    server.add(REPO, model_files())
    hub.resolve(REPO)
    first, second = server.fetched(WEIGHTS)
    assert first.authorization == "Bearer hf_secret"
    assert second.authorization is None


def test_an_index_that_promises_files_the_repository_never_had_is_asked_about_once(
    server: FakeHub,
) -> None:
    stale = json.dumps({"weight_map": {"a": "model-00001-of-00009.safetensors"}}).encode()
    server.add(REPO, model_files() | {snapshot.INDEX: stale})
    assert hub.resolve(REPO).weight_bytes == 1000
    seen = len(server.requests)
    assert hub.resolve(REPO).source == "cache"
    assert len(server.requests) == seen


def test_a_partial_snapshot_fetches_only_what_is_missing(server: FakeHub, cache: Path) -> None:
    files = model_files(shards=3)
    server.add(REPO, files)
    found = hub.resolve(REPO)
    lost = found.path / "model-00003-of-00003.safetensors"
    lost.resolve().unlink()
    server.requests.clear()
    first: list[hub.DownloadProgress] = []
    assert hub.resolve(REPO, on_progress=first.append).source == "download"
    assert [r.file for r in server.fetched()] == [lost.name]
    assert lost.is_file()
    assert first[0].done_bytes > 2000


def test_a_disk_without_links_holds_the_files_themselves(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: object) -> None:
        raise OSError(errno.ENOTSUP, "no links here")

    monkeypatch.setattr(Path, "symlink_to", no_links)
    server.add(REPO, model_files(shard_bytes=2**20))
    found = hub.resolve(REPO)
    assert not (found.path / WEIGHTS).is_symlink()
    (found.path / "config.json").unlink()
    server.requests.clear()
    assert hub.resolve(REPO).source == "download"
    assert server.fetched() == []


# --- faults, and the try after ------------------------------------------------------------------


def test_a_cut_connection_resumes_by_itself_where_it_was_cut(server: FakeHub) -> None:
    server.add(REPO, model_files(shard_bytes=50_000))
    server.faults[WEIGHTS] = Fault(cut_after=20_000, times=1)
    assert hub.resolve(REPO).weight_bytes == 50_000
    ranges = [r.range for r in server.fetched(WEIGHTS)]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert ranges[1].startswith("bytes=20000-")


def test_a_broken_off_download_says_what_is_kept_and_the_next_try_resumes(
    server: FakeHub, cache: Path
) -> None:
    files = model_files(shard_bytes=50_000)
    server.add(REPO, files)
    server.faults[WEIGHTS] = Fault(cut_after=20_000, times=1)
    breaking = threading.Thread(target=_fail_after, args=(server, server.faults[WEIGHTS]))
    breaking.start()
    message = refused(DownloadFailed, REPO)
    breaking.join()
    assert "HTTP 503" in message
    assert "are kept: load again to resume" in message
    assert partial_bytes(cache) == 20_000
    assert [(m.spec, m.complete) for m in hub.list_cached()] == [(REPO, False)]

    server.faults.clear()
    server.requests.clear()
    seen: list[hub.DownloadProgress] = []
    assert hub.resolve(REPO, on_progress=seen.append).source == "download"
    assert [r.range for r in server.fetched()] == [f"bytes=20000-{len(files[WEIGHTS]) - 1}"]
    assert seen[0].done_bytes >= 20_000
    assert partial_bytes(cache) == 0


def _fail_after(server: FakeHub, fault: Fault) -> None:
    """Once a fault is used up, the server is busy for good."""
    wait_until(lambda: fault.times <= 0)
    server.faults[WEIGHTS] = Fault(status=503)


def test_a_server_that_ignores_ranges_makes_the_file_start_over(
    server: FakeHub, cache: Path
) -> None:
    files = model_files(shard_bytes=50_000)
    server.add(REPO, files)
    _leave_partial(server, cache, files[WEIGHTS][:20_000])
    server.faults[WEIGHTS] = Fault(ignore_range=True)
    found = hub.resolve(REPO)
    assert (found.path / WEIGHTS).read_bytes() == files[WEIGHTS]


def test_a_restarted_file_that_is_cut_again_still_arrives_whole(
    server: FakeHub, cache: Path
) -> None:
    files = model_files(shard_bytes=50_000)
    server.add(REPO, files)
    _leave_partial(server, cache, files[WEIGHTS][:20_000])
    server.faults[WEIGHTS] = Fault(ignore_range=True, cut_after=30_000, times=1)
    found = hub.resolve(REPO)
    assert (found.path / WEIGHTS).read_bytes() == files[WEIGHTS]
    assert str(server.fetched(WEIGHTS)[-1].range).startswith("bytes=30000-")


def test_a_range_that_the_server_refuses_makes_the_file_start_over(
    server: FakeHub, cache: Path
) -> None:
    files = model_files(shard_bytes=50_000)
    server.add(REPO, files)
    _leave_partial(server, cache, files[WEIGHTS][:20_000])
    server.faults[WEIGHTS] = Fault(status=416, times=1)
    found = hub.resolve(REPO)
    assert (found.path / WEIGHTS).read_bytes() == files[WEIGHTS]
    assert [r.range for r in server.fetched(WEIGHTS)][-1] is None


def test_a_file_larger_than_one_answer_arrives_in_pieces(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PIECE_BYTES", 30_000)
    files = model_files(shard_bytes=50_000)
    server.add(REPO, files)
    found = hub.resolve(REPO)
    assert (found.path / WEIGHTS).read_bytes() == files[WEIGHTS]
    last = len(files[WEIGHTS]) - 1
    ranges = [r.range for r in server.fetched(WEIGHTS)]
    assert ranges == ["bytes=0-29999", f"bytes=30000-{last}"]


def test_a_snapshot_whose_links_are_half_made_never_looks_complete(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = model_files() | {"chat_template.jinja": b" " * 5000}  # large, so that it comes late
    server.add(REPO, files)
    real, made = Path.symlink_to, []

    def fails_at_last(link: Path, target: str) -> None:
        if len(made) == len(files) - 1:
            raise KeyboardInterrupt
        made.append(link)
        real(link, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "symlink_to", fails_at_last)
        hub.resolve(REPO)
    assert not any(m.complete for m in hub.list_cached())
    server.requests.clear()
    assert hub.resolve(REPO).source == "download"
    assert server.fetched() == []


@pytest.mark.parametrize("left", [b"\0" * 20_000, b"\0" * 90_000])
def test_a_partial_file_of_other_bytes_never_becomes_a_model(
    server: FakeHub, cache: Path, left: bytes
) -> None:
    files = model_files(shard_bytes=50_000)
    server.add(REPO, files)
    _leave_partial(server, cache, left)
    if len(left) < 50_000:
        assert "arrived damaged" in refused(DownloadFailed, REPO)
    found = hub.resolve(REPO)
    assert (found.path / WEIGHTS).read_bytes() == files[WEIGHTS]


def _leave_partial(server: FakeHub, cache: Path, content: bytes) -> None:
    """What a killed process leaves behind."""
    info = huggingface_hub.HfApi(endpoint=server.url).model_info(REPO, files_metadata=True)
    lfs = next(s.lfs for s in info.siblings or () if s.rfilename == WEIGHTS)
    assert lfs is not None
    blobs = cache / "models--acme--small" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / (lfs.sha256 + download.PARTIAL_SUFFIX)).write_bytes(content)
    server.requests.clear()


def test_damaged_bytes_from_the_server_are_dropped(server: FakeHub, cache: Path) -> None:
    server.add(REPO, files := model_files())
    server.faults[WEIGHTS] = Fault(damage=True)
    assert "arrived damaged" in refused(DownloadFailed, REPO)
    # A small file that was still on its way then may keep what it has.
    assert partial_bytes(cache, hashlib.sha256(files[WEIGHTS]).hexdigest()) == 0


def test_two_kernels_that_load_one_model_share_the_download(server: FakeHub) -> None:
    server.add(REPO, model_files(shard_bytes=100_000))
    server.faults[WEIGHTS] = Fault(chunk=10_000, pause=0.03)
    results: list[snapshot.Snapshot] = []
    threads = [threading.Thread(target=lambda: results.append(hub.resolve(REPO))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.weight_bytes for r in results] == [100_000, 100_000]
    assert len(server.fetched(WEIGHTS)) == 1


def test_offline_says_so_and_names_what_is_there(
    cache: Path, monkeypatch: pytest.MonkeyPatch, server: FakeHub
) -> None:
    cached_store(cache, "acme/smaller", model_files())
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    message = refused(HubUnreachable, REPO)
    assert "HF_HUB_OFFLINE" in message
    assert "not on disk" in message
    assert "did you mean 'acme/smaller'?" in message
    assert server.requests == []


def test_offline_with_a_partial_snapshot_says_that_it_is_partial(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = model_files()
    del files[WEIGHTS]
    cached_store(cache, REPO, files)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "only partly on disk" in refused(HubUnreachable, REPO)


def test_no_connection_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubUnreachable) as raised:
        hub.resolve(REPO)
    assert "can't be reached (ConnectError)" in str(raised.value)
    assert raised.value.__cause__ is not None


def test_a_busy_hub_is_unreachable(server: FakeHub) -> None:
    server.info_status = 503
    assert "HTTP 503" in refused(HubUnreachable, REPO)


def test_a_login_page_in_place_of_the_hub_is_named(server: FakeHub) -> None:
    server.info_body = b"<html>Welcome to our hotel</html>"
    assert "isn't the Hub" in refused(HubUnreachable, REPO)


def test_a_gated_model_names_its_page_and_the_login(server: FakeHub) -> None:
    server.add(REPO, model_files())
    server.repos[REPO].gated = True
    message = refused(ModelGated, REPO)
    assert f"{server.url}/{REPO}" in message
    assert "hf auth login" in message


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_named(server: FakeHub, status: int) -> None:
    server.info_status = status
    assert "hf auth login" in refused(ModelGated, REPO)


def test_an_unknown_model_suggests_close_ones_that_are_cached(cache: Path) -> None:
    cached_store(cache, "acme/smell", model_files())
    message = refused(ModelNotFound, REPO)
    assert "the Hub has no model 'acme/small'" in message
    assert "did you mean 'acme/smell'?" in message


def test_an_unknown_revision_is_named(server: FakeHub) -> None:
    server.add(REPO, model_files())
    assert "no revision 'v9'" in refused(ModelNotFound, REPO, revision="v9")


def test_an_unknown_revision_of_a_cached_repository_gets_a_hint(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(REPO, model_files())
    commit = hub.resolve(REPO).revision
    assert cached_revisions(REPO) == ["main", commit]
    assert "did you mean 'main'?" in refused(ModelNotFound, REPO, revision="mian")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    said = refused(HubUnreachable, REPO, revision="mian")
    assert f"revision 'mian' of {REPO!r} is not on disk" in said
    assert said.endswith("did you mean 'main'?")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({WEIGHTS: None, "pytorch_model.bin": b"x", "m.gguf": b"x"}, ".bin, .gguf"),
        ({WEIGHTS: None, "consolidated.safetensors": b"x"}, "consolidated"),
        ({WEIGHTS: None}, "no weights"),
        ({"config.json": None}, "no config.json"),
        ({"config.json": None, "adapter_config.json": b"{}"}, "LoRA adapter"),
        ({"tokenizer.json": None}, "no tokenizer"),
    ],
)
def test_what_no_engine_loads_is_refused_before_a_byte_is_fetched(
    server: FakeHub, change: dict[str, bytes | None], word: str
) -> None:
    files = {k: v for k, v in (model_files() | change).items() if v is not None}
    server.add(REPO, files)
    assert word in refused(ModelUnsupported, REPO)
    assert server.fetched() == []


def test_a_disk_that_is_too_small_is_refused_before_a_byte_is_fetched(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(REPO, model_files(shard_bytes=3 * 2**20))
    usage = SimpleNamespace(free=download.RESERVE_BYTES + 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    message = refused(DiskFull, REPO)
    assert "needs 3.00 MiB" in message
    assert "1.00 GiB are free" in message
    assert server.fetched() == []


def test_a_disk_that_fills_up_meanwhile_is_named(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(REPO, model_files())

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download.Download, "_complete", full)
    assert "the disk is full" in refused(DiskFull, REPO)


def test_a_cache_that_can_not_be_written_is_named(server: FakeHub, cache: Path) -> None:
    server.add(REPO, model_files())
    cache.parent.mkdir()
    cache.write_text("a file where the cache should be")
    assert "can't be stored" in refused(DownloadFailed, REPO)


def test_a_hash_that_is_no_hash_never_becomes_a_path(
    server: FakeHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(REPO, model_files())
    evil = {"rfilename": "config.json", "size": 3, "blobId": "../../../evil"}
    monkeypatch.setattr("fake_hub._sibling", lambda name, content: evil)
    assert "no hash" in refused(DownloadFailed, REPO)
    assert not cache.exists()


# --- stopping ------------------------------------------------------------------------------------


def test_an_exception_in_the_progress_callback_stops_every_transfer(
    server: FakeHub, cache: Path
) -> None:
    server.add(REPO, model_files(shards=4, shard_bytes=400_000))
    for shard in model_files(shards=4):
        server.faults[shard] = Fault(chunk=1000, pause=0.02)

    def stop(progress: hub.DownloadProgress) -> None:
        if progress.done_bytes > 20_000:
            raise LookupError

    with pytest.raises(LookupError):
        hub.resolve(REPO, on_progress=stop)
    wait_until(lambda: not download_threads(), 1.0)
    kept = partial_bytes(cache)
    assert kept > 0
    time.sleep(0.1)
    assert partial_bytes(cache) == kept


def test_a_stalled_transfer_is_cut_at_once(server: FakeHub, cache: Path) -> None:
    server.add(REPO, model_files(shard_bytes=100_000))
    server.faults[WEIGHTS] = Fault(chunk=50_000, pause=30)  # then silence

    def stop(progress: hub.DownloadProgress) -> None:
        if progress.done_bytes >= 50_000:
            raise LookupError

    with pytest.raises(LookupError):
        hub.resolve(REPO, on_progress=stop)
    wait_until(lambda: not download_threads(), 0.5)


INTERRUPTED = f"""
    import threading, time
    from mlx_magic import hub

    try:
        hub.resolve({REPO!r}, on_progress=lambda p: p.done_bytes > 9000 and print("on", flush=True))
    except KeyboardInterrupt:
        at = time.monotonic()
        while any(t.name.startswith("mlx_magic-download") for t in threading.enumerate()):
            time.sleep(0.005)
        print("interrupted", time.monotonic() - at < 5, flush=True)
"""


def test_ctrl_c_stops_a_slow_download_at_once_and_the_next_try_resumes(
    server: FakeHub, cache: Path, tmp_path: Path
) -> None:
    files = model_files(shard_bytes=1_000_000)
    server.add(REPO, files)
    server.faults[WEIGHTS] = Fault(chunk=1000, pause=0.02)
    child = start_python(INTERRUPTED, server, tmp_path)
    assert child.process.stdout is not None
    assert child.process.stdout.readline() == "on\n"
    sent = time.monotonic()
    child.process.send_signal(signal.SIGINT)
    ran = child.finish()
    assert time.monotonic() - sent < 6  # with the end of the interpreter
    assert ran.out.splitlines()[-1] == "interrupted True"
    assert (ran.code, ran.err) == (0, "")
    kept = partial_bytes(cache)
    assert kept > 5000

    server.faults.clear()
    server.requests.clear()
    assert hub.resolve(REPO).weight_bytes == 1_000_000
    assert server.fetched(WEIGHTS)[0].range == f"bytes={kept}-{len(files[WEIGHTS]) - 1}"


def test_ctrl_c_does_not_wait_for_a_silent_hub(server: FakeHub, tmp_path: Path) -> None:
    server.add(REPO, model_files())
    server.info_pause = 8
    child = start_python(INTERRUPTED, server, tmp_path)
    wait_until(lambda: server.requests)
    sent = time.monotonic()
    child.process.send_signal(signal.SIGINT)
    ran = child.finish()
    assert (ran.code, ran.out, ran.err) == (0, "interrupted True\n", "")
    assert time.monotonic() - sent < 6


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("daemon", [True, False])
def test_the_interpreter_ends_cleanly_in_the_middle_of_a_download(
    server: FakeHub, tmp_path: Path, silent: bool, daemon: bool
) -> None:
    server.add(REPO, model_files(shard_bytes=1_000_000))
    server.faults[WEIGHTS] = Fault(chunk=10_000, pause=20 if silent else 0.02)
    code = f"""
        import threading
        from mlx_magic import errors, hub

        begun = threading.Event()

        def load():
            try:
                hub.resolve({REPO!r}, on_progress=lambda p: p.done_bytes > 5000 and begun.set())
            except errors.DownloadFailed as error:
                print(error)

        threading.Thread(target=load, daemon={daemon}).start()
        assert begun.wait(10)
    """
    child = start_python(code, server, tmp_path)
    started = time.monotonic()
    ran = child.finish()
    assert (ran.code, ran.err) == (0, "")
    assert time.monotonic() - started < 8
    assert daemon or "Python is ending" in ran.out


# --- what is cached ------------------------------------------------------------------------------


def test_the_list_tells_complete_from_partial_and_skips_what_is_no_model(cache: Path) -> None:
    assert hub.list_cached() == ()
    commit = cached_store(cache, "acme/whole", model_files())
    half = model_files(shards=2)
    del half["model-00002-of-00002.safetensors"]
    cached_store(cache, "acme/half", half)
    cached_store(cache, "acme/tokenizer-only", {"config.json": b"{}", "tokenizer.json": b"{}"})
    cached_store(cache, "acme/bad-index", model_files(shards=2) | {snapshot.INDEX: b"{"})
    (cache / "models--acme--empty").mkdir()
    (cache / "models--acme--file").write_text("")
    (cache / "models--acme--odd" / "snapshots").mkdir(parents=True)
    (cache / "models--acme--odd" / "snapshots" / "not-a-folder").write_text("")
    (cache / "datasets--acme--data").mkdir()
    found = {m.spec: m for m in hub.list_cached()}
    assert {spec: m.complete for spec, m in found.items()} == {
        "acme/whole": True,
        "acme/half": False,
        "acme/bad-index": False,
    }
    # By name alone, as completion lists them.
    assert cached_specs("config.json") == ["acme/bad-index", "acme/half", "acme/whole"]
    (cache / "models--acme--whole" / "snapshots" / ".DS_Store").touch()
    assert "acme/whole" in cached_specs("config.json")
    assert cached_revisions("acme/whole") == ["main", commit]
    assert cached_revisions("acme/odd") == cached_revisions("no/where") == []
    whole = found["acme/whole"]
    assert whole.revision == commit
    assert whole.disk_bytes == sum(len(content) for content in model_files().values())
    assert datetime.now(UTC) - whole.last_used < timedelta(minutes=5)


def test_importing_the_module_loads_no_http_client(server: FakeHub, tmp_path: Path) -> None:
    code = """
        import sys
        import mlx_magic.hub
        heavy = {"huggingface_hub", "httpx", "httpx2", "transformers", "mlx"}
        print(sorted(heavy & set(sys.modules)))
    """
    assert start_python(code, server, tmp_path).finish().out == "[]\n"
