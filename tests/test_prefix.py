"""KV reuse: the tokens of a fresh reading, less to read, right bytes, nothing half-written."""

import copy
import gc
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten
from mlx_lm.models.cache import (
    ArraysCache,
    ChunkedKVCache,
    ConcatenateKVCache,
    KVCache,
    make_prompt_cache,
)
from running import Request

from mlx_magic.engines import load_engine, prefix, text
from mlx_magic.engines.prefix import PrefixCache, needs_marks, position
from mlx_magic.errors import GenerationFailed
from mlx_magic.events import Finished, PrefillProgress, TextDelta
from mlx_magic.hub import resolve
from mlx_magic.messages import Message
from mlx_magic.options import GenerationOptions

WINDOW = 48  # every prompt below is longer, in tokens

# Thinking as in Qwen3: the invitation depends on a switch, and answers are told without it.
THINKING = tiny_models.CHATML.replace(
    "{{ '<|im_start|>assistant\\n' }}",
    "{{ '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif %}",
)

# family -> row of `tiny_models.FAMILIES`
MORE: dict[str, Any] = {
    "thinking": (tiny_models.FAMILIES["qwen"][0], THINKING, {"model_type": "qwen3"}),
    "mistral": (
        tiny_models.FAMILIES["llama"][0],
        tiny_models.LLAMA,
        {"model_type": "llama"},
    ),
    "gemma3": (
        *tiny_models.FAMILIES["gemma"][:2],
        {"model_type": "gemma3_text", "sliding_window": WINDOW, "sliding_window_pattern": 2,
         "query_pre_attn_scalar": 8},
    ),
    "hybrid": (  # with a template that makes every answer diverge from its prompt
        tiny_models.FAMILIES["qwen"][0],
        THINKING,
        {"model_type": "lfm2", "layer_types": ["conv", "full_attention"] * 2, "norm_eps": 1e-6,
         "conv_bias": False, "conv_L_cache": 3, "block_dim": 32, "block_ff_dim": 64,
         "block_multiple_of": 8, "block_ffn_dim_multiplier": 1.0,
         "block_auto_adjust_ff_dim": False},
    ),
}  # fmt: skip
TRIMMED = ["llama", "qwen", "mistral", "thinking"]
MARKED = ["gemma3", "hybrid"]  # caches that forget


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """An engine of each family, reading 16 tokens a time."""
    root = tmp_path_factory.mktemp("f32")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "PREFILL_CHUNK_TOKENS", dict.fromkeys(text.PREFILL_CHUNK_TOKENS, 16))
        made = {}
        for family in (*TRIMMED, *MARKED):
            if family in MORE:
                patch.setitem(tiny_models.FAMILIES, family, MORE[family])
            folder = tiny_models.build(root / family, family, layers=4)
            if family == "mistral":  # mlx-lm's llama under another name
                config = json.loads((folder / "config.json").read_text())
                (folder / "config.json").write_text(json.dumps({**config, "model_type": family}))
            made[family] = load_engine(resolve(str(folder)))
            made[family].read_weights()
            _liven(made[family]._model)
        yield made


def _liven(model: Any) -> None:
    """Make tokens depend on what was read, where small random weights would repeat one of them.

    In f32, since bf16 may round differently.
    """
    model.set_dtype(mx.float32)
    for name, weight in tree_flatten(model.parameters()):
        if weight.ndim == 2 and "embed" not in name:
            model.load_weights([(name, 3 * weight)], strict=False)
    mx.eval(model.parameters())


@pytest.fixture(params=[*TRIMMED, *MARKED])
def engine(engines: dict[str, Any], request: pytest.FixtureRequest) -> Any:
    engines[request.param].drop_caches()
    return engines[request.param]


def _said(*texts: str) -> list[Message]:
    roles = ("user", "assistant") * len(texts)
    return [Message.of(role, said) for role, said in zip(roles, texts, strict=False)]


def _ask(
    engine: Any, *texts: str, request: Request | None = None, **options: Any
) -> tuple[str, Finished]:
    wanted = GenerationOptions(**{"max_tokens": 12, **options})
    events = list(engine.stream(_said(*texts), wanted, request or Request()))
    assert isinstance(events[-1], Finished)
    return "".join(e.text for e in events if isinstance(e, TextDelta)), events[-1]


def _fresh(engine: Any, *texts: str, **options: Any) -> tuple[int, ...]:
    """The tokens of a model that remembers nothing."""
    engine.drop_caches()
    _, finished = _ask(engine, *texts, **options)
    assert finished.stats.cached_tokens == 0
    return finished.tokens


LONG = "The quick brown fox jumps over the lazy dog, again and again and again."
CITY = {"type": "object", "properties": {"n": {"enum": ["Rome", "Oslo"]}}, "required": ["n"]}

# what was asked before -> what is asked then, and how many of its tokens may be read again
SCENARIOS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], int]] = {
    "a follow-up": ([{"texts": [LONG]}], {"texts": [LONG, "{reply}", "And then?"]}, 100),
    "a follow-up that fits": (
        [{"texts": [LONG], "json_schema": CITY}],
        {"texts": [LONG, "{reply}", "And then?"]},
        85,
    ),
    "an edited last question": (
        [{"texts": [LONG]}, {"texts": [LONG, "Yes.", "And then?"]}],
        {"texts": [LONG, "Yes.", "And why?"]},
        85,
    ),
    "the same prompt": ([{"texts": [LONG]}], {"texts": [LONG]}, 50),
    "the same prompt, sampled": (
        [{"texts": [LONG], "temperature": 1.0, "seed": 1}],
        {"texts": [LONG], "temperature": 1.0, "seed": 2},
        50,
    ),
    "after an interrupted answer": (
        [{"texts": [LONG], "request": {"tokens": 4}}],
        {"texts": [LONG, "{reply}", "Go on."]},
        100,
    ),
    "after an interrupted reading": (
        [{"texts": [LONG], "request": {"chunks": 4}}], {"texts": [LONG]}, 1000
    ),
    "a repetition penalty": (
        [{"texts": [LONG]}], {"texts": [LONG], "repetition_penalty": 1.7}, 50
    ),
    "an answer in JSON": (
        [{"texts": [LONG]}],
        {"texts": [LONG], "json_schema": CITY, "temperature": 1.0, "seed": 3},
        50,
    ),
}  # fmt: skip


@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_the_tokens_are_those_of_a_fresh_reading(engine: Any, scenario: str) -> None:
    earlier, then, reread = SCENARIOS[scenario]
    reply = ""
    for turn in earlier:
        request = Request(**turn.get("request", {}))
        options = {k: v for k, v in turn.items() if k not in ("texts", "request")}
        reply, _ = _ask(engine, *turn["texts"], request=request, **options)
    texts = [said.replace("{reply}", reply) for said in then["texts"]]
    options = {k: v for k, v in then.items() if k != "texts"}
    _, finished = _ask(engine, *texts, **options)
    stats = finished.stats
    assert 0 < stats.cached_tokens < stats.prompt_tokens
    assert stats.prompt_tokens - stats.cached_tokens < reread
    assert finished.tokens == _fresh(engine, *texts, **options)


@pytest.mark.parametrize("family", TRIMMED)
def test_a_repeated_prompt_costs_one_token(engines: dict[str, Any], family: str) -> None:
    engine = engines[family]
    first = _fresh(engine, LONG)
    _, again = _ask(engine, LONG)
    assert again.stats.prompt_tokens - again.stats.cached_tokens == 1
    assert again.tokens == first


def test_a_shorter_prompt_is_a_prefix_too(engine: Any) -> None:
    _ask(engine, LONG, "Yes.", "And then?", "No.", "Why?")
    _, finished = _ask(engine, LONG)
    assert finished.tokens == _fresh(engine, LONG)


@pytest.mark.parametrize("family", ["thinking", "hybrid"])
def test_a_change_of_think_reads_the_invitation_again_and_little_else(
    engines: dict[str, Any], family: str
) -> None:
    engine = engines[family]
    tokens = {think: _fresh(engine, LONG, think=think) for think in (True, False)}
    for think in (True, False, True):
        _, finished = _ask(engine, LONG, think=think)
        assert finished.tokens == tokens[think]
        assert finished.stats.prompt_tokens - finished.stats.cached_tokens <= 35


def test_what_an_interrupted_reading_has_read_is_not_read_again(engine: Any) -> None:
    request = Request(chunks=4)  # the first of which says that nothing is read yet
    events = list(engine.stream(_said(LONG), GenerationOptions(), request))
    assert events[-1].stats.finish_reason == "interrupted"
    again = Request()
    _, finished = _ask(engine, LONG, request=again)
    assert finished.stats.cached_tokens == 4 * 16
    counts = [p.done_tokens for p in again.progress]
    assert counts[0] == 64 and counts == sorted(counts)
    total = finished.stats.prompt_tokens
    assert again.progress[-1] == PrefillProgress(total, total)


def test_a_cancel_after_the_last_chunk_keeps_no_token_that_nobody_saw(engine: Any) -> None:
    full = Request()
    _ask(engine, LONG, request=full)
    engine.drop_caches()
    events = list(
        engine.stream(_said(LONG), GenerationOptions(), Request(chunks=len(full.progress) - 1))
    )
    assert events[-1].tokens == ()
    _, finished = _ask(engine, LONG)
    assert finished.stats.cached_tokens > 0
    assert finished.tokens == _fresh(engine, LONG)


def test_a_dropped_or_suspended_answer_leaves_the_store_as_it_was(engine: Any) -> None:
    _ask(engine, LONG)
    before = engine.cache_bytes
    entries = len(engine._prefixes._store)
    asked = (LONG, "Yes.", "And then?")
    suspended = engine.stream(_said(*asked), GenerationOptions(max_tokens=40), Request())
    for _ in range(3):
        next(suspended)
    _, finished = _ask(engine, LONG)
    assert finished.stats.cached_tokens > 70
    suspended.close()
    kept = len(engine._prefixes._store) - entries
    assert kept == needs_marks(make_prompt_cache(engine._model))  # the whole mark of the prompt
    assert engine.cache_bytes <= (1 + kept) * before
    assert _ask(engine, LONG)[1].tokens == _fresh(engine, LONG) == finished.tokens
    assert _ask(engine, *asked)[1].tokens == _fresh(engine, *asked)


def test_a_failed_answer_keeps_nothing(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls = engine._model, []

    class Failing:
        def __getattr__(self, name: str) -> Any:
            return getattr(model, name)

        def __call__(self, inputs: Any, cache: Any) -> Any:
            calls.append(inputs.shape[1])
            if len(calls) > 3:
                raise RuntimeError("[metal] out of memory")
            return model(inputs, cache=cache)

    monkeypatch.setattr(engine, "_model", Failing())
    with pytest.raises(GenerationFailed, match="out of memory"):
        _ask(engine, LONG)
    assert engine.cache_bytes == 0 and len(engine._prefixes._store) == 0


def test_the_charge_is_what_mlx_holds_and_is_given_back(engine: Any) -> None:
    empty = _active()
    assert engine.cache_bytes == 0
    for turn in ("One?", "Two?", "Three?"):
        for question in ("Why?", "Who?"):
            _ask(engine, LONG, turn, question)
            held = _active() - empty
            assert 0 <= held - engine.cache_bytes < 64
    assert engine.cache_bytes > 0
    engine.drop_caches()
    assert engine.cache_bytes == 0 and abs(_active() - empty) < 64
    _, finished = _ask(engine, LONG)
    assert finished.stats.cached_tokens == 0


def test_after_close_nothing_stays(tiny: dict[str, Path]) -> None:
    before = _active()
    engine = load_engine(resolve(str(tiny["llama"])))
    engine.read_weights()
    _ask(engine, LONG)
    assert engine.cache_bytes > 0
    engine.close()
    assert engine.cache_bytes == 0 and abs(_active() - before) < 1024


def _active() -> int:
    gc.collect()
    mx.synchronize()
    mx.clear_cache()
    return int(mx.get_active_memory())


# The store by itself, over models.


@pytest.mark.parametrize("family", ["llama", "qwen", *MARKED])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_reading_on_from_whatever_is_found_gives_the_logits_of_a_fresh_reading(
    engines: dict[str, Any], family: str, seed: int
) -> None:
    model = engines[family]._model
    draw, store = random.Random(seed), PrefixCache(2**30)
    told: list[list[int]] = [[]]
    for _ in range(8):
        start = draw.choice(told)
        ids = start[: draw.randint(0, len(start))]
        ids = ids + [draw.randrange(250) for _ in range(draw.choice([1, 3, 60, 300]))]
        cache, rest = store.take(model, ids)
        assert rest and ids[len(ids) - len(rest) :] == rest
        assert position(cache) == len(ids) - len(rest)
        for at in range(0, len(rest), 16):
            logits = model(mx.array(rest[at : at + 16])[None], cache=cache)
        told.append(ids)
        if draw.random() < 0.5:
            store.keep(ids, copy.deepcopy(cache))
        fresh, _ = PrefixCache(0).take(model, ids)
        expected = model(mx.array(ids)[None], cache=fresh)
        assert mx.allclose(logits[:, -1], expected[:, -1], atol=1e-4).item()
        for _ in range(draw.randint(0, 5)):
            told[-1] = [*told[-1], draw.randrange(250)]
            model(mx.array(told[-1][-1:])[None], cache=cache)
        store.keep(told[-1], cache)


def test_a_cache_that_holds_more_than_is_known_is_trimmed_or_refused(
    engines: dict[str, Any],
) -> None:
    for family, kept in (("llama", 60), ("gemma3", None)):
        model, store = engines[family]._model, PrefixCache(2**30)
        cache, ids = store.take(model, list(range(61)))
        model(mx.array(ids)[None], cache=cache)
        store.keep(ids[:60], cache)
        found, rest = store.take(model, list(range(80)))
        assert len(rest) == (80 - kept if kept else 80) and position(found) == (kept or 0)


@pytest.mark.parametrize("family, found", [("llama", 59), ("gemma3", 0), ("hybrid", 0)])
def test_a_prompt_that_is_known_to_its_end_leaves_a_token_to_begin_with(
    engines: dict[str, Any], family: str, found: int
) -> None:
    model, store = engines[family]._model, PrefixCache(2**30)
    cache, ids = store.take(model, list(range(60)))
    model(mx.array(ids)[None], cache=cache)
    store.keep(ids, cache)
    again, rest = store.take(model, ids)
    assert (position(again) or 0, rest) == (found, ids[found:])


def test_what_a_longer_cache_can_give_is_not_kept_twice(engines: dict[str, Any]) -> None:
    model, store = engines["llama"]._model, PrefixCache(2**30)
    cache, ids = store.take(model, list(range(60)))
    model(mx.array(ids)[None], cache=cache)
    store.keep(ids, cache)
    held = store.nbytes
    cache, rest = store.take(model, ids[:30])
    model(mx.array(rest)[None], cache=cache)
    store.keep(ids[:30], cache)
    assert store.nbytes == held


def test_a_cache_whose_layers_disagree_is_not_kept(engines: dict[str, Any]) -> None:
    model, store = engines["llama"]._model, PrefixCache(2**30)
    cache, ids = store.take(model, list(range(40)))
    model(mx.array(ids)[None], cache=cache)
    cache[0].trim(3)
    assert position(cache) is None
    store.keep(ids, cache)
    assert store.nbytes == 0


def test_only_certified_kinds_are_kept() -> None:
    for kind in (ChunkedKVCache(8), ConcatenateKVCache(), ArraysCache(2)):
        assert position([kind]) is None and not needs_marks([kind])
    assert not needs_marks([KVCache()])


def test_few_caches_are_kept_and_the_oldest_goes_first(engines: dict[str, Any]) -> None:
    model, store = engines["llama"]._model, PrefixCache(2**30)

    def read(first: int) -> int:
        """How many tokens of a prompt were found."""
        cache, rest = store.take(model, [first] * 20)
        model(mx.array(rest)[None], cache=cache)
        store.keep([first] * 20, cache)
        return 20 - len(rest)

    assert [read(first) for first in range(prefix.MAX_CACHES + 1)] == [0] * 9
    assert [read(first) for first in (1, 8, 0)] == [19, 19, 0]
    eight = store.nbytes
    store._max_bytes = eight // 4
    read(20)
    assert len(store._store) == 2 and store.nbytes < 2.5 / 8 * eight
    store._max_bytes = 0
    assert [read(first) for first in (21, 21, 20)] == [0, 19, 0]
    assert len(store._store) == 1


def test_a_prefix_of_a_long_cache_does_not_keep_its_size(engines: dict[str, Any]) -> None:
    model, store = engines["llama"]._model, PrefixCache(2**30)
    cache, ids = store.take(model, [n % 250 for n in range(2000)])
    model(mx.array(ids)[None], cache=cache)
    store.keep(ids, cache)
    whole = store.nbytes
    cache, rest = store.take(model, [*ids[:20], 7, 7, 7])
    assert rest == [7, 7, 7]
    model(mx.array(rest)[None], cache=cache)
    store.keep([*ids[:20], *rest], cache)
    assert store.nbytes - whole < whole / 7  # 256 slots of 2,048


def test_a_second_turn_starts_sooner() -> None:
    """Prints by how much (`pytest -s`): the demo model over a history of some 800 tokens."""
    engine = load_engine(resolve("demo:qwen"))
    engine.read_weights()
    history = [said for n in range(18) for said in (f"{n}. {LONG}", "Certainly.")]
    reply, _ = _ask(engine, *history, "And now?")
    turn = (*history, "And now?", reply, "Who are you?")
    warm = _ask(engine, *turn)[1].stats
    engine.drop_caches()
    cold = _ask(engine, *turn)[1].stats
    engine.close()
    print(
        f"\nfirst token after {cold.ttft_seconds:.3f} s, with reuse {warm.ttft_seconds:.3f} s: "
        f"{cold.ttft_seconds / warm.ttft_seconds:.0f} times sooner "
        f"({warm.cached_tokens} of {warm.prompt_tokens} tokens reused)"
    )
    assert warm.cached_tokens > 0.9 * warm.prompt_tokens
