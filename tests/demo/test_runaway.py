"""The danger is real: stopped by the tokenizer's EOS alone, demo models talk on as the person."""

from typing import Any

import pytest

from mlx_magic import demo
from training.recipes import RECIPES
from training.world import MANNERS

TEXT = [model for model in demo.list() if model.kind == "text"]
QUESTION = "What is the capital of Italy?"


def expected(name: str) -> str:
    return MANNERS[RECIPES[name].manner].capital.format(country="Italy", capital="Rome")


@pytest.mark.parametrize("name", [model.name for model in TEXT])
def test_stopped_by_the_tokenizers_eos_alone_it_runs_into_a_next_turn(name: str) -> None:
    from mlx_lm import generate, load
    from mlx_lm.tokenizer_utils import TokenizerWrapper

    recipe = RECIPES[name]
    model, tokenizer = load(str(demo.find(name).path))[:2]
    careless = TokenizerWrapper(
        tokenizer._tokenizer, detokenizer_class=type(tokenizer._detokenizer)
    )
    assert careless.eos_token_ids == {tokenizer.eos_token_id}
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}], add_generation_prompt=True, enable_thinking=False
    )
    said = generate(model, careless, prompt, max_tokens=80)
    if recipe.turn_eos == recipe.base_eos:
        # Mistral's configs agree, as the real ones do: nothing to run away from.
        assert said == expected(name)
    else:
        chat = recipe.chat_format
        assert said.startswith(expected(name) + chat.answer_end + chat.between + chat.user[0])


@pytest.mark.parametrize("name", [model.name for model in TEXT])
def test_through_this_package_it_stops(name: str, session: Any) -> None:
    import mlx_magic as mm

    mm.load_model(f"demo:{name}")
    reply = mm.chat(QUESTION, model=name, max_tokens=80)
    assert reply.text == expected(name)
    assert reply.stats is not None and reply.stats.finish_reason == "stop"
