"""The PyTorch twins lose what the MLX models lose, and leave folders that mlx opens."""

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

torch = pytest.importorskip("torch", reason="the twins need torch")

from safetensors.torch import load_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

from training import batches as text_batches  # noqa: E402
from training import loop  # noqa: E402
from training import train as text_train  # noqa: E402
from training.recipes import RECIPES  # noqa: E402
from training.twin import finer  # noqa: E402
from training.twin import train as twin_train  # noqa: E402
from training.twin.layers import Weights  # noqa: E402
from training.twin.text import TextTwin, groups_of  # noqa: E402
from training.twin.vision import VisionTwin  # noqa: E402
from training.vision import train as vision_train  # noqa: E402
from training.vision.batches import drawn_batch  # noqa: E402
from training.vision.models import build_model  # noqa: E402
from training.vision.recipes import VISION_RECIPES, VisionRecipe  # noqa: E402


def few(recipe: VisionRecipe) -> VisionRecipe:
    return replace(
        recipe, schedule=replace(recipe.schedule, pictures=6, rows=((12, 110), (8, 180)))
    )


@pytest.fixture(scope="module", params=sorted(VISION_RECIPES))
def vision(request: Any, tmp_path_factory: Any) -> tuple[VisionRecipe, Path]:
    mx.set_default_device(mx.cpu)
    recipe, folder = few(VISION_RECIPES[request.param]), tmp_path_factory.mktemp(request.param)
    options = vision_train.Options(
        out=folder, charts=None, steps=1, seed=1, compiled=False, sample_talks=200
    )
    vision_train.train(recipe, options)
    return recipe, folder


@pytest.fixture(scope="module")
def text(tmp_path_factory: Any) -> Path:
    mx.set_default_device(mx.cpu)
    folder: Path = tmp_path_factory.mktemp("qwen")
    recipe = replace(RECIPES["qwen"], schedule=replace(RECIPES["qwen"].schedule, row_tokens=300))
    options = text_train.Options(out=folder, steps=1, seed=1, compiled=False, rows=2)
    text_train.train(recipe, options)
    return folder


def loaded(folder: Path) -> Weights:
    weights = load_file(folder / "model.safetensors")
    return {name: value.float() for name, value in weights.items()}


def test_a_vision_twin_loses_what_its_model_loses(vision: tuple[VisionRecipe, Path]) -> None:
    recipe, folder = vision
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    batch = drawn_batch(recipe, tokenizer, None, 5, 0)
    config = json.loads((folder / "config.json").read_text())
    model = build_model(config)
    model.update(loop.started(vision_train.trainable(model), folder))
    wanted = vision_train.batch_loss(model, recipe, vision_train.to_arrays(batch)).item()
    said = VisionTwin(config, recipe.image).loss(loaded(folder), batch).item()
    assert said == pytest.approx(wanted, rel=1e-4)


def test_a_text_twin_loses_what_its_model_loses(text: Path) -> None:
    recipe = RECIPES["qwen"]
    tokenizer = Tokenizer.from_file(str(text / "tokenizer.json"))
    batch = text_batches.make_batch(recipe, tokenizer, 5, 0, 2)
    model = text_train.build_model(recipe)
    model.update(loop.started(model.parameters(), text))
    tokens, weights, segments = text_train.to_arrays(batch)
    logits = text_train.forward(model, tokens[:, :-1], segments[:, :-1])
    total, counted = loop.weighed_losses(logits, tokens, weights)
    said = TextTwin(recipe.architecture).loss(loaded(text), groups_of(batch)).item()
    assert said == pytest.approx((total / counted).item(), rel=1e-4)


def learn(model: str, start: Path, out: Path, float32: bool = False) -> list[float]:
    """A short run of a twin."""
    return twin_train.train(
        Namespace(
            model=model, start=start, out=out, steps=6, seed=1, charts=None, workers=0,
            learning_rate=2e-3, muon_rate=0.01, save_every=4, float32=float32,
        )
    )  # fmt: skip


@pytest.mark.parametrize("float32", [False, True])
def test_a_twin_learns_and_leaves_a_folder_that_mlx_lm_opens(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, float32: bool
) -> None:
    from mlx_lm import load

    mixed, loss = set(), TextTwin.loss

    def watched(*given: Any) -> Any:
        mixed.add(torch.is_autocast_enabled("cpu"))
        return loss(*given)

    monkeypatch.setattr(TextTwin, "loss", watched)
    losses = learn("qwen", text, tmp_path, float32)
    assert losses[-1] < losses[0] - 0.5
    assert mixed == {not float32}
    model, tokenizer = load(str(tmp_path))[:2]
    assert tokenizer.eos_token and model.parameters()


def test_a_vision_twin_learns_and_leaves_a_folder_that_mlx_vlm_opens(
    vision: tuple[VisionRecipe, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlx_vlm import load

    recipe, folder = vision
    monkeypatch.setattr(twin_train, "few_pictures", few)
    losses = learn(recipe.name, folder, tmp_path)
    assert losses[-1] < losses[0] - 0.5
    model, processor = load(str(tmp_path))
    assert processor.tokenizer.eos_token and model.parameters()


def test_finer_patches_see_a_plain_picture_as_before() -> None:
    kernel = torch.randn(5, 1, 1, 3).expand(5, 14, 14, 3)
    small = finer.resize_kernel(kernel, 8)
    assert small.shape == (5, 8, 8, 3)
    torch.testing.assert_close(small.sum((1, 2)), kernel.sum((1, 2)))
    ramp = torch.arange(4.0).repeat_interleave(4)[:, None]  # the row of each patch of a square
    rows = finer.interpolate_positions(ramp, 8).reshape(8, 8)
    assert rows[7, 0] - rows[0, 0] > 2 and (rows[:, :1] - rows).abs().max() < 1e-5
