"""Every text model and adapter that the package holds, on a few held-out cases of each kind."""

import pytest

from mlx_magic import demo
from training.evaluate import Score, evaluate
from training.lora import VOICES, evaluate_adapter
from training.recipes import RECIPES

SAMPLE = 3  # with the pictures' and on two cores, less than a minute
VOICE_SAMPLE = 4
MODELS = [model for model in demo.list() if model.kind == "text"]
ADAPTERS = demo.adapters()


def wrong(scores: list[Score]) -> list[tuple[str, str]]:
    """What was answered wrongly among the kinds that have a bar."""
    return [(s.kind, text) for s in scores if s.bar is not None for _, text in s.wrong]


@pytest.mark.parametrize("name", [model.name for model in MODELS])
def test_hardly_a_held_out_case_is_answered_wrongly(name: str) -> None:
    scores = evaluate(demo.find(name).path, RECIPES[name], SAMPLE, seed=2)
    assert sum(score.cases for score in scores) >= 10 * SAMPLE
    assert len(wrong(scores)) <= 1, wrong(scores)


@pytest.mark.parametrize("name", [adapter.name for adapter in ADAPTERS])
def test_an_adapter_keeps_the_facts_and_its_voice(name: str) -> None:
    adapter = demo.find_adapter(name)
    base = demo.find(adapter.base).path
    scores = evaluate_adapter(VOICES[name], adapter.path, base, VOICE_SAMPLE)
    assert scores[-1].kind == "in character"
    assert len(wrong(scores)) <= 2, wrong(scores)
    assert adapter.size_bytes < 200_000
