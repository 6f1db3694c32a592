"""What isn't on disk: weighed by its first bytes, planned for, refused before its download."""

import _thread
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models
from fake_hub import FakeHub, Fault, model_files, pointed_at, safetensors_bytes
from huggingface_hub import constants

from mlx_magic import download, hub
from mlx_magic.adapters import look_up_adapter, resolve_adapter
from mlx_magic.errors import (
    DiskFull,
    HubUnreachable,
    MemoryBudgetExceeded,
    MlxMagicError,
    ModelGated,
    ModelNotFound,
    ModelUnsupported,
    UsageProblem,
)
from mlx_magic.remote import Remote

REPO, DRAFT, ADAPTER = "acme/small", "acme/draft", "acme/lora"
WEIGHTS = "model.safetensors"


@pytest.fixture
def server() -> Iterator[FakeHub]:
    with FakeHub() as fake:
        yield fake


@pytest.fixture(autouse=True)
def home(server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with pointed_at(server, tmp_path / "home", monkeypatch):
        yield tmp_path / "home"


@pytest.fixture
def published(server: FakeHub, tiny: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """A model, a draft and an adapter for it on the Hub; and their folders here."""
    lora = tiny_models.build_adapter(tmp_path / "lora", tiny["llama"])
    folders = {REPO: tiny["llama"], DRAFT: tiny["llama"], ADAPTER: lora}
    for repo_id, folder in folders.items():
        server.add(repo_id, {path.name: path.read_bytes() for path in folder.iterdir()})
    return folders


def looked_up(spec: str = REPO, **how: Any) -> Remote[hub.Snapshot]:
    """What a spec that isn't on disk would be; nothing may be written for it."""
    before = written()
    found = hub.look_up(spec, **how)
    assert isinstance(found, Remote) and written() == before
    return found


def written() -> set[Path]:
    return set(Path(constants.HF_HUB_CACHE).rglob("*"))


def names(session: Any) -> list[str]:
    return [resident.name for resident in session.pool.status().residents]


# --- weighing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("large_files_from", [None, 500])
def test_eight_bytes_of_each_file_give_the_bytes_of_the_tensors(
    server: FakeHub, shards: int, large_files_from: int | None
) -> None:
    server.large_files_from = large_files_from
    commit = server.add(REPO, model_files(shards=shards, shard_bytes=777))
    remote = looked_up()
    assert {request.range for request in server.fetched()} == {"bytes=0-7"}
    assert len({request.file for request in server.fetched()}) == shards
    snapshot = remote.fetch(None)
    assert snapshot.weight_bytes == remote.weight_bytes == shards * 777
    assert (snapshot.path, snapshot.revision) == (remote.path, remote.revision)
    assert (snapshot.revision, snapshot.source) == (commit, "download")
    assert len([r for r in server.requests if r.path.startswith("/api/models/")]) == 1


@pytest.mark.parametrize("weights", [WEIGHTS, "weights.safetensors"])
def test_only_the_files_that_an_engine_reads_are_weighed(server: FakeHub, weights: str) -> None:
    others = ["adapters.safetensors", "consolidated.safetensors", "original/model.safetensors"]
    files = model_files() | {name: safetensors_bytes(50) for name in others}
    server.add(REPO, files | {weights: files.pop(WEIGHTS)})
    remote = looked_up()
    assert remote.weight_bytes == remote.fetch(None).weight_bytes
    assert "consolidated.safetensors" not in {request.file for request in server.fetched()}


def test_an_adapter_is_weighed_by_its_own_file(server: FakeHub, published: Any) -> None:
    remote = look_up_adapter(ADAPTER)
    assert isinstance(remote, Remote) and written() == set()
    assert [r.range for r in server.fetched()] == ["bytes=0-7"]
    adapter = remote.fetch(None)
    assert adapter.weight_bytes == remote.weight_bytes
    assert adapter.shapes == resolve_adapter(str(published[ADAPTER])).shapes
    assert look_up_adapter(ADAPTER).path == remote.path


def test_what_is_on_disk_is_read_there_without_a_request(server: FakeHub) -> None:
    server.add(REPO, model_files())
    hub.resolve(REPO)
    server.requests.clear()
    assert hub.look_up(REPO) == hub.resolve(REPO)
    assert server.requests == []


def test_what_is_partly_there_is_missing_only_in_part(server: FakeHub, home: Path) -> None:
    files = model_files(shards=2, shard_bytes=50_000)
    server.add(REPO, files)
    whole = looked_up()
    assert whole.missing_bytes == sum(len(content) for content in files.values())
    one, two = (path.resolve() for path in sorted(whole.fetch(None).path.glob("model-*")))
    two.unlink()
    one.rename(one.with_name(one.name + download.PARTIAL_SUFFIX))
    with one.with_name(one.name + download.PARTIAL_SUFFIX).open("r+b") as partial:
        partial.truncate(20_000)
    again = looked_up()
    assert again.weight_bytes == whole.weight_bytes
    assert again.missing_bytes == 2 * len(files["model-00001-of-00002.safetensors"]) - 20_000
    readings: list[hub.DownloadProgress] = []
    again.fetch(readings.append)
    assert readings[0].done_bytes >= readings[0].total_bytes - again.missing_bytes


def test_a_server_that_ignores_ranges_is_read_no_further_than_the_first_bytes(
    server: FakeHub,
) -> None:
    server.add(REPO, model_files(shard_bytes=1_000_000))
    server.faults[WEIGHTS] = Fault(ignore_range=True, chunk=1000, pause=0.05)  # 50 s for all
    started = time.monotonic()
    assert looked_up().weight_bytes == 1_000_000
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "fault", [Fault(status=503), Fault(status=416), Fault(status=400), Fault(cut_after=3)]
)
def test_a_file_whose_first_bytes_can_not_be_had_counts_as_a_whole_and_still_loads(
    server: FakeHub, fault: Fault
) -> None:
    files = model_files()
    server.add(REPO, files)
    server.faults[WEIGHTS] = fault
    remote = looked_up()
    assert remote.weight_bytes == len(files[WEIGHTS])
    server.faults.clear()
    assert remote.fetch(None).weight_bytes == 1000


@pytest.mark.parametrize("content", [b"", b"tiny", b"\xff" * 100])
def test_a_file_that_is_no_safetensors_counts_as_a_whole(server: FakeHub, content: bytes) -> None:
    server.add(REPO, model_files() | {WEIGHTS: content})
    assert looked_up().weight_bytes == len(content)


# --- refusals ------------------------------------------------------------------------------------


def refused(error: type[MlxMagicError], spec: str = REPO, **how: Any) -> None:
    """Looking a spec up and resolving it are refused in the same words, and nothing is written."""
    said = []
    for ask in (hub.look_up, hub.resolve):
        with pytest.raises(error) as caught:
            ask(spec, **how)
        said.append(str(caught.value))
        assert written() == set() or ask is hub.resolve
    assert said[0] == said[1] and "\n" not in said[0]


@pytest.mark.parametrize(
    "change",
    [
        {WEIGHTS: None, "pytorch_model.bin": b"x", "m.gguf": b"x"},
        {WEIGHTS: None},
        {"config.json": None, "adapter_config.json": b"{}"},
        {"tokenizer.json": None},
    ],
)
def test_what_no_engine_loads_is_refused_as_a_download_would_be(
    server: FakeHub, change: dict[str, bytes | None]
) -> None:
    files = {k: v for k, v in (model_files() | change).items() if v is not None}
    server.add(REPO, files)
    refused(ModelUnsupported)
    assert server.fetched() == []


def test_a_gated_an_unknown_and_a_malformed_one_are_refused(server: FakeHub) -> None:
    server.add(REPO, model_files())
    refused(ModelNotFound, "acme/none")
    refused(ModelNotFound, revision="v9")
    refused(UsageProblem, revision="../main")
    server.repos[REPO].gated = True
    refused(ModelGated)


def test_a_refused_token_is_named_before_the_download(server: FakeHub) -> None:
    server.add(REPO, model_files())
    server.faults[WEIGHTS] = Fault(status=401)
    with pytest.raises(ModelGated, match="hf auth login"):
        hub.look_up(REPO)


def test_offline_says_so(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused(HubUnreachable)
    assert server.requests == []


def test_a_disk_that_is_too_small_is_named(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(REPO, model_files(shard_bytes=3 * 2**20))
    usage = SimpleNamespace(free=download.RESERVE_BYTES + 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    refused(DiskFull)


@pytest.mark.parametrize("silent", ["the list of files", "a file"])
def test_an_interrupt_does_not_wait_for_a_silent_hub(server: FakeHub, silent: str) -> None:
    server.add(REPO, model_files())
    if silent == "a file":
        server.faults[WEIGHTS] = Fault(chunk=1, pause=2.5)
    else:
        server.info_pause = 2.5
    asked = time.monotonic()

    def interrupt() -> None:
        while not (server.fetched() if silent == "a file" else server.requests):
            time.sleep(0.01)
        _thread.interrupt_main()

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        hub.look_up(REPO)
    assert time.monotonic() - asked < 2
    assert written() == set()


# --- dry runs and loads --------------------------------------------------------------------------

LOADS: dict[str, dict[str, str]] = {
    "a model": {},
    "an adapter over it": {"adapter": ADAPTER},
    "a draft beside it": {"draft": DRAFT},
}


@pytest.mark.parametrize("what", LOADS)
@pytest.mark.parametrize("here", ["nothing", "the model", "the resident model", "the other"])
def test_a_dry_run_gives_the_bytes_of_the_load_and_downloads_nothing(
    session: Any, server: FakeHub, published: dict[str, Path], what: str, here: str
) -> None:
    how = dict(LOADS[what])
    if here == "the model":
        hub.resolve(REPO)
    elif here == "the resident model":
        session.load_model(REPO, "base")
    elif here == "the other":
        how = {role: str(published[spec]) for role, spec in how.items()}
    before, server.requests[:] = written(), []
    seen = session.pool.status().changes
    plan = session.plan_load(REPO, "new", **how)
    assert written() == before and session.pool.status().changes == seen
    assert {request.range for request in server.fetched()} <= {"bytes=0-7"}
    session.load_model(REPO, "new", **how)
    came = [c.size_bytes for c in session.pool.changes(seen) if c.kind == "loaded"]
    assert plan.need_bytes == sum(came) > 0
    fetched = {path.resolve() for path in written() - before if "snapshots" in path.parts}
    assert plan.download_bytes == sum(p.stat().st_size for p in fetched if p.is_file())


def test_a_dry_run_names_the_victims_of_the_load(
    session: Any, tiny: dict[str, Path], published: Any
) -> None:
    resident = session.load_model(tiny["qwen"], "old")
    session.pool.set_budget(resident.weight_bytes + 4096)
    assert session.plan_load(REPO).evict == ("old",) and names(session) == ["old"]
    session.load_model(REPO)
    assert names(session) == ["small"]


@pytest.mark.parametrize("what", LOADS)
def test_what_can_not_fit_is_refused_before_its_download_in_the_words_of_any_other(
    session: Any, server: FakeHub, tiny: dict[str, Path], published: dict[str, Path], what: str
) -> None:
    small = session.load_model(tiny["qwen"], "idle").weight_bytes
    pinned = session.load_model(tiny["gemma"], "kept", pin=True).weight_bytes
    session.pool.set_budget(small + pinned)
    model = published[REPO]
    if what == "a model":
        model = tiny["slow"]
        server.add(REPO, {path.name: path.read_bytes() for path in model.iterdir()})
    on_disk = {role: str(published[spec]) for role, spec in LOADS[what].items()}
    before, changes = session.pool.status().residents, session.pool.status().changes
    said = []
    for ask in (session.load_model, session.plan_load):
        for spec, how in ((str(model), on_disk), (REPO, LOADS[what])):
            with pytest.raises(MemoryBudgetExceeded) as caught:
                ask(spec, "new", **how)
            said.append(str(caught.value))
    assert len(set(said)) == 1
    assert written() == set() and {r.range for r in server.fetched()} == {"bytes=0-7"}
    status = session.pool.status()
    assert (status.residents, status.changes) == (before, changes)


def test_a_taken_name_is_refused_before_anything_is_asked_of_the_hub(
    session: Any, server: FakeHub, tiny: dict[str, Path], published: Any
) -> None:
    session.load_model(tiny["llama"], "a")
    for ask in (session.load_model, session.plan_load):
        with pytest.raises(UsageProblem, match="the name 'a' is taken"):
            ask(REPO, "a")
    assert server.requests == []


def test_a_resident_whose_files_are_gone_is_found_by_a_dry_run(
    session: Any, published: Any, home: Path
) -> None:
    resident = session.load_model(REPO)
    shutil.rmtree(home)
    plan = session.plan_load(REPO)
    assert plan.need_bytes == 0 and plan.download_bytes > resident.weight_bytes
    assert session.plan_load(REPO, "other", draft=DRAFT).need_bytes == 2 * resident.weight_bytes
    over = session.plan_load(REPO, "view", adapter=ADAPTER)
    assert over.need_bytes == look_up_adapter(ADAPTER).weight_bytes
