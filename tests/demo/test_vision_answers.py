"""Every vision model that the package holds, through plain mlx-vlm."""

import json
import random
from typing import Any

import pytest

from mlx_magic import demo
from mlx_magic.families import stop_token_ids
from training.pictures.cases import held_out_cases
from training.vision.evaluate import answer, evaluate_vision, messages
from training.vision.recipes import VISION_RECIPES

NAMES = [model.name for model in demo.list() if model.kind == "vision"]
CASES_A_KIND = 2


@pytest.mark.parametrize("name", NAMES)
def test_hardly_a_held_out_case_is_answered_wrongly(name: str) -> None:
    *scores, scenes, charts, text = evaluate_vision(name, CASES_A_KIND, seed=2)
    wrong = [(score.kind, text) for score in scores for _, text in score.wrong]
    assert sum(score.cases for score in scores) >= 20 * CASES_A_KIND
    assert len(wrong) <= 2, wrong
    controls = scenes, charts, text
    assert sum(c.right for c in controls) < 0.3 * sum(c.cases for c in controls)


@pytest.mark.parametrize("name", NAMES)
def test_stopped_by_the_tokenizers_eos_alone_it_runs_on_and_by_our_stops_it_does_not(
    name: str,
) -> None:
    from mlx_vlm import load
    from mlx_vlm.utils import StoppingCriteria

    recipe, folder = VISION_RECIPES[name], demo.find(name).path
    model, processor = load(str(folder))
    assert not hasattr(processor, "eos_token_id")
    tokenizer = processor.tokenizer
    case = held_out_cases(recipe.manner, 1)["scenes: how many shapes"][0]
    tokenizer.stopping_criteria = StoppingCriteria([tokenizer.eos_token_id], tokenizer)
    assert next_turn(recipe.chat.user) in answer(model, processor, case)
    files = [
        json.loads((folder / f).read_text()) for f in ("config.json", "generation_config.json")
    ]
    ids = sorted(stop_token_ids(processor, *files))
    tokenizer.stopping_criteria = StoppingCriteria(ids, tokenizer)
    assert answer(model, processor, case) == case.expected


def next_turn(opening: str) -> str:
    """What is left of a turn's opening when special tokens are not shown."""
    return opening.split(">")[-1].split("|")[-1].strip()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["scene", "chart", "text"])
def test_a_picture_of_the_package_is_asked_its_own_questions(name: str, kind: str) -> None:
    from mlx_vlm import apply_chat_template, load, stream_generate

    model, processor = load(str(demo.find(name).path))
    right = asked = 0
    for seed in range(4):
        picture = demo.picture(kind, seed)
        for question, truth in random.Random(seed).sample(picture.questions, 3):
            if question == "Describe the picture.":
                continue
            chat: list[dict[str, Any]] = [
                {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
            ]
            prompt = apply_chat_template(processor, model.config, chat)
            said = stream_generate(
                model, processor, prompt, image=[picture.image], max_tokens=40, temperature=0.0
            )
            right += truth in "".join(piece.text for piece in said).lower()
            asked += 1
    assert right >= asked - 1


def test_a_case_becomes_chat_messages_that_end_with_the_question() -> None:
    cases = held_out_cases("smolvlm", 2)
    for case in (case for some in cases.values() for case in some):
        chat = messages(case)
        shown = sum(part["type"] == "image" for turn in chat for part in turn["content"])
        assert chat[-1]["role"] == "user" and shown == len(case.images)
        assert case.is_right(case.expected)
