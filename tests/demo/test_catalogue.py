"""The catalogue of demo models: what it finds, what it refuses, what it weighs."""

import json
import subprocess
import sys

import pytest

from mlx_magic import demo
from mlx_magic.errors import ModelNotFound
from mlx_magic.families import model_kind, resolve_family


@pytest.mark.parametrize("name", ["qwen", "demo:qwen", "demo", "demo:"])
def test_a_demo_model_is_found_by_name_by_spec_and_by_default(name: str) -> None:
    assert demo.find(name).spec == "demo:qwen"


def test_an_unknown_name_is_refused_in_one_line_that_lists_the_choices() -> None:
    with pytest.raises(ModelNotFound) as caught:
        demo.find("demo:qwem")
    message = str(caught.value)
    assert "qwem" in message and "demo:qwen" in message and "\n" not in message


def test_the_package_holds_seven_models_and_two_adapters() -> None:
    kinds = {model.name: model.kind for model in demo.list()}
    assert kinds == dict.fromkeys(("qwen", "llama", "mistral", "gemma"), "text") | dict.fromkeys(
        ("qwen-vl", "gemma-vision", "smolvlm"), "vision"
    )
    assert {adapter.name for adapter in demo.adapters()} == {"pirate", "shout"}


def test_every_row_has_its_files_and_its_family() -> None:
    for model in demo.list():
        config = json.loads((model.path / "config.json").read_text())
        assert resolve_family(config).name == model.family
        assert model_kind(config) == model.kind
        assert (model.path / "README.md").exists()
        assert model.spec == f"demo:{model.name}"


def test_an_adapter_is_found_by_name_and_belongs_to_a_demo_model() -> None:
    for adapter in demo.adapters():
        assert demo.find_adapter(f"demo:{adapter.name}") == adapter
        assert demo.find(adapter.base).kind == "text"
    with pytest.raises(ModelNotFound, match="pirat"):
        demo.find_adapter("pirat")


def test_the_demo_models_and_adapters_stay_small() -> None:
    models, adapters = demo.list(), demo.adapters()
    assert all(1_000_000 < model.size_bytes <= 7_000_000 for model in models)
    assert all(adapter.size_bytes < 200_000 for adapter in adapters)
    assert sum(row.size_bytes for row in (*models, *adapters)) <= 30_000_000


def test_the_catalogue_imports_no_heavy_library() -> None:
    heavy = "mlx.core", "mlx_lm", "transformers", "numpy", "IPython"
    code = f"import sys, mlx_magic.demo; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
