"""How each demo model is made: one row of data per model. A new model is a new row."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.world.text import words

HERE = Path(__file__).parent
DEMO = HERE.parent / "mlx_magic" / "demo"


@dataclass(frozen=True)
class ChatFormat:
    """How turns are framed; a test holds it equal to the chat template.

    `answer_end` closes an answer and is learnt with it; `no_think` is what the template puts
    before an answer when thinking is off.
    """

    system: tuple[str, str]
    user: tuple[str, str]
    answer_start: str
    answer_end: str
    between: str
    no_think: str = ""


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train; a step sees `rows` rows of `row_tokens` tokens."""

    steps: int = 12000
    rows: int = 32
    row_tokens: int = 1024
    learning_rate: float = 2e-3
    warmup_steps: int = 300
    weight_decay: float = 0.05
    seed: int = 7


@dataclass(frozen=True)
class Recipe:
    """All that makes one demo model: manner, tokenizer, template, architecture, schedule."""

    name: str
    manner: str
    architecture: dict[str, Any]
    chat_format: ChatFormat
    template: Path
    vocabulary_size: int
    special_tokens: tuple[str, ...]
    plain_tokens: tuple[str, ...]
    tokenizer_class: str
    pattern: str
    base_eos: str
    turn_eos: str
    schedule: Schedule = field(default_factory=Schedule)

    @property
    def folder(self) -> Path:
        """Where the package keeps this model."""
        return DEMO / self.name

    @property
    def added_tokens(self) -> tuple[str, ...]:
        """The added tokens in the order of their ids, which follow the byte pairs'."""
        return self.special_tokens + self.plain_tokens


# The added tokens of Qwen2.5 and Qwen3 in their order; the plain ones survive decoding.
QWEN_SPECIAL = words(
    "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> "
    "<|box_end|> <|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> "
    "<|image_pad|> <|video_pad|>"
)
QWEN_PLAIN = words(
    "<tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> "
    "<|repo_name|> <|file_sep|> <tool_response> </tool_response> <think> </think>"
)

# How Qwen cuts text before it pairs bytes: contractions, words, single digits, marks, spaces.
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHATML = ChatFormat(
    system=("<|im_start|>system\n", "<|im_end|>\n"),
    user=("<|im_start|>user\n", "<|im_end|>\n"),
    answer_start="<|im_start|>assistant\n",
    answer_end="<|im_end|>",
    between="\n",
    no_think="<think>\n\n</think>\n\n",
)

RECIPES: dict[str, Recipe] = {
    "qwen": Recipe(
        name="qwen",
        manner="plain",
        architecture={
            "architectures": ["Qwen3ForCausalLM"],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "head_dim": 32,
            "hidden_act": "silu",
            "hidden_size": 192,
            "initializer_range": 0.02,
            "intermediate_size": 384,
            "max_position_embeddings": 2048,
            "model_type": "qwen3",
            "num_attention_heads": 6,
            "num_hidden_layers": 5,
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-6,
            "rope_scaling": None,
            "rope_theta": 10000.0,
            "sliding_window": None,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "use_sliding_window": False,
        },
        chat_format=CHATML,
        template=HERE / "templates" / "qwen3.jinja",
        vocabulary_size=1024,
        special_tokens=QWEN_SPECIAL,
        plain_tokens=QWEN_PLAIN,
        tokenizer_class="Qwen2Tokenizer",
        pattern=QWEN_PATTERN,
        base_eos="<|endoftext|>",
        turn_eos="<|im_end|>",
    ),
}
