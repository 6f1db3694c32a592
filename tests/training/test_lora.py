"""Adapters: the same questions and facts in another voice, in mlx-lm's own files."""

import json
from itertools import islice
from pathlib import Path

import mlx.core as mx
import pytest

from training.lora import VOICES, examples, train_adapter, voice_cases
from training.recipes import RECIPES
from training.train import Options, train, write_tokenizer

PIRATE, SHOUT = VOICES["pirate"], VOICES["shout"]


@pytest.mark.parametrize("voice", [PIRATE, SHOUT])
def test_examples_are_the_same_each_time_and_end_in_the_voice(voice) -> None:  # type: ignore[no-untyped-def]
    one, same = (list(examples(voice, "chatty", 7, 50)) for _ in range(2))
    assert one == same and len(one) == 50
    answers = [row["messages"][-1]["content"] for row in one]
    assert all(voice.in_character(a) for a in answers if not a.lower().startswith("once "))


def test_both_voices_are_asked_the_same_questions_as_the_base_model() -> None:
    def asked(voice):  # type: ignore[no-untyped-def]
        rows = islice(examples(voice, "chatty", 7, 200), 200)
        return {row["messages"][0]["content"] for row in rows}

    assert len(asked(PIRATE) & asked(SHOUT)) > 20


@pytest.mark.parametrize("voice", [PIRATE, SHOUT])
def test_every_expected_answer_is_right_and_in_character(voice) -> None:  # type: ignore[no-untyped-def]
    for cases in voice_cases(voice, limit=10).values():
        for case in cases:
            assert case.wish is not None or case.is_right(case.expected)
            assert case.wish is not None or voice.in_character(case.expected)


def test_a_plain_answer_is_in_no_character() -> None:
    assert not PIRATE.in_character("The capital of France is Paris.")
    assert not SHOUT.in_character("The capital of France is Paris.")


def test_two_steps_leave_a_small_adapter_that_mlx_lm_loads(tmp_path: Path) -> None:
    from mlx_lm import load

    mx.set_default_device(mx.cpu)
    base, out = tmp_path / "llama", tmp_path / "pirate"
    write_tokenizer(RECIPES["llama"], base, conversations=200)
    train(RECIPES["llama"], Options(out=base, steps=1, rows=1, seed=1, compiled=False))
    train_adapter(
        PIRATE, base, RECIPES["llama"], out, iters=2, batch_size=2, val_batches=1, lr_schedule=None
    )
    assert {file.name for file in out.iterdir()} == {"adapters.safetensors", "adapter_config.json"}
    assert sum(file.stat().st_size for file in out.iterdir()) < 190_000
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["fine_tune_type"] == "lora"
    assert str(out) not in json.dumps(config)
    model = load(str(base), adapter_path=str(out))[0]
    assert model.layers[0].mlp.gate_proj.lora_a.dtype == mx.bfloat16
