"""The text engine over mlx-lm: same tokens, right stop, channels, seeds, cancel, failed loads."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st

from mlx_magic.engines import load_engine
from mlx_magic.engines.decoding import ChannelSplitter
from mlx_magic.engines.protocol import Cancelled
from mlx_magic.errors import ModelUnsupported, SnapshotBroken, UsageProblem
from mlx_magic.events import Finished, PrefillProgress, TextDelta
from mlx_magic.hub import resolve
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions

HELLO = [Message.of("user", "Hello there")]


class Request:
    """A running request that nobody cancels, or that is cancelled after some events."""

    def __init__(self) -> None:
        self.cancelled = False
        self.progress: list[PrefillProgress] = []

    def prefill(self, progress: PrefillProgress) -> None:
        if self.cancelled:
            raise Cancelled
        self.progress.append(progress)


def _load(folder: Path) -> Any:
    engine = load_engine(resolve(str(folder)))
    engine.read_weights()
    return engine


def _answer(engine: Any, **options: Any) -> tuple[str, Finished]:
    events = list(engine.stream(HELLO, GenerationOptions(**options), Request()))
    text = "".join(e.text for e in events if isinstance(e, TextDelta))
    assert isinstance(events[-1], Finished)
    return text, events[-1]


@pytest.mark.parametrize("family", list(tiny_models.FAMILIES))
def test_the_tokens_are_those_of_bare_mlx_lm(tiny: dict[str, Path], family: str) -> None:
    from mlx_lm import load, stream_generate

    model, tokenizer = load(str(tiny[family]))
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello there"}], add_generation_prompt=True
    )
    bare = [int(r.token) for r in stream_generate(model, tokenizer, prompt, max_tokens=24)]
    _, finished = _answer(_load(tiny[family]), max_tokens=24)
    assert list(finished.tokens) == bare
    assert finished.stats.finish_reason == "length"
    assert finished.stats.prompt_tokens == len(prompt)
    assert finished.stats.generation_tokens == 24


def test_a_reply_ends_at_the_templates_turn_end_where_the_configs_know_only_eos(
    tiny: dict[str, Path],
) -> None:
    engine = _load(tiny["qwen"])
    end = engine.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert engine.tokenizer.eos_token_id != end
    assert end in engine.stop_ids
    # a random model never ends its turn, so make one that does, after its third token
    stopping = _StopAfter(engine._model, end, 3)
    engine._model = stopping
    _, finished = _answer(engine, max_tokens=24)
    assert finished.stats.finish_reason == "stop"
    assert len(finished.tokens) == 3 and end not in finished.tokens


class _StopAfter:
    """A model whose logits choose `token` once `count` tokens have been generated."""

    def __init__(self, model: Any, token: int, count: int) -> None:
        self._model, self._token, self._left = model, token, count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, inputs: Any, cache: Any) -> Any:
        import mlx.core as mx

        logits = self._model(inputs, cache=cache)
        if inputs.shape[1] == 1:
            self._left -= 1
        if self._left < 0:
            return mx.where(mx.arange(logits.shape[-1]) == self._token, 1e4, logits)
        return logits


def test_a_seed_repeats_a_sampled_answer_and_no_seed_does_not(tiny: dict[str, Path]) -> None:
    engine = _load(tiny["llama"])
    first, again = (_answer(engine, max_tokens=20, temperature=1.5, seed=7) for _ in range(2))
    assert first[1].tokens == again[1].tokens and first[1].stats.seed == 7
    others = {_answer(engine, max_tokens=20, temperature=1.5)[1].tokens for _ in range(3)}
    assert len(others) == 3


def test_the_seed_in_the_stats_repeats_an_unseeded_answer(tiny: dict[str, Path]) -> None:
    engine = _load(tiny["llama"])
    _, first = _answer(engine, max_tokens=20, temperature=1.5)
    _, again = _answer(engine, max_tokens=20, temperature=1.5, seed=first.stats.seed)
    assert again.tokens == first.tokens


COMPILED = """
import sys, mlx_magic as mm
mm.load_model(sys.argv[1], "a")
first = mm.chat("Hello", temperature=1.0, seed=1, max_tokens=8)
for bad in ({"min_p": 2}, {"top_p": 9}, {"top_k": -1}):
    try:
        mm.chat("Hello", **bad)
    except mm.MlxMagicError:
        pass
every = mm.chat("Hello", temperature=1.0, seed=1, max_tokens=8, top_k=10**6)
mm.chat("Hello", temperature=1.0, max_tokens=8)  # without a seed, which would heal the poison
print(first.tokens == every.tokens)
"""


def test_no_option_poisons_later_sampling(tiny: dict[str, Path]) -> None:
    # Only compiled samplers can be poisoned, and the other tests run without compilation.
    environment = {k: v for k, v in os.environ.items() if k != "MLX_DISABLE_COMPILE"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILED, tiny["llama"]],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_a_top_k_as_large_as_the_vocabulary_means_all(tiny: dict[str, Path]) -> None:
    engine = _load(tiny["llama"])
    _, every = _answer(engine, max_tokens=8, temperature=1.0, seed=1)
    _, large = _answer(engine, max_tokens=8, temperature=1.0, seed=1, top_k=10**6)
    assert large.tokens == every.tokens


def test_the_makers_sampling_is_the_default_only_when_they_ask_for_it(
    tiny: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "sampling"
    shutil.copytree(tiny["llama"], folder)
    said = {"temperature": 2.0, "top_k": 5, "top_p": 7, "do_sample": False}
    (folder / "generation_config.json").write_text(json.dumps(said))
    greedy = _answer(_load(tiny["llama"]), max_tokens=12)[1].tokens
    assert _answer(_load(folder), max_tokens=12)[1].tokens == greedy
    (folder / "generation_config.json").write_text(json.dumps({**said, "do_sample": True}))
    assert len({_answer(_load(folder), max_tokens=12)[1].tokens for _ in range(4)}) > 1
    assert _answer(_load(folder), max_tokens=12, temperature=0)[1].tokens == greedy


def test_prompt_reading_is_reported_and_a_cancel_lands_between_chunks(
    tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlx_magic.engines import text

    monkeypatch.setattr(text, "PREFILL_CHUNK_TOKENS", dict.fromkeys(text.PREFILL_CHUNK_TOKENS, 8))
    engine, request = _load(tiny["llama"]), Request()
    report = request.prefill

    def cancel_after_two(progress: PrefillProgress) -> None:
        report(progress)
        request.cancelled = len(request.progress) >= 2

    monkeypatch.setattr(request, "prefill", cancel_after_two)
    events = list(engine.stream(HELLO, GenerationOptions(max_tokens=5), request))
    assert [type(e) for e in events] == [Finished]
    assert events[0].stats.finish_reason == "interrupted"
    assert [p.done_tokens for p in request.progress] == [0, 8]
    # and the model is as it was
    assert (
        _answer(engine, max_tokens=5)[1].tokens
        == _answer(_load(tiny["llama"]), max_tokens=5)[1].tokens
    )


def test_a_cancel_between_tokens_keeps_the_tokens_so_far(tiny: dict[str, Path]) -> None:
    engine, request = _load(tiny["llama"]), Request()
    full = _answer(engine, max_tokens=20)[1].tokens
    seen: list[Any] = []
    for event in engine.stream(HELLO, GenerationOptions(max_tokens=20), request):
        seen.append(event)
        request.cancelled = sum(isinstance(e, TextDelta) for e in seen) >= 3
    assert seen[-1].stats.finish_reason == "interrupted"
    assert 0 < len(seen[-1].tokens) < 20
    assert seen[-1].tokens == full[: len(seen[-1].tokens)]


def test_reasoning_and_tool_calls_come_on_channels_of_their_own(tiny: dict[str, Path]) -> None:
    tokenizer = _load(tiny["qwen"]).tokenizer
    splitter = ChannelSplitter(tokenizer, "<|im_start|>assistant\n")
    pieces = [d for part in ("<th", "ink>hm", "</thi", "nk>4") for d in splitter.feed(part)]
    pieces += splitter.flush()
    by_channel = {
        c: "".join(p.text for p in pieces if p.channel == c) for c in ("reasoning", "text")
    }
    assert by_channel == {"reasoning": "hm", "text": "4"}


def test_a_prompt_that_opens_the_thinking_starts_on_the_reasoning_channel(
    tiny: dict[str, Path],
) -> None:
    tokenizer = _load(tiny["qwen"]).tokenizer
    splitter = ChannelSplitter(tokenizer, "<|im_start|>assistant\n<think>\n")
    assert [d.channel for d in splitter.feed("hm")] == ["reasoning"]


def test_a_prompt_longer_than_the_model_reads_is_refused(
    tiny: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "short"
    shutil.copytree(tiny["llama"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 20}))
    with pytest.raises(UsageProblem, match=r"tokens and .* reads 20; shorten it"):
        _answer(_load(folder))


def test_thinking_is_refused_where_there_is_none(tiny: dict[str, Path]) -> None:
    with pytest.raises(UsageProblem, match="no thinking mode"):
        _answer(_load(tiny["llama"]), think=True)
    assert _answer(_load(tiny["llama"]), think=False, max_tokens=2)


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_an_answer_in_json_fits_its_schema_whatever_is_sampled(tiny_qwen: Any, seed: int) -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 5},
            "people": {"type": "integer", "minimum": 0, "maximum": 99},
            "kind": {"enum": ["big", "small"]},
        },
        "required": ["city", "people", "kind"],
    }
    text, finished = _answer(
        tiny_qwen, json_schema=schema, temperature=1.0, seed=seed, max_tokens=200
    )
    assert finished.stats.finish_reason == "stop"
    answer = json.loads(text)
    assert len(answer["city"]) <= 5 and 0 <= answer["people"] <= 99
    assert answer["kind"] in ("big", "small") and len(answer) == 3


def test_a_schema_that_makes_no_sense_is_refused(tiny: dict[str, Path]) -> None:
    with pytest.raises(UsageProblem, match="JSON schema can't be followed"):
        _answer(_load(tiny["qwen"]), json_schema={"type": "objct"})


@pytest.fixture(scope="module")
def tiny_qwen(tiny: dict[str, Path]) -> Any:
    return _load(tiny["qwen"])


def test_a_base_model_without_a_template_says_so(tiny: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny["llama"], folder)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(UsageProblem, match="no chat template"):
        _answer(_load(folder))


@pytest.mark.parametrize(
    "edit, error, says",
    [
        ({"model_type": "no_such_type"}, ModelUnsupported, "no_such_type"),
        ({"hidden_size": 48}, SnapshotBroken, "can't be loaded"),
        ({"model_file": "evil.py"}, ModelUnsupported, "custom module"),
        ({"rope_scaling": "bad"}, SnapshotBroken, "check config.json"),
        ({"num_attention_heads": 0}, SnapshotBroken, "check config.json"),
    ],
)
def test_a_model_that_cannot_be_loaded_says_why_and_leaves_no_memory_behind(
    tiny: dict[str, Path], tmp_path: Path, edit: dict[str, Any], error: type, says: str
) -> None:
    import gc

    import mlx.core as mx

    folder = tmp_path / "broken"
    shutil.copytree(tiny["llama"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **edit}))
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    gc.collect()
    before = mx.get_active_memory()
    with pytest.raises(error, match=says) as caught:
        _load(folder)
    assert "\n" not in str(caught.value)
    del caught
    gc.collect()
    assert mx.get_active_memory() <= before


def test_the_charge_is_what_mlx_holds(tiny: dict[str, Path]) -> None:
    import gc

    import mlx.core as mx

    gc.collect()
    before = mx.get_active_memory()
    engine = _load(tiny["slow"])
    held = mx.get_active_memory() - before
    assert 0 <= held - engine.weight_bytes < 1024  # a few rope frequencies are no parameters
    engine.close()
    assert mx.get_active_memory() - before < 1024


def test_a_splitter_without_markers_passes_text_through() -> None:
    plain = SimpleNamespace(
        has_thinking=False, has_tool_calling=False, structural_markers=(),
        response_transitions={}, response_initial_state=None,
    )  # fmt: skip
    splitter = ChannelSplitter(plain, "")
    assert [d.text for d in splitter.feed("<think> is text")] == ["<think> is text"]
