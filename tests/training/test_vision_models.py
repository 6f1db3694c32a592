"""Training sees what mlx-vlm sees: the same tokens, the same pixels, the same logits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from picture_samples import make_sample
from PIL import Image
from tokenizers import Tokenizer

from training.pictures.manners import MANNERS
from training.pictures.talks import PictureTurn, sample_texts
from training.tokenizer import build_tokenizer, save_tokenizer
from training.vision import batches as made
from training.vision.models import Pictures, Talks, build_model, features, logits
from training.vision.pixels import Patches
from training.vision.recipes import CONTEXT, VISION_RECIPES, VisionRecipe
from training.vision.train import export_model, full_config, trainable

TEXTS = ["How many circles are there?", "There are 3 red circles.", "You are a robot.", "\n\n"] * 3


def noise(width: int, height: int, seed: int) -> Image.Image:
    """A picture of random pixels."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.fixture(scope="module", params=sorted(VISION_RECIPES))
def untrained(
    request: Any, tmp_path_factory: Any
) -> Iterator[tuple[VisionRecipe, Path, Any, Tokenizer]]:
    """A model with random weights, saved as training saves it."""
    recipe = VISION_RECIPES[request.param]
    folder = tmp_path_factory.mktemp(recipe.name)
    tokenizer = build_tokenizer(recipe.tokenizer, TEXTS)
    save_tokenizer(tokenizer, recipe.tokenizer, folder, CONTEXT)
    mx.random.seed(3)
    config = full_config(recipe, tokenizer)
    model = build_model(config)
    export_model(recipe, config, trainable(model), folder)
    yield recipe, folder, model, tokenizer


TALKS = {
    "one picture": ((PictureTurn("How many circles?", "There are 3.", "count", 1),), None),
    "a second turn": (
        (
            PictureTurn("How many circles?", "There are 3.", "count", 1),
            PictureTurn("And red ones?", "3.", "count", 0),
        ),
        None,
    ),
    "two pictures and a system text": (
        (PictureTurn("Which has more?", "The first.", "two", 2),),
        "You are a robot.",
    ),
    "a second picture later": (
        (
            PictureTurn("How many circles?", "There are 3.", "count", 1),
            PictureTurn("And here?", "There is 1.", "count", 1),
        ),
        None,
    ),
    "no picture": ((PictureTurn("Hello", "Hello!", "hello", 0),), None),
}


def batch_of(
    recipe: VisionRecipe,
    tokenizer: Tokenizer,
    talk: Any,
    system: str | None,
    images: Any,
    opening: int,
) -> tuple[Pictures, Talks]:
    """The talk as the only row of a training batch, all of its tokens."""
    pixels = [recipe.image.pixels(image) for image in images]
    pieces = made.frame(recipe.chat, talk, system, opening=opening)
    row = made.make_row(recipe, tokenizer, pieces, list(enumerate(pixels)))
    shape = recipe.image.shape
    values = np.stack([p.values for p in pixels]) if pixels else np.zeros((1, *shape), np.uint8)
    places = np.zeros((max(len(pixels), 1), 0, 2), np.uint8)
    if isinstance(recipe.image, Patches):
        grids = [p.grid for p in pixels] or [(2, 2)]
        places = np.stack([recipe.image.places(grid) for grid in grids])
    counts = [p.grid[0] * p.grid[1] for p in pixels] or [4]
    pictures = Pictures(mx.array(values), mx.array(places), mx.array(counts))
    return pictures, Talks(
        mx.array(row.tokens[None]), mx.array(row.image_at[None]), mx.array(row.positions[:, None])
    )


@pytest.mark.parametrize("name", sorted(TALKS))
def test_training_sees_the_tokens_pixels_and_logits_of_mlx_vlm(untrained: Any, name: str) -> None:
    from mlx_vlm import apply_chat_template, load
    from mlx_vlm.utils import prepare_inputs

    recipe, folder, _, tokenizer = untrained
    talk, system = TALKS[name]
    shown = sum(turn.images for turn in talk)
    images = [noise(*size, 1) for size in ((200, 150), (130, 190))[:shown]]
    model, processor = load(str(folder))
    chat: list[dict[str, Any]] = []
    if system:
        chat.append({"role": "system", "content": [{"type": "text", "text": system}]})
    for turn in talk:
        parts = [{"type": "image"}] * turn.images + [{"type": "text", "text": turn.user}]
        chat.append({"role": "user", "content": parts})
        chat.append({"role": "assistant", "content": [{"type": "text", "text": turn.answer}]})
    prompt = apply_chat_template(processor, model.config, chat[:-1])
    inputs = prepare_inputs(processor, images=images or None, prompts=prompt)
    asked = inputs["input_ids"][0].tolist()
    opening = 2 if recipe.chat.bos and asked[0] == asked[1] else 1  # mlx-vlm doubles Gemma's BOS
    assert opening == 1 or recipe.chat.second_bos
    pictures, talks = batch_of(recipe, tokenizer, talk, system, images, opening)
    assert talks.tokens[0].tolist()[: len(asked)] == asked

    extra = {k: v for k, v in inputs.items() if k not in ("input_ids", "pixel_values")}
    extra["mask"] = extra.pop("attention_mask", None)
    embedded = model.get_input_embeddings(inputs["input_ids"], inputs.get("pixel_values"), **extra)
    given = {k: v for k, v in embedded.to_dict().items() if k != "inputs_embeds" and v is not None}
    theirs = model.language_model(
        inputs["input_ids"], inputs_embeds=embedded.inputs_embeds, **given
    ).logits
    ours = logits(model, features(model, recipe.image, pictures), talks)[:, : len(asked)]
    apart = mx.abs(theirs - ours).max().item()
    assert apart < 0.05 * max(mx.abs(theirs).max().item(), 1.0)


def test_pixels_are_those_of_the_processor(untrained: Any) -> None:
    from mlx_vlm import load

    recipe, folder, _, _ = untrained
    _, processor = load(str(folder))
    for width, height in ((200, 150), (128, 192), (640, 480), (97, 301)):
        image = noise(width, height, 1)
        given = np.asarray(processor.image_processor([image])["pixel_values"], np.float32)
        pixels = recipe.image.pixels(image)
        values = pixels.values.astype(np.float32)
        if isinstance(recipe.image, Patches):
            count = pixels.grid[0] * pixels.grid[1] * recipe.image.merge**2
            side = recipe.image.patch
            given = given.reshape(count, 3, 2, side, side)[:, :, 0].transpose(0, 2, 3, 1)
            values = values[:count].reshape(count, side, side, 3)
        else:
            given = given.reshape(3, *recipe.image.shape[:2]).transpose(1, 2, 0)
        ours = (values / 255 - recipe.image.mean) / recipe.image.std
        np.testing.assert_allclose(ours, given, atol=2e-2)


def test_a_batch_depends_on_recipe_seed_and_step_alone() -> None:
    recipe = VISION_RECIPES["smolvlm"]
    tokenizer = build_tokenizer(recipe.tokenizer, TEXTS)
    few = replace(recipe.schedule, pictures=6, rows=((4, 116), (4, 216)))
    small = replace(recipe, schedule=few)
    first, again, other = (made.drawn_batch(small, tokenizer, None, 7, n) for n in (3, 3, 2))
    for one, two in zip(first.rows, again.rows, strict=True):
        np.testing.assert_array_equal(one.tokens, two.tokens)
    assert max(rows.weights.max() for rows in first.rows) == made.ANSWER
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert (first.pixels != other.pixels).any()


@pytest.mark.parametrize("name", sorted(VISION_RECIPES))
def test_talks_of_every_shape_find_room(name: str) -> None:
    recipe = VISION_RECIPES[name]
    tokenizer = build_tokenizer(recipe.tokenizer, sample_texts(MANNERS[recipe.manner], 1, 800))
    rng = random.Random(4)
    lost: Counter[tuple[int, int]] = Counter()
    made_of: Counter[tuple[int, int]] = Counter()
    for _ in range(400):
        sample = make_sample(rng, recipe.manner, talks=3)
        shown = [(i, recipe.image.pixels(image)) for i, image in enumerate(sample.images)]
        for talk in sample.talks:
            row = made.make_row(recipe, tokenizer, made.frame(recipe.chat, talk), shown)
            shape = len(sample.images), len(talk)
            made_of[shape] += 1
            lost[shape] += len(row.tokens) > recipe.schedule.longest + 1
    assert sum(lost.values()) <= 0.02 * sum(made_of.values()), lost
    assert all(lost[shape] <= 0.25 * count for shape, count in made_of.items() if count > 20), lost
