"""Vision models in the pool, beside text models: the ledger, the order of eviction, the kind."""

from pathlib import Path
from typing import Any

import malformed
import pytest
import tiny_vision
from tiny_vision import picture

from mlx_magic.errors import ImageProblem, ResidentNotFound, UsageProblem
from mlx_magic.events import Finished
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions

SLACK_BYTES = 2048  # what the libraries keep, and a sampler
FOUR = GenerationOptions(max_tokens=4, temperature=0)


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vision.build(tmp_path_factory.mktemp("models") / "eyes", "smolvlm")


def ask(session: Any, name: str, *messages: Message) -> Finished:
    *_, last = session.pool.stream(name, messages, FOUR)
    assert isinstance(last, Finished)
    session.thread.call(lambda _: __import__("gc").collect())
    return last


def look(text: str, seed: int = 1) -> Message:
    return Message.of("user", text, images=[picture(seed)])


def test_the_ledger_counts_a_vision_models_weights_and_caches(session: Any, eyes: Path) -> None:
    loaded = session.load_model(eyes)
    assert loaded.kind == "vision" and loaded.family == "smollm" and not loaded.towerless
    for seed in range(3):
        ask(session, "eyes", look("How many?", seed))
    status = session.pool.status()
    (resident,) = status.residents
    assert resident.cache_bytes > 0
    charged = resident.weight_bytes + resident.cache_bytes
    assert abs(status.active_bytes - charged) <= 0.01 * charged
    freed = session.pool.unload("eyes")
    assert freed.held_by == () and abs(freed.freed_bytes - charged) <= 0.01 * charged
    assert session.pool.status().active_bytes <= SLACK_BYTES


def test_the_caches_of_pictures_go_before_any_model(
    session: Any, eyes: Path, tiny: dict[str, Path]
) -> None:
    weights = session.load_model(eyes).weight_bytes
    weights += session.load_model(tiny["llama"]).weight_bytes
    for seed in range(3):
        ask(session, "eyes", look("How many?", seed))
    assert session.pool.status().residents[-1].cache_bytes > 0
    plan = session.pool.set_budget(weights + SLACK_BYTES)
    assert plan.drop_caches == ("eyes",) and plan.evict == ()
    assert [r.cache_bytes for r in session.pool.status().residents] == [0, 0]
    assert not ask(session, "eyes", look("How many?", 2)).stats.cached_tokens


def test_an_evicted_vision_model_comes_back_and_sees(
    session: Any, eyes: Path, tiny: dict[str, Path]
) -> None:
    weights = session.load_model(eyes).weight_bytes
    first = ask(session, "eyes", look("How many?")).tokens
    session.pool.set_budget(weights + SLACK_BYTES)
    session.load_model(tiny["qwen"])
    assert [r.name for r in session.pool.status().residents] == ["qwen"]
    session.load_model(eyes)
    assert ask(session, "eyes", look("How many?")).tokens == first


def test_a_text_model_refuses_pictures_and_nothing_is_leased(
    session: Any, eyes: Path, tiny: dict[str, Path]
) -> None:
    session.load_model(tiny["llama"])
    with pytest.raises(UsageProblem, match="llama reads text only; load a vision model"):
        session.pool.stream("llama", [look("How many?")], FOUR)
    session.load_model(eyes)
    with pytest.raises(UsageProblem, match=r"llama reads text only; ask eyes$"):
        session.pool.stream("llama", [look("How many?")], FOUR)
    assert not any(r.busy or r.requests for r in session.pool.status().residents)


def test_without_any_model_a_picture_asks_for_one_that_sees(session: Any) -> None:
    with pytest.raises(
        ResidentNotFound, match=r"no model is loaded; load a vision model, e\.g\. %load"
    ):
        session.ask("How many?", images=picture(1))


def test_a_conversion_without_its_tower_says_so(session: Any, tmp_path: Path) -> None:
    from mlx_magic.render.models import loaded_line

    blind = tiny_vision.build(tmp_path / "blind", "gemma3", tower=False)
    status = session.load_model(blind)
    assert status.kind == "text" and status.towerless
    assert "reads text only: its files hold no vision tower" in loaded_line(status)
    assert ask(session, "blind", Message.of("user", "Hello")).tokens
    with pytest.raises(UsageProblem, match="its files hold no vision tower"):
        session.pool.stream("blind", [look("How many?")], FOUR)


def test_no_malformed_file_changes_a_conversation(session: Any, eyes: Path, tmp_path: Path) -> None:
    session.load_model(eyes)
    list(session.ask("How many?", images=picture(1), conversation="c", options=FOUR))
    before = session.conversation("c").turns
    files = [*malformed.mutations().items(), *malformed.lying_headers().items()]
    refused = 0
    for name, data in files[:: len(files) // 60]:
        file = tmp_path / name.replace("/", "_")
        file.write_bytes(data)
        try:
            session.pictures(file)
        except ImageProblem:
            refused += 1
            with pytest.raises(ImageProblem):
                session.ask("And here?", images=file, conversation="c")
    assert refused > 20 and session.conversation("c").turns == before
