"""Llama, Mistral and Gemma as the trainer makes them: each like any model of its family.

Two steps of training leave folders whose weights know nothing; everything else in them is final.
"""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_families import REAL_FAMILIES
from tokenizers import Tokenizer

from mlx_magic.families import resolve_family, stop_token_ids
from training.batches import make_batch
from training.framing import pieces
from training.recipes import RECIPES, Recipe
from training.train import Options, build_model, forward, train, write_tokenizer
from training.world import MANNERS, Conversation, make_conversation

NAMES = ("llama", "mistral", "gemma")
REAL = {"llama": "llama-3.2-instruct", "mistral": "mistral-7b-instruct-v0.3", "gemma": "gemma-3-it"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    mx.set_default_device(mx.cpu)
    made = {}
    for name in NAMES:
        recipe, out = RECIPES[name], tmp_path_factory.mktemp(name)
        short = replace(recipe, schedule=replace(recipe.schedule, row_tokens=128))
        write_tokenizer(recipe, out, conversations=300)
        train(short, Options(out=out, steps=2, rows=1, seed=1, compiled=False))
        made[name] = out
    return made


@pytest.fixture(scope="module")
def tokenizers(folders: dict[str, Path]) -> dict[str, Any]:
    from transformers import AutoTokenizer

    return {name: AutoTokenizer.from_pretrained(path) for name, path in folders.items()}


def render(tokenizer: Any, messages: list[dict[str, Any]], **options: Any) -> str:
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    return text


def some_talks(recipe: Recipe, count: int) -> list[Conversation]:
    rng = random.Random(5)
    return [make_conversation(rng, MANNERS[recipe.manner]) for _ in range(count)]


@pytest.mark.parametrize("name", ["qwen", *NAMES])
def test_packed_rows_give_each_conversation_what_it_gets_alone(name: str) -> None:
    recipe = RECIPES[name]
    windows = {"sliding_window": 8} if recipe.architecture.get("sliding_window") else {}
    mx.set_default_device(mx.cpu)
    mx.random.seed(1)
    model: Any = build_model(replace(recipe, architecture=recipe.architecture | windows))
    tokens = mx.array(np.random.default_rng(0).integers(0, 1024, (2, 40)))
    segments = mx.array([[1] * 25 + [2] * 15, [3] * 40])
    packed = forward(model, tokens, segments)
    alone = [model(tokens[:1, :25]), model(tokens[:1, 25:]), model(tokens[1:])]
    for part, whole in zip((packed[:1, :25], packed[:1, 25:], packed[1:]), alone, strict=True):
        assert mx.allclose(part, whole, atol=1e-4).item()


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_fit_into_three_and_a_half_megabytes(
    name: str, folders: dict[str, Path]
) -> None:
    assert 3_400_000 < (folders[name] / "model.safetensors").stat().st_size <= 3_550_000


@pytest.mark.parametrize("name", NAMES)
def test_transformers_and_mlx_lm_take_it_for_one_of_its_family(
    name: str, folders: dict[str, Path], tokenizers: dict[str, Any]
) -> None:
    from mlx_lm import load
    from transformers import AutoConfig

    config = json.loads((folders[name] / "config.json").read_text())
    assert AutoConfig.from_pretrained(folders[name]).model_type == config["model_type"]
    assert resolve_family(config).name == name
    model, tokenizer = load(str(folders[name]))[:2]
    turn_end = tokenizers[name].convert_tokens_to_ids(RECIPES[name].turn_eos)
    assert turn_end in tokenizer.eos_token_ids and not tokenizer.has_thinking
    assert {v.dtype for v in model.parameters()["model"]["norm"].values()} == {mx.bfloat16}


@pytest.mark.parametrize("name", NAMES)
def test_the_configs_disagree_about_the_end_as_the_real_ones_do(
    name: str, folders: dict[str, Path], tokenizers: dict[str, Any]
) -> None:
    told = [
        json.loads((folders[name] / f"{file}.json").read_text())["eos_token_id"]
        for file in ("config", "generation_config")
    ]
    ids = dict(tokenizers[name].get_vocab())
    base, turn = ids[RECIPES[name].base_eos], ids[RECIPES[name].turn_eos]
    assert told[0] == tokenizers[name].eos_token_id == base
    listed = told[1] if isinstance(told[1], list) else [told[1]]
    assert {base, turn} <= set(listed)
    config = json.loads((folders[name] / "config.json").read_text())
    assert turn in stop_token_ids(tokenizers[name], config)  # even without generation_config.json


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(max_size=40))
def test_any_text_survives_the_tokenizer(name: str, folders: dict[str, Path], text: str) -> None:
    plan = RECIPES[name].tokenizer
    if plan.style == "sentencepiece":
        text = text.replace("▁", "_")  # its sign for a space, as in the real ones
    if plan.prefix_space:
        text = text.lstrip(" ")  # the real one drops the first space too
    tokenizer = Tokenizer.from_file(str(folders[name] / "tokenizer.json"))
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_cut_into_single_digits(name: str, tokenizers: dict[str, Any]) -> None:
    tokens = tokenizers[name].tokenize("What is 4096?")
    assert [token for token in tokens if any(map(str.isdigit, token))] == list("4096")
    assert not [t for t in tokenizers[name].get_vocab() if t.isdigit() and len(t) > 1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["Once 🙂 é,\n- two  spaces\n\n", "- Sum: 3 + 4\n- 7", "🎉"])
def test_streamed_text_is_the_decoded_text(name: str, text: str, folders: dict[str, Path]) -> None:
    from mlx_lm.utils import load_tokenizer

    tokenizer = load_tokenizer(folders[name])
    ids = tokenizer.encode(text, add_special_tokens=False)
    stream = tokenizer.detokenizer
    for id_ in ids:
        stream.add_token(id_)
    stream.finalize()
    assert stream.text == tokenizer.decode(ids) == text


@pytest.mark.parametrize("name", NAMES)
def test_turn_marks_vanish_when_special_tokens_are_skipped(
    name: str, tokenizers: dict[str, Any]
) -> None:
    ids = tokenizers[name].encode(RECIPES[name].turn_eos, add_special_tokens=False)
    assert len(ids) == 1
    assert tokenizers[name].decode(ids, skip_special_tokens=True) == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_pieces_of_a_chat_are_the_templates_text_and_tokens(
    name: str, folders: dict[str, Path], tokenizers: dict[str, Any]
) -> None:
    recipe, theirs = RECIPES[name], tokenizers[name]
    mine = Tokenizer.from_file(str(folders[name] / "tokenizer.json"))
    for talk in some_talks(recipe, 80):
        turns = [(turn.user, turn.answer) for turn in talk.turns]
        # the last answer is open: a template may put the system text before the last question
        asked = [text for text, _ in pieces(recipe.chat_format, talk.system, turns)]
        ending = [recipe.chat_format.lead + turns[-1][1], recipe.chat_format.answer_end]
        cut = len(asked) - len(ending) - bool(recipe.chat_format.between)
        prompt = theirs.apply_chat_template(
            talk.messages()[:-1], add_generation_prompt=True, return_dict=False
        )
        ids = [i for text in asked[:cut] for i in mine.encode(text, add_special_tokens=False).ids]
        assert asked[cut : cut + 2] == ending
        assert theirs.decode(prompt) == "".join(asked[:cut])
        assert ids == prompt


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_holds_whole_chats_from_the_bos_on(name: str, folders: dict[str, Path]) -> None:
    recipe = RECIPES[name]
    tokenizer = Tokenizer.from_file(str(folders[name] / "tokenizer.json"))
    batch = make_batch(recipe, tokenizer, seed=7, step=0, rows=2)
    bos = tokenizer.token_to_id(recipe.tokenizer.bos_token)
    firsts = {
        batch.tokens[row, np.argmax(batch.segments[row] == number)]
        for row in range(2)
        for number in set(batch.segments[row]) - {0}
    }
    assert firsts == {bos}
    learnt = batch.tokens[0][batch.weights[0] > 90]
    assert tokenizer.token_to_id(recipe.turn_eos) in learnt


def test_mistral_learns_only_the_answer_before_which_the_system_text_stands() -> None:
    chat = RECIPES["mistral"].chat_format
    assert chat.last_answer_only("Be kind.") and not chat.last_answer_only(None)
    assert not any(RECIPES[name].chat_format.last_answer_only("x") for name in ("llama", "gemma"))


@pytest.mark.parametrize(
    ("name", "first"),
    [("mistral", "<unk> <s> </s> [INST] [/INST]"), ("gemma", "<pad> <eos> <bos>")],
)
def test_the_first_ids_are_the_real_ones(name: str, first: str, tokenizers: dict[str, Any]) -> None:
    count = len(first.split())
    assert tokenizers[name].convert_ids_to_tokens(list(range(count))) == first.split()


TALKS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": " a \n"}],
    [{"role": "system", "content": " s "}, {"role": "user", "content": "a"}],
    [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": " b "},
        {"role": "user", "content": "c "},
    ],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
]
PICTURE = [
    {"role": "system", "content": [{"type": "text", "text": "s"}]},
    {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " a "}]},
]
CALL = {"type": "function", "id": "abc123xyz", "function": {"name": "f", "arguments": {"x": "é"}}}
TOOLS = [
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]},
    {"role": "tool", "tool_call_id": "abc123xyz", "content": "1"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"},
]
OFFERED = [{"type": "function", "function": {"name": "f", "return": 1, "parameters": {"x": "int"}}}]
# The real Llama 3.2 template always opens with a system turn that holds two dates.
DATES = "Cutting Knowledge Date: December 2023\nToday Date: now\n\n"
EMPTY_SYSTEM = f"<|start_header_id|>system<|end_header_id|>\n\n{DATES}<|eot_id|>"


def real_template(name: str) -> str:
    file = REAL_FAMILIES / REAL[name] / "chat_template.jinja"
    if not file.exists():
        pytest.skip("the real families' templates are not beside this checkout")
    return file.read_text()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("messages", TALKS)
@pytest.mark.parametrize("prompt", [True, False])
def test_the_template_renders_as_the_real_one(
    name: str, messages: list[dict[str, Any]], prompt: bool, tokenizers: dict[str, Any]
) -> None:
    mine = render(tokenizers[name], messages, add_generation_prompt=prompt)
    real = render(
        tokenizers[name],
        messages,
        add_generation_prompt=prompt,
        chat_template=real_template(name),
        date_string="now",
    )
    assert mine == real.replace(EMPTY_SYSTEM, "").replace(DATES, "")


@pytest.mark.parametrize(
    ("name", "messages", "tools"), [("gemma", PICTURE, None), ("mistral", TOOLS, OFFERED)]
)
def test_pictures_and_tools_render_as_with_the_real_template(
    name: str, messages: list[dict[str, Any]], tools: Any, tokenizers: dict[str, Any]
) -> None:
    mine = render(tokenizers[name], messages, tools=tools)
    assert mine == render(
        tokenizers[name], messages, tools=tools, chat_template=real_template(name)
    )


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        *(
            (n, r)
            for n in ("mistral", "gemma")
            for r in ("user user", "assistant", "system system")
        ),
        ("mistral", "user system"),
    ],
)
def test_turns_that_do_not_alternate_are_refused_in_the_real_words(
    name: str, roles: str, tokenizers: dict[str, Any]
) -> None:
    from jinja2 import TemplateError

    messages = [{"role": role, "content": "a"} for role in roles.split()]
    with pytest.raises(TemplateError) as mine:
        render(tokenizers[name], messages)
    with pytest.raises(TemplateError) as real:
        render(tokenizers[name], messages, chat_template=real_template(name))
    assert str(mine.value) == str(real.value)
