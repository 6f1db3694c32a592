"""A vision model trained for a few steps on the CPU is a folder that mlx-vlm opens."""

import random
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from jinja2 import TemplateError
from picture_samples import make_sample
from real_families import REAL_FAMILIES
from tokenizers import Tokenizer
from transformers.utils.chat_template_utils import render_jinja_template

from mlx_magic.families import model_kind, resolve_family, stop_token_ids
from training.recipes import DEMO
from training.vision import shared
from training.vision.batches import drawn_batch
from training.vision.pixels import Patches, Squash
from training.vision.recipes import VISION_RECIPES, VisionRecipe
from training.vision.train import Options, train

REAL = {
    "qwen-vl": "qwen2.5-vl-instruct",
    "gemma-vision": "gemma-3-it",
    "smolvlm": "smolvlm-256m-instruct",
}


def short(name: str) -> VisionRecipe:
    recipe = VISION_RECIPES[name]
    return replace(recipe, schedule=replace(recipe.schedule, pictures=3, rows=((2, 110), (2, 180))))


def options(folder: Path, **changes: Any) -> Options:
    given = Options(
        out=folder, charts=None, steps=3, seed=1, compiled=False, save_every=2, sample_talks=200
    )
    return replace(given, **changes)


@pytest.fixture(scope="module", params=sorted(VISION_RECIPES))
def trained(request: Any, tmp_path_factory: Any) -> tuple[VisionRecipe, Path]:
    mx.set_default_device(mx.cpu)
    recipe, folder = short(request.param), tmp_path_factory.mktemp(request.param)
    losses = train(recipe, options(folder))
    assert len(losses) == 3 and all(np.isfinite(losses))
    return recipe, folder


def test_batches_written_for_several_models_are_those_that_each_would_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "AHEAD", 2)
    models = [(short(n), Tokenizer.from_file(str(DEMO / n / "tokenizer.json"))) for n in REAL]
    writer = shared.Writer(models, None, 5, tmp_path)
    writing = Thread(target=shared.write, args=(writer, range(6), 0), daemon=True)
    writing.start()
    readers = {r.name: shared.read(tmp_path / r.name, range(7), 5) for r, _ in models}
    for step in range(6):
        for recipe, tokenizer in models:
            if recipe.name not in readers:
                continue
            given, own = next(readers[recipe.name]), drawn_batch(recipe, tokenizer, None, 5, step)
            np.testing.assert_array_equal(given.pixels, own.pixels)
            for rows, same in zip(given.rows, own.rows, strict=True):
                np.testing.assert_array_equal(rows.tokens, same.tokens)
            assert len(list((tmp_path / recipe.name).iterdir())) <= 2
        if step == 1:  # a run that has had enough keeps nobody waiting
            readers.pop("smolvlm").close()
    for reader in readers.values():
        with pytest.raises(EOFError, match="before step 6"):
            next(reader)
    writing.join(60)
    assert not writing.is_alive()
    with pytest.raises(FileExistsError):
        shared.write(writer, range(6), 0)


def test_a_run_refuses_batches_of_another_seed(tmp_path: Path) -> None:
    recipe = short("smolvlm")
    tokenizer = Tokenizer.from_file(str(DEMO / "smolvlm" / "tokenizer.json"))
    shared.write(shared.Writer([(recipe, tokenizer)], None, 5, tmp_path), range(1), 0)
    with pytest.raises(ValueError, match="seed 5, not 6"):
        next(shared.read(tmp_path / "smolvlm", range(1), 6))


def test_a_resumed_run_ends_like_an_uninterrupted_one(
    trained: tuple[VisionRecipe, Path], tmp_path: Path
) -> None:
    recipe, folder = trained
    train(recipe, options(tmp_path, stop_after=2))
    train(recipe, options(tmp_path, resume=True))
    whole, resumed = (mx.load(str(f / "model.safetensors")) for f in (folder, tmp_path))
    assert isinstance(whole, dict) and isinstance(resumed, dict)
    for name, value in whole.items():
        assert value.dtype == mx.bfloat16
        np.testing.assert_allclose(
            np.array(resumed[name].astype(mx.float32)),
            np.array(value.astype(mx.float32)),
            atol=2e-2,
        )


def test_mlx_vlm_opens_it_and_it_answers(trained: tuple[VisionRecipe, Path]) -> None:
    from mlx_vlm import apply_chat_template, load, stream_generate

    recipe, folder = trained
    model, processor = load(str(folder))
    assert not hasattr(processor, "eos_token_id")
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]}]
    prompt = apply_chat_template(processor, model.config, chat)
    image = make_sample(random.Random(1), recipe.manner).images[0]
    said = list(
        stream_generate(model, processor, prompt, image=[image], max_tokens=4, temperature=0.0)
    )
    assert said[-1].generation_tokens in range(1, 5)


def test_it_is_a_vision_model_of_its_family_that_stops_at_its_turns_end(
    trained: tuple[VisionRecipe, Path],
) -> None:
    import json

    from mlx_vlm import load

    recipe, folder = trained
    config = json.loads((folder / "config.json").read_text())
    generation = json.loads((folder / "generation_config.json").read_text())
    _, processor = load(str(folder))
    assert model_kind(config) == "vision"
    assert resolve_family(config).name == REAL[recipe.name].split("-")[0].split("2")[0].replace(
        "smolvlm", "smollm"
    )
    ids = processor.tokenizer.convert_tokens_to_ids([recipe.turn_eos, recipe.base_eos])
    assert config["eos_token_id"] == ids[1] == processor.tokenizer.eos_token_id
    assert stop_token_ids(processor, config, generation) >= set(ids)
    assert ids[0] in stop_token_ids(processor, config, None)


@pytest.mark.skipif(not REAL_FAMILIES.is_dir(), reason="the real families are not there")
@pytest.mark.parametrize("name", sorted(VISION_RECIPES))
def test_its_template_writes_what_the_real_one_writes(name: str) -> None:
    real = (REAL_FAMILIES / REAL[name] / "chat_template.jinja").read_text()
    ours = VISION_RECIPES[name].template.read_text()
    one, two = {"type": "image"}, [{"type": "image"}, {"type": "image"}]
    text = [{"type": "text", "text": " How many? "}]
    chats = [
        [{"role": "user", "content": [one, *text]}],
        [{"role": "user", "content": text}],
        [{"role": "user", "content": "a plain string"}],
        [
            {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": [*two, *text]},
            {"role": "assistant", "content": [{"type": "text", "text": "Three."}]},
            {"role": "user", "content": text},
        ],
        [{"role": "assistant", "content": text}, {"role": "user", "content": text}],
    ]
    for chat in chats:
        for more in (True, False):
            assert written(ours, chat, more) == written(real, chat, more)


def written(template: str, chat: list[dict[str, Any]], more: bool) -> str:
    """The chat as a template writes it, or that it refuses."""
    try:
        return render_jinja_template(
            conversations=[chat],
            chat_template=template,
            add_generation_prompt=more,
            bos_token="<bos>",
        )[0][0]
    except TemplateError:
        return "refused"


def test_a_squashed_picture_is_square_and_patches_keep_the_shape() -> None:
    image = make_sample(random.Random(2), "smolvlm").images[0].resize((320, 200))
    for recipe in VISION_RECIPES.values():
        pixels = recipe.image.pixels(image)
        assert pixels.values.shape == recipe.image.shape
        rows, columns = pixels.grid
        if isinstance(recipe.image, Squash):
            assert rows == columns
        else:
            assert isinstance(recipe.image, Patches)
            assert rows < columns and rows * columns <= recipe.image.most_tokens
