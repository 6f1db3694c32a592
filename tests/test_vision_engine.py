"""The vision engine over mlx-vlm: same tokens, right stop, right pictures, refusals in one line."""

import gc
import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import pytest
import tiny_vision
from real_families import REAL_FAMILIES, real_families
from running import Request
from test_vision_reuse import A, B, ask, said, user
from tiny_vision import picture

from mlx_magic.adapters import AdapterSnapshot
from mlx_magic.engines import load_engine, vision
from mlx_magic.engines.seeing import PictureReader
from mlx_magic.errors import GenerationFailed, ModelUnsupported, SnapshotBroken, UsageProblem
from mlx_magic.events import Finished, TextDelta
from mlx_magic.families import stop_token_ids
from mlx_magic.hub import resolve
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions
from mlx_magic.templates import picture_mark

QUESTION = "How many circles are there?"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each type that the demo has."""
    root = tmp_path_factory.mktemp("seeing")
    return {name: tiny_vision.build(root / name, name) for name in DEMO_TYPES}


DEMO_TYPES = ("qwen2_5_vl", "smolvlm", "gemma3")


@pytest.fixture(scope="module")
def engines(folders: dict[str, Path]) -> dict[str, Any]:
    made = {name: load_engine(resolve(str(folder))) for name, folder in folders.items()}
    for engine in made.values():
        engine.read_weights()
    return made


@pytest.fixture(params=DEMO_TYPES)
def engine(engines: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[Any]:
    yield engines[request.param]
    engines[request.param].drop_caches()


def stream(engine: Any, *messages: Message, **options: Any) -> list[Any]:
    return list(engine.stream(messages, GenerationOptions(**options), Request()))


def text(events: list[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize("name", DEMO_TYPES)
def test_the_tokens_are_those_of_bare_mlx_vlm(folders: dict[str, Path], name: str) -> None:
    from mlx_vlm import apply_chat_template, load, stream_generate

    model, processor = load(str(folders[name]))
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
    prompt = apply_chat_template(processor, model.config, chat)
    if name == "gemma3":  # mlx-vlm 0.7.10 puts a second BOS before that of the template
        prompt = prompt.removeprefix(processor.tokenizer.bos_token)
    file = folders[name] / "a.png"
    file.write_bytes(A.png)
    bare = stream_generate(
        model, processor, prompt, image=[str(file)], max_tokens=16, temperature=0.0
    )
    *responses, last = bare
    del model, processor
    gc.collect()
    mx.clear_cache()  # MLX would use freed buffers again that are somewhat too large
    engine = load_engine(resolve(str(folders[name])))
    engine.read_weights()
    events = stream(engine, user(QUESTION, A), max_tokens=16, temperature=0.0)
    finished = events[-1]
    assert list(finished.tokens) == [r.token for r in responses]
    assert finished.stats.prompt_tokens == last.prompt_tokens
    assert engine.weight_bytes == resolve(str(folders[name])).weight_bytes


def test_a_processor_has_no_eos_and_the_reply_ends_all_the_same(engine: Any) -> None:
    """The crash of the seed report: `processor.eos_token_id`."""
    assert not hasattr(engine.processor, "eos_token_id")
    first = ask(engine, user(QUESTION, A)).tokens
    end = max(engine.stop_ids)
    third = first[2]
    engine.stop_ids = frozenset({end, third})  # as if the model ended its turn there
    try:
        finished = ask(engine, user(QUESTION, A))
    finally:
        del engine.stop_ids
    assert finished.stats.finish_reason == "stop"
    assert finished.tokens == first[: first.index(third)]


def test_the_stops_of_one_request_are_not_those_of_the_next(engine: Any) -> None:
    """mlx-vlm's stand on the shared tokenizer and stay there; ours are asked for each time."""
    tokens = ask(engine, user(QUESTION, A)).tokens
    engine.processor.tokenizer.stopping_criteria.eos_token_ids.append(tokens[0])
    assert ask(engine, user(QUESTION, A)).tokens == tokens


def test_a_seed_repeats_a_sampled_answer(engine: Any) -> None:
    settings = {"max_tokens": 12, "temperature": 1.5}
    first, again = (stream(engine, user(QUESTION, A), seed=7, **settings)[-1] for _ in range(2))
    other = stream(engine, user(QUESTION, A), seed=8, **settings)[-1]
    assert first.tokens == again.tokens != other.tokens and first.stats.seed == 7


def test_json_and_a_penalty_are_taken(engine: Any) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}
    schema["required"] = ["n"]
    answer = text(stream(engine, user(QUESTION, A), json_schema=schema, max_tokens=40))
    assert set(json.loads(answer)) == {"n"}
    greedy = ask(engine, user(QUESTION, A)).tokens
    free = stream(engine, user(QUESTION, A), repetition_penalty=5.0, max_tokens=16)[-1].tokens
    assert len(set(free)) > len(set(greedy)) or free != greedy


def test_turns_without_a_picture_are_answered(engine: Any) -> None:
    finished = ask(engine, user("Hello"))
    assert finished.tokens and finished.stats.prompt_tokens < 60


def test_every_message_reaches_the_prompt_and_every_picture_its_turn(engine: Any) -> None:
    messages = [user("One", A), said("Two"), user("Three", B, A), said("Four"), user("Five")]
    prompt = engine.render(messages, GenerationOptions())
    mark = engine._mark
    assert prompt.count(mark) == 3
    places = [prompt.index(word) for word in ("One", "Two", "Three", "Four", "Five")]
    assert places == sorted(places)
    assert prompt[: places[0]].count(mark) == 1 and prompt[: places[2]].count(mark) == 3


def test_a_system_text_is_taken_or_folded(engine: Any) -> None:
    prompt = engine.render([Message.of("system", "Be kind."), user("One", A)], GenerationOptions())
    assert prompt.index("Be kind.") < prompt.index("One")


def test_a_text_that_holds_the_mark_of_a_picture_is_refused(engine: Any) -> None:
    words = engine._reader.reserved()
    assert engine._mark in words
    for word in words:
        for messages in ([user(f"a {word} b")], [user(f"a {word} b", A)]):
            with pytest.raises(UsageProblem, match="which stands for a picture in the prompts of"):
                ask(engine, *messages)


def test_an_answer_that_holds_the_mark_of_a_picture_is_no_picture(engine: Any) -> None:
    answer = f"It is a {engine._mark} here."
    prompt = engine.render([user("One", A), said(answer), user("Two")], GenerationOptions())
    assert prompt.count(engine._mark) == 1 and " here." in prompt
    assert ask(engine, user("One", A), said(answer), user("Two")).tokens


def test_a_model_whose_pictures_have_no_known_place_answers_text_and_refuses_pictures(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_mark", None)
    assert ask(engine, user("Hello")).tokens
    with pytest.raises(ModelUnsupported, match="wants pictures in its prompts is not known here"):
        ask(engine, user("Hello", A))


def test_a_model_for_one_picture_refuses_two(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision, "SINGLE_IMAGE_ONLY_MODELS", {engine._model_type})
    assert ask(engine, user(QUESTION, A)).tokens
    with pytest.raises(UsageProblem, match="takes one picture, and this conversation holds 2"):
        ask(engine, user(QUESTION, A), said("One."), user("And here?", B))


def test_thinking_is_refused_where_there_is_none(engines: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem, match="has no thinking mode; leave out --think"):
        stream(engines["smolvlm"], user(QUESTION, A), think=True, max_tokens=2)


def test_nothing_of_the_libraries_is_printed(
    engine: Any, folders: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    load_engine(resolve(str(folders["smolvlm"]))).close()
    stream(engine, user(QUESTION, A), think=False, max_tokens=2)
    assert capfd.readouterr() == ("", "")


def test_decoded_pictures_go_with_the_caches(engine: Any) -> None:
    ask(engine, user(QUESTION, A))
    assert engine._reader._decoded
    engine.drop_caches()
    assert not engine._reader._decoded


def test_a_prompt_longer_than_the_model_was_made_for_is_refused(engine: Any) -> None:
    with pytest.raises(UsageProblem, match=r"the prompt is [\d,]+ tokens"):
        ask(engine, user("word " * 2000, A))


def test_a_large_picture_is_made_smaller_before_the_processor_sees_it(engine: Any) -> None:
    engine._reader  # noqa: B018 - made on first use
    seen = engine._reader._picture(picture(5, 4000, 100), "large")
    assert max(seen.size) == engine.family.image_side < 4000


def test_a_draft_and_an_adapter_are_refused_in_one_line(
    engine: Any, folders: dict[str, Path], tmp_path: Path
) -> None:
    snapshot = resolve(str(folders["smolvlm"]))
    with pytest.raises(UsageProblem, match="is a vision model, which takes no --draft"):
        load_engine(snapshot, snapshot)
    adapter = AdapterSnapshot("owner/lora", tmp_path, None, {}, 10, {}, "folder")
    with pytest.raises(ModelUnsupported, match="adapters go over text models"):
        engine.view(adapter)


def test_an_error_in_the_model_is_one_line(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ValueError("Image features and image tokens do not match")

    monkeypatch.setattr(type(engine._model), "get_input_embeddings", fails)
    with pytest.raises(GenerationFailed, match="stopped: MLX says Image features and image tokens"):
        ask(engine, user(QUESTION, A))


def test_an_engine_that_was_never_asked_closes_without_a_look_at_its_template(
    folders: dict[str, Path],
) -> None:
    engine = load_engine(resolve(str(folders["smolvlm"])))
    engine.close()
    assert not {"_reader", "_mark", "stop_ids"} & set(vars(engine))


def test_closing_gives_all_memory_back(folders: dict[str, Path]) -> None:
    mx.clear_cache()
    before = mx.get_active_memory()
    engine = load_engine(resolve(str(folders["gemma3"])))
    engine.read_weights()
    ask(engine, user(QUESTION, A))
    assert mx.get_active_memory() - before > engine.weight_bytes
    engine.close()
    del engine
    mx.clear_cache()
    assert mx.get_active_memory() - before < 4096


# What can't be loaded.


def test_a_conversion_without_the_tower_reads_text_only(tmp_path: Path) -> None:
    folder = tiny_vision.build(tmp_path / "blind", "gemma3", tower=False)
    snapshot = resolve(str(folder))
    assert snapshot.config["vision_config"] and snapshot.kind == "text"


def test_an_architecture_that_mlx_vlm_lacks_is_one_line(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(folders["smolvlm"], tmp_path / "odd")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "newest_vl"}))
    with pytest.raises(ModelUnsupported, match=r"mlx-vlm does not run .*'newest_vl'") as caught:
        load_engine(resolve(str(folder)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["preprocessor_config.json", "tokenizer.json"])
def test_a_damaged_file_is_one_line_that_names_it(
    folders: dict[str, Path], tmp_path: Path, file: str
) -> None:
    folder = shutil.copytree(folders["smolvlm"], tmp_path / "torn")
    (folder / file).write_text("{")
    with pytest.raises(SnapshotBroken, match=file) as caught:
        load_engine(resolve(str(folder)))
    assert "\n" not in str(caught.value)


# Real processors.

SEEING = {name: facts for name, facts in real_families().items() if facts.get("image")}


@pytest.fixture(scope="module")
def processors() -> dict[str, Any]:
    from mlx_vlm.utils import load_processor

    from mlx_magic.engines.loading import quiet

    for facts in SEEING.values():  # which puts the type's own processor in place
        importlib.import_module(f"mlx_vlm.models.{facts['model_type']}")
    with quiet():
        return {name: load_processor(REAL_FAMILIES / name) for name in SEEING}


@pytest.mark.parametrize("name, facts", SEEING.items())
def test_a_real_processor_tells_its_stops_and_its_mark(
    processors: dict[str, Any], name: str, facts: dict[str, Any]
) -> None:
    processor, folder = processors[name], REAL_FAMILIES / name
    files = [
        json.loads((folder / f).read_text()) for f in ("config.json", "generation_config.json")
    ]
    assert not hasattr(processor, "eos_token_id")
    assert set(facts["stop_ids"]) <= stop_token_ids(processor, *files)
    mark = picture_mark(processor)
    assert mark and mark in facts["image"]["placeholder"]


@pytest.mark.parametrize("name", SEEING)
def test_a_real_processor_reads_each_picture_into_its_own_tokens(
    processors: dict[str, Any], name: str
) -> None:
    from mlx_lm.tokenizer_utils import load

    from mlx_magic.engines.prompts import render

    processor, folder = processors[name], REAL_FAMILIES / name
    config = json.loads((folder / "config.json").read_text())
    tokenizer, mark = load(folder), picture_mark(processor)
    assert mark is not None
    reader = PictureReader(processor, SimpleNamespace(**config), tokenizer, mark, 512)
    first, second = picture(1, 256, 192), picture(2, 256, 192)
    messages = [user("Look at this", first), said("Yes."), user("And this?", second)]
    renderer = processor if getattr(processor, "chat_template", None) else None
    snapshot: Any = SimpleNamespace(spec=name)
    prompt = render(
        snapshot, tokenizer, messages, GenerationOptions(), renderer=renderer, picture_mark=mark
    )
    reading = reader.read(prompt, [first, second])
    counts = [reading.picture_of.count(index) for index in range(2)]
    assert counts[0] == counts[1] > 10  # both are of one size
    assert reading.picture_of.index(0) < reading.picture_of.index(1)
    bos = tokenizer.bos_token_id
    assert bos is None or reading.ids.count(bos) <= max(1, prompt.count(tokenizer.bos_token))
    swapped = reader.read(prompt, [second, first])
    assert swapped.ids == reading.ids and swapped.keys != reading.keys
    # Read after the first picture, only the second is given.
    later = reader.rest(reading, reading.picture_of.index(1) - 3, prompt, [first, second])
    assert 0 < later["pixel_values"].size < reading.inputs["pixel_values"].size


def test_what_is_not_certain_to_be_known_again_is_not_kept(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when nothing in a prompt's tokens tells where its picture is."""
    monkeypatch.setattr(engine._reader, "_placeholders", [])
    first = ask(engine, user(QUESTION, A))
    other = ask(engine, user(QUESTION, B))
    assert engine.cache_bytes == 0 == other.stats.cached_tokens
    assert first.tokens != other.tokens


def test_finished_is_the_last_event(engine: Any) -> None:
    events = stream(engine, user(QUESTION, A), max_tokens=3)
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
