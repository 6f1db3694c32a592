"""Random Llamas of a chosen size, and random adapters for them."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

# Llama 3.2 3B, and the same in small to try the benchmarks with.
LLAMA_3B = {
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 28,
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 128256,
}
LLAMA_TINY = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 16,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 1024,
}


def random_llama(name: str, *, hidden: int, layers: int, seed: int = 0) -> Path:
    """The folder of a random bf16 Llama that never ends its turn, built once under
    build/benchmarks."""
    import tiny_models

    folder = ROOT / "build" / "benchmarks" / name
    if not (folder / "config.json").exists():
        tiny_models.build(folder, "llama", hidden=hidden, layers=layers, seed=seed)
    return folder


def build_llama(folder: Path, shape: dict[str, int], *, bits: int | None = None) -> Path:
    """Save a random Llama of a shape in bf16, or quantised in groups of 64; returns its folder.

    Its tokenizer knows bytes only, so that loading it is next to nothing beside the weights.
    """
    import mlx.core as mx
    import tiny_models
    from mlx import nn
    from mlx.utils import tree_flatten, tree_map
    from mlx_lm.models.llama import Model, ModelArgs

    specials, template, _ = tiny_models.FAMILIES["llama"]
    tokenizer = tiny_models.tokenizer(specials, template, bos=specials[1])
    config: dict[str, Any] = {
        **tiny_models.config("llama", len(tokenizer), hidden=64, layers=1),
        **shape,
        "eos_token_id": tokenizer.eos_token_id,
    }
    model = Model(ModelArgs.from_dict(config))
    # In bf16 from the start: mlx-lm's own first weights would take twice the memory.
    model.update(
        tree_map(lambda a: mx.random.normal(a.shape, mx.bfloat16, scale=0.02), model.parameters())
    )
    if bits is not None:
        config["quantization"] = {"group_size": 64, "bits": bits}
        nn.quantize(model, **config["quantization"])
    folder.mkdir(parents=True)
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer.save_pretrained(folder)
    del model, weights
    mx.clear_cache()
    return folder
