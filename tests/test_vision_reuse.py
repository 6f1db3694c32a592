"""KV reuse of turns with pictures: the tokens of a fresh reading, and never of another picture."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import mlx.core as mx
import pytest
import tiny_vision
from PIL import Image
from running import Request
from tiny_vision import picture

from mlx_magic.engines import load_engine, vision
from mlx_magic.events import Finished
from mlx_magic.hub import resolve
from mlx_magic.messages import ImagePart, Message
from mlx_magic.options import GenerationOptions

A, B, C = picture(1), picture(2), picture(3, 48, 64)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """An engine of each model type, in f32 (bf16 may round differently), 16 tokens a chunk."""
    root = tmp_path_factory.mktemp("vision")
    with pytest.MonkeyPatch.context() as patch:
        chunks = dict.fromkeys(vision.PREFILL_CHUNK_TOKENS, 16)
        patch.setattr(vision, "PREFILL_CHUNK_TOKENS", chunks)
        made = {}
        for model_type in tiny_vision.KINDS:
            folder = tiny_vision.build(root / model_type, model_type)
            made[model_type] = load_engine(resolve(str(folder)))
            made[model_type]._model.set_dtype(mx.float32)
            made[model_type].read_weights()
        yield made


@pytest.fixture(params=list(tiny_vision.KINDS))
def engine(engines: dict[str, Any], request: pytest.FixtureRequest) -> Any:
    engines[request.param].drop_caches()
    return engines[request.param]


def user(text: str, *images: ImagePart) -> Message:
    return Message.of("user", text, images=images)


def said(text: str) -> Message:
    return Message.of("assistant", text)


def ask(engine: Any, *messages: Message, request: Request | None = None) -> Finished:
    options = GenerationOptions(max_tokens=16, temperature=0.0)
    *_, finished = engine.stream(messages, options, request or Request())
    assert isinstance(finished, Finished)
    return finished


def fresh(engine: Any, *messages: Message) -> tuple[int, ...]:
    """The tokens of a model that remembers nothing."""
    engine.drop_caches()
    return ask(engine, *messages).tokens


FIRST = [user("How many circles are there?", A)]
TALKS: dict[str, tuple[Sequence[Message], Sequence[Message]]] = {
    "a follow-up": (FIRST, [*FIRST, said("There are 3."), user("And red ones?")]),
    "the same question again": (FIRST, FIRST),
    "another question about it": (FIRST, [user("How many are red?", A)]),
    "a second picture in a later turn": (FIRST, [*FIRST, said("3."), user("And here?", B)]),
    "a picture more": (FIRST, [user("How many circles are there?", A, B)]),
    "two pictures, then their follow-up": (
        [user("Which has more?", A, B)],
        [user("Which has more?", A, B), said("The first."), user("Why?")],
    ),
    "the second of two changed": ([user("Which?", A, B)], [user("Which?", A, C)]),
    "a picture after turns of text": (
        [user("Hello")],
        [user("Hello"), said("Hello!"), user("How many?", A)],
    ),
    "text alone after a picture": (FIRST, [user("How many circles are there?")]),
}


@pytest.mark.parametrize("talk", list(TALKS))
def test_the_tokens_with_reuse_are_those_without(engine: Any, talk: str) -> None:
    before, after = TALKS[talk]
    ask(engine, *before)
    reused = ask(engine, *after)
    assert reused.stats.generation_tokens > 2  # a random model may stop early
    assert reused.tokens == fresh(engine, *after)


def test_reading_in_chunks_gives_the_tokens_of_reading_at_once(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = [user("Which has more?", A, C), said("The first."), user("Why?")]
    chunked = fresh(engine, *talk)
    whole = dict.fromkeys(vision.PREFILL_CHUNK_TOKENS, 10**6)
    monkeypatch.setattr(vision, "PREFILL_CHUNK_TOKENS", whole)
    assert fresh(engine, *talk) == chunked


def test_a_type_that_nobody_tried_is_read_as_mlx_vlm_reads_it(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_REUSING", "_REUSING_BEFORE_TEXT"):
        monkeypatch.setattr(vision, name, frozenset())
    request = Request()
    ask(engine, *FIRST, request=request)
    assert [p.done_tokens for p in request.progress] == [0, request.progress[-1].total_tokens]


def test_a_follow_up_reads_only_what_is_new(engine: Any) -> None:
    ask(engine, *FIRST)
    request = Request()
    stats = ask(engine, *FIRST, said("There are 3."), user("And?"), request=request).stats
    assert stats.cached_tokens > 0.5 * stats.prompt_tokens
    assert request.progress[0].done_tokens == stats.cached_tokens
    assert request.progress[-1].done_tokens == stats.prompt_tokens
    done = [p.done_tokens for p in request.progress]
    assert done == sorted(done) and {p.total_tokens for p in request.progress} == {done[-1]}


def test_the_tower_does_not_see_a_picture_twice(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(engine, *FIRST)

    def embeddings(_: Any, input_ids: Any, pixel_values: Any = None, **given: Any) -> Any:
        assert pixel_values is None
        return original(engine._model, input_ids, pixel_values, **given)

    original = type(engine._model).get_input_embeddings
    monkeypatch.setattr(type(engine._model), "get_input_embeddings", embeddings)
    ask(engine, *FIRST, said("There are 3."), user("And?"))


def test_another_picture_of_the_same_size_gets_another_answer(engine: Any) -> None:
    first = ask(engine, user("How many circles are there?", A))
    other = ask(engine, user("How many circles are there?", B))
    assert first.stats.prompt_tokens == other.stats.prompt_tokens  # all that a token count tells
    assert first.tokens != other.tokens
    assert other.tokens == fresh(engine, user("How many circles are there?", B))


def test_swapped_pictures_are_not_taken_for_each_other(engine: Any) -> None:
    ask(engine, user("Which has more?", A, B))
    swapped = ask(engine, user("Which has more?", B, A))
    assert swapped.tokens == fresh(engine, user("Which has more?", B, A))


@pytest.mark.parametrize("request_", [{"tokens": 3}, {"chunks": 2}])
def test_after_a_cancel_the_next_answer_is_that_of_a_fresh_reading(
    engine: Any, request_: dict[str, int]
) -> None:
    stopped = ask(engine, *FIRST, request=Request(**request_))
    assert stopped.stats.finish_reason == "interrupted"
    again = ask(engine, *FIRST)
    changed = ask(engine, user("How many circles are there?", B))
    assert again.tokens == fresh(engine, *FIRST)
    assert changed.tokens == fresh(engine, user("How many circles are there?", B))


def test_a_prompt_half_read_is_dropped(engine: Any) -> None:
    ask(engine, *FIRST, request=Request(chunks=2))
    kept = engine.cache_bytes
    assert ask(engine, *FIRST).stats.cached_tokens == 0 and kept == 0


def test_the_kept_bytes_are_those_that_mlx_holds(engine: Any) -> None:
    mx.clear_cache()
    before = mx.get_active_memory()
    assert engine.cache_bytes == 0
    ask(engine, *FIRST)
    ask(engine, *FIRST, said("There are 3."), user("And here?", B))
    mx.clear_cache()
    held = mx.get_active_memory() - before
    assert engine.cache_bytes > 0 and abs(held - engine.cache_bytes) < 0.01 * held + 1024
    engine.drop_caches()
    assert engine.cache_bytes == 0 and mx.get_active_memory() - before < 1024


def test_a_model_type_that_nobody_tried_keeps_nothing(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_REUSING", "_REUSING_BEFORE_TEXT"):
        monkeypatch.setattr(vision, name, frozenset())
    first, again = ask(engine, *FIRST), ask(engine, *FIRST)
    assert again.stats.cached_tokens == 0 == engine.cache_bytes and first.tokens == again.tokens


def test_mlx_vlms_own_prompt_cache_answers_about_the_picture_before(
    engines: dict[str, Any],
) -> None:
    """Why it isn't used (mlx-vlm 0.7.10, issue 1933). When this fails, it has been mended."""
    from mlx_vlm import PromptCacheState, stream_generate

    engine = engines["smolvlm"]

    def answer(messages: Sequence[Message], image: ImagePart, state: Any) -> list[int]:
        pieces = stream_generate(
            engine._model, engine.processor, engine.render(messages, GenerationOptions()),
            image=[Image.open(io.BytesIO(image.png))], max_tokens=8, temperature=0.0,
            prompt_cache_state=state,
        )  # fmt: skip
        return [piece.token for piece in pieces]

    state = PromptCacheState()
    answer(FIRST, A, state)
    after = [*FIRST, said("There are 3."), user("And red ones?")]
    assert answer(after, B, state) == answer(after, A, None) != answer(after, B, None)
