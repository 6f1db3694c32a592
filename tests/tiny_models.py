"""Tiny models with random weights in the shape of the real families: built, saved, loaded again.

They say nothing sensible; they are there to be loaded, streamed from, cancelled and freed.
"""

import json
from pathlib import Path
from typing import Any

CHATML = (
    "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}"
)
LLAMA = (
    "{{ '<|begin_of_text|>' }}{%- for m in messages %}{{ '<|start_header_id|>' + m.role +"
    " '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
GEMMA = (
    "{{ bos_token }}{%- if messages[0].role == 'system' %}"
    "{{ raise_exception('System role not supported') }}{%- endif %}"
    "{%- for m in messages %}{%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{%- endif %}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n'"
    " + m.content | trim + '<end_of_turn>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{%- endif %}"
)

# family -> special tokens (the first is the tokenizer's EOS), template, extra config
FAMILIES: dict[str, tuple[list[str], str, dict[str, Any]]] = {
    "llama": (
        ["<|end_of_text|>", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>",
         "<|end_header_id|>"],
        LLAMA,
        {"model_type": "llama", "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 512}},
    ),
    "qwen": (
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"],
        CHATML,
        {"model_type": "qwen3"},
    ),
    "gemma": (
        ["<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"],
        GEMMA,
        {"model_type": "gemma2", "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
         "query_pre_attn_scalar": 16},
    ),
}  # fmt: skip


def tokenizer(specials: list[str], template: str | None, bos: str | None = None) -> Any:
    """A byte-level tokenizer: 256 bytes and the special tokens, no merges."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in specials])
    made = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=specials[0], bos_token=bos)
    made.chat_template = template
    return made


def config(family: str, vocab_size: int, hidden: int, layers: int) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": hidden // 4,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": True,
        "vocab_size": vocab_size,
        **FAMILIES[family][2],
    }


def build(
    folder: Path,
    family: str = "llama",
    *,
    hidden: int = 32,
    layers: int = 2,
    seed: int = 0,
    dtype: str = "bfloat16",
    bits: int | None = None,
) -> Path:
    """Save a random model of a family, quantised if `bits` says so, and return its folder."""
    import importlib

    import mlx.core as mx
    from mlx import nn
    from mlx.utils import tree_flatten

    specials, template, _ = FAMILIES[family]
    made = tokenizer(specials, template, bos=specials[1])
    shape = config(family, len(made), hidden, layers)
    module = importlib.import_module(f"mlx_lm.models.{shape['model_type']}")
    mx.random.seed(seed)
    model = module.Model(module.ModelArgs.from_dict(shape))
    folder.mkdir(parents=True, exist_ok=True)
    model.set_dtype(getattr(mx, dtype))
    if bits is not None:
        shape["quantization"] = {"group_size": 32, "bits": bits}
        nn.quantize(model, **shape["quantization"])
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    # As in published repositories: the config knows the tokenizer's EOS only.
    shape["eos_token_id"] = made.eos_token_id
    (folder / "config.json").write_text(json.dumps(shape))
    made.save_pretrained(folder)
    return folder


def build_adapter(
    folder: Path,
    base: Path,
    *,
    rank: int = 4,
    num_layers: int = -1,
    keys: list[str] | None = None,
    kind: str = "lora",
    seed: int = 1,
    dtype: str = "bfloat16",
) -> Path:
    """Save a random adapter of a saved model, as mlx-lm's trainer does, and return its folder."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm import load
    from mlx_lm.tuner.utils import linear_to_lora_layers

    parameters: dict[str, Any] = {"rank": rank, "scale": 4.0, "dropout": 0.0}
    if keys is not None:
        parameters["keys"] = keys
    model = load(str(base))[0]
    model.freeze()
    linear_to_lora_layers(model, num_layers, parameters, use_dora=kind == "dora")
    mx.random.seed(seed)
    weights = {
        name: mx.random.uniform(0.5, 1.5, value.shape) * value
        if name.endswith(".m")
        else mx.random.normal(value.shape)
        for name, value in tree_flatten(model.trainable_parameters())
    }
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.astype(getattr(mx, dtype)) for name, value in weights.items()}
    mx.save_safetensors(str(folder / "adapters.safetensors"), weights, {"format": "mlx"})
    config = {
        "fine_tune_type": kind,
        "lora_parameters": parameters,
        "model": str(base),
        "num_layers": num_layers,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder
