"""The training loop on the CPU: it learns, it resumes, it frames chats as the template does."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten
from tokenizers import Tokenizer

from mlx_magic import demo
from training import loop
from training.batches import frame, make_batch
from training.checkpoint import load_checkpoint
from training.muon import StackedMuon
from training.recipes import RECIPES, Recipe
from training.train import Options, build_model, train, write_tokenizer
from training.world import MANNERS, make_conversation
from training.world.texts import sample_texts

QWEN = RECIPES["qwen"]
SHORT = replace(
    QWEN,
    architecture=QWEN.architecture | {"num_hidden_layers": 1},
    schedule=replace(QWEN.schedule, row_tokens=512, warmup_steps=2),
)


@pytest.fixture(autouse=True)
def on_cpu() -> None:
    mx.set_default_device(mx.cpu)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(QWEN.folder / "tokenizer.json"))


def run(recipe: Recipe, out: Path, **changes: object) -> list[float]:
    """A short training run that starts from the shipped tokenizer."""
    out.mkdir(exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (out / name).write_bytes((QWEN.folder / name).read_bytes())
    options = Options(out=out, steps=12, rows=1, seed=1, compiled=False)
    return train(recipe, replace(options, **changes))  # type: ignore[arg-type]


def test_a_few_steps_lower_the_loss_and_leave_a_model_that_mlx_lm_opens(tmp_path: Path) -> None:
    from mlx_lm import load

    losses = run(SHORT, tmp_path / "run")
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.5
    exported = tmp_path / "run"
    config = (
        (exported / "config.json")
        .read_text()
        .replace('"num_hidden_layers": 6', '"num_hidden_layers": 1')
    )
    (exported / "config.json").write_text(config)
    assert len(load(str(exported))[0].layers) == 1


def test_a_resumed_run_loses_exactly_what_an_uninterrupted_one_loses(tmp_path: Path) -> None:
    whole = run(SHORT, tmp_path / "whole", steps=6)
    first = run(SHORT, tmp_path / "parts", steps=6, stop_after=3)
    rest = run(SHORT, tmp_path / "parts", steps=6, resume=True)
    assert first + rest == whole
    assert load_checkpoint(tmp_path / "parts")[0] == 6


def test_a_run_with_little_time_is_the_run_with_as_many_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MEASURED_FROM", 1)
    monkeypatch.setattr(loop, "MEASURED_TO", 2)
    monkeypatch.setattr(loop, "affordable_steps", lambda done, *_: done + 3)
    quick = replace(SHORT, schedule=replace(SHORT.schedule, warmup_steps=1))
    hurried = run(quick, tmp_path / "hurried", steps=50, finish_in=1.0)
    whole = run(quick, tmp_path / "whole", steps=5)
    assert len(hurried) == 5
    # The same, but for a little that the second step's rate owes to the steps to come.
    assert np.allclose(hurried, whole, atol=0.1)
    done, _, _, state = load_checkpoint(tmp_path / "hurried")
    assert done == 5 and state["learning_rate"].item() < quick.schedule.learning_rate / 5


@pytest.mark.parametrize("done, left, step, steps", [(500, 1000.0, 0.05, 19500), (500, 0, 1, 501)])
def test_the_affordable_steps_are_those_that_fit(
    done: int, left: float, step: float, steps: int
) -> None:
    assert loop.affordable_steps(done, left, step) == steps


def test_muon_takes_the_layers_matrices_and_steps_as_mlx_does(tmp_path: Path) -> None:
    mx.random.seed(2)
    shapes = {"up": (32, 16), "down": (16, 32), "gate": (32, 16), "square": (16, 16)}
    values = {name: mx.random.normal(shape) for name, shape in shapes.items()}
    gradients = [{name: mx.random.normal(s) for name, s in shapes.items()} for _ in range(3)]
    ours, theirs = StackedMuon(0.01), optim.Muon(0.01, weight_decay=0.0)
    mine = yours = values
    for gradient in gradients:
        mine, yours = ours.apply_gradients(gradient, mine), theirs.apply_gradients(gradient, yours)
    for name in shapes:
        assert mx.abs(mine[name] - yours[name]).max() < 1e-5
        assert mx.abs(mine[name] - values[name]).max() > 1e-3

    names = [path for path, value in tree_flatten(build_model(SHORT).parameters())
             if loop.is_inner_matrix(path, value)]  # fmt: skip
    assert len(names) == 7 and all(".layers." in name for name in names)
    given: dict[str, Any] = {"steps": 6, "rows": 2, "muon_rate": 0.01}
    losses = run(SHORT, tmp_path / "muon", **given)
    assert losses[-1] < losses[0] - 0.5
    first = run(SHORT, tmp_path / "parts", **given, stop_after=3)
    assert first + run(SHORT, tmp_path / "parts", **given, resume=True) == losses


def test_a_batch_depends_on_seed_and_step_alone(tokenizer: Tokenizer) -> None:
    one, same = (make_batch(QWEN, tokenizer, 7, 3, rows=2) for _ in range(2))
    other = make_batch(QWEN, tokenizer, 7, 4, rows=2)
    assert (one.tokens == same.tokens).all() and (one.weights == same.weights).all()
    assert (one.tokens != other.tokens).any()


def test_rows_are_well_filled_and_padding_counts_for_nothing(tokenizer: Tokenizer) -> None:
    batch = make_batch(QWEN, tokenizer, 7, 0, rows=8)
    assert (batch.segments > 0).mean() > 0.85
    assert not batch.weights[batch.segments == 0].any()


def test_the_pieces_of_a_chat_make_the_templates_own_tokens(tokenizer: Tokenizer) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(QWEN.folder)
    rng = random.Random(5)
    for _ in range(60):
        talk = make_conversation(rng, MANNERS[QWEN.manner])
        pieces = [text for text, _ in frame(QWEN.chat_format, talk, rng)]
        pieces = [text for text in pieces if text != QWEN.chat_format.no_think]
        ids = [i for text in pieces for i in tokenizer.encode(text, add_special_tokens=False).ids]
        history = theirs.apply_chat_template(
            [*talk.messages(), {"role": "user", "content": "x"}], return_dict=False
        )
        assert history[: len(ids)] == ids


@pytest.mark.parametrize("name", [m.name for m in demo.list() if m.kind == "text"])
def test_the_shipped_tokenizer_is_built_by_the_recipe(name: str, tmp_path: Path) -> None:
    """All but its merges: those are of the world that the first half of the training saw. The last
    tenth of the pieces comes and goes with the sample: other seeds change 1% of all."""
    recipe, shipped_at = RECIPES[name], demo.find(name).path
    write_tokenizer(recipe, tmp_path)
    built, shipped = (
        json.loads((folder / "tokenizer.json").read_text()) for folder in (tmp_path, shipped_at)
    )
    learnt, known = (tokenizer["model"].pop("vocab") for tokenizer in (built, shipped))
    for tokenizer in (built, shipped):
        del tokenizer["model"]["merges"]
    assert built == shipped
    assert len(learnt) == len(known)
    first = sorted(learnt, key=learnt.__getitem__)[: len(learnt) * 9 // 10]
    assert len(set(first) & set(known)) > 0.95 * len(first)

    texts = list(sample_texts(MANNERS[recipe.manner], 99, 300, recipe.thinks, recipe.tools))
    lengths = [
        sum(len(encoding.ids) for encoding in tokenizer.encode_batch(texts))
        for folder in (tmp_path, shipped_at)
        for tokenizer in [Tokenizer.from_file(str(folder / "tokenizer.json"))]
    ]
    assert abs(lengths[1] / lengths[0] - 1) < 0.01


class Turned(optim.SGD):  # type: ignore[misc]
    """Gives the parameters back in the other order, as `MultiOptimizer` may."""

    def apply_gradients(self, gradients: Any, parameters: Any) -> Any:
        return dict(reversed(super().apply_gradients(gradients, parameters).items()))


@pytest.fixture
def compiling() -> Iterator[None]:
    mx.enable_compile()
    yield
    mx.disable_compile()  # as conftest has it


@pytest.mark.usefixtures("compiling")
def test_a_compiled_step_keeps_the_names_of_parameters_whose_order_an_optimizer_changes() -> None:
    def loss(parameters: Any, arrays: loop.Arrays) -> mx.array:
        made: mx.array = arrays[0] @ parameters["first"] + parameters["second"]
        return (made * made).mean()

    held = {"parameters": {"first": mx.ones((2, 3)), "second": mx.zeros((3,))}}
    optimizer = Turned(0.1)
    optimizer.init(held["parameters"])
    step = loop.build_step(loss, held, optimizer, compiled=True)
    for _ in range(5):
        mx.eval(step([mx.ones((4, 2))]), held)
        shapes = {name: value.shape for name, value in held["parameters"].items()}
        assert shapes == {"first": (2, 3), "second": (3,)}
