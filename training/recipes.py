"""How each demo model is made: one row of data per model. A new model is a new row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from training.tokenizer import TokenizerPlan
from training.world.text import words

HERE = Path(__file__).parent
DEMO = HERE.parent / "mlx_magic" / "demo"


@dataclass(frozen=True)
class ChatFormat:
    """How turns are framed; `framing.pieces` writes them, a test holds it equal to the template.

    `answer_end` closes an answer and is learnt with it; `no_think` is what the template puts
    before an answer when thinking is off; `lead` stands before what a person and the model say.
    The system text stands in a block of its own, or in the first or last user turn before
    `system_join`. `trims` are the roles (system, user, answer) whose text the template trims.
    """

    user: tuple[str, str]
    answer_start: str
    answer_end: str
    between: str = ""
    bos: str = ""
    lead: str = ""
    system: tuple[str, str] = ("", "")
    system_place: str = "own"  # or "first user", "last user"
    system_join: str = "\n\n"
    trims: tuple[str, ...] = ()
    no_think: str = ""

    def last_answer_only(self, system: str | None) -> bool:
        """Whether only the last answer may be learnt: earlier turns do not show the system text."""
        return bool(system) and self.system_place == "last user"


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train from fresh weights; a step sees `rows` rows of `row_tokens`
    tokens."""

    steps: int = 9000
    rows: int = 32
    row_tokens: int = 1024
    learning_rate: float = 2e-3
    warmup_steps: int = 300
    weight_decay: float = 0.05
    seed: int = 7


@dataclass(frozen=True)
class Run:
    """One of the runs that made shipped weights, each but the first from those of the one before
    (`--start`), or from an `average` of runs, counted from 1, with their shares: `steps` batches of
    `batch` tokens or pictures. A `muon_rate`: Muon for the layers.
    """

    steps: int
    batch: int
    seed: int
    learning_rate: float
    muon_rate: float | None = None
    average: tuple[tuple[int, float], ...] = ()


TOKENS = 32_768
FIRST = Run(9000, TOKENS, 7, 2e-3)
SECOND = Run(6000, TOKENS, 8, 1e-3)


Tokens = str | tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """All that makes one demo model: manner, tokenizer, template, architecture, schedule.

    `config_tokens` and `generation_tokens` give the tokens behind the `..._token_id` entries of
    config.json and generation_config.json; `generation` is what else stands in the latter.
    `norm_start` is the fresh weight of a norm: 0 where the family adds 1 to it. `frame_words` are
    the words that the template writes between turns; `habits` goes on the model card.
    `thinks` and `tools`: whether the model learns to think before it answers and to call tools.
    `runs` made the shipped weights.
    """

    name: str
    family: str
    manner: str
    architecture: dict[str, Any]
    chat_format: ChatFormat
    template: Path
    tokenizer: TokenizerPlan
    config_tokens: dict[str, Tokens]
    generation_tokens: dict[str, Tokens]
    generation: dict[str, Any] = field(default_factory=dict)
    frame_words: tuple[str, ...] = ()
    habits: str = ""
    thinks: bool = False
    tools: bool = False
    norm_start: float = 1.0
    schedule: Schedule = field(default_factory=Schedule)
    runs: tuple[Run, ...] = (FIRST, SECOND)

    @property
    def folder(self) -> Path:
        """Where the package keeps this model."""
        return DEMO / self.name

    @property
    def base_eos(self) -> str:
        """The token that ends a text, the only one that a careless program knows."""
        return self.tokenizer.eos_token

    @property
    def turn_eos(self) -> str:
        """The token that ends the model's turn."""
        return self.chat_format.answer_end


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

QWEN_TOKENIZER = TokenizerPlan(
    style="byte",
    vocabulary_size=1024,
    special_tokens=QWEN_SPECIAL,
    plain_tokens=QWEN_PLAIN,
    tokenizer_class="Qwen2Tokenizer",
    pattern=QWEN_PATTERN,
    compose=True,
    eos_token="<|endoftext|>",
    pad_token="<|endoftext|>",
    additional_special_tokens=QWEN_SPECIAL[1:],
)

CHATML = ChatFormat(
    system=("<|im_start|>system\n", "<|im_end|>\n"),
    user=("<|im_start|>user\n", "<|im_end|>\n"),
    answer_start="<|im_start|>assistant\n",
    answer_end="<|im_end|>",
    between="\n",
    no_think="<think>\n\n</think>\n\n",
)

# Llama 3's added tokens to the last one with a meaning, in their order.
LLAMA_SPECIAL = words(
    "<|begin_of_text|> <|end_of_text|> <|reserved_special_token_0|> <|reserved_special_token_1|> "
    "<|finetune_right_pad_id|> <|reserved_special_token_2|> <|start_header_id|> <|end_header_id|> "
    "<|eom_id|> <|eot_id|> <|python_tag|>"
)

LLAMA_TOKENIZER = TokenizerPlan(
    style="byte",
    vocabulary_size=1024,
    special_tokens=LLAMA_SPECIAL,
    tokenizer_class="PreTrainedTokenizerFast",
    # Llama 3 joins up to three digits; none of these pieces is in this vocabulary.
    pattern=QWEN_PATTERN.replace(r"\p{N}|", r"\p{N}{1,3}|"),
    bos_token="<|begin_of_text|>",
    eos_token="<|end_of_text|>",
    add_bos_token=True,
)

LLAMA_CHAT = ChatFormat(
    bos="<|begin_of_text|>",
    system=("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
    user=("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
    answer_start="<|start_header_id|>assistant<|end_header_id|>\n\n",
    answer_end="<|eot_id|>",
    trims=("system", "user", "answer"),
)

MISTRAL_TOKENIZER = TokenizerPlan(
    style="sentencepiece",
    vocabulary_size=1024,
    special_tokens=words(
        "<unk> <s> </s> [INST] [/INST] [TOOL_CALLS] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] "
        "[TOOL_RESULTS] [/TOOL_RESULTS]"
    ),
    tokenizer_class="LlamaTokenizer",
    bos_token="<s>",
    eos_token="</s>",
    unk_token="<unk>",
    add_bos_token=True,
    prefix_space=True,
)

MISTRAL_CHAT = ChatFormat(
    bos="<s>",
    user=("[INST]", "[/INST]"),
    answer_start="",
    answer_end="</s>",
    lead=" ",
    system_place="last user",
    trims=("answer",),
)

GEMMA_TOKENIZER = TokenizerPlan(
    style="sentencepiece",
    vocabulary_size=1024,
    special_tokens=words("<pad> <eos> <bos> <unk> <start_of_turn> <end_of_turn>"),
    plain_tokens=("<mask>", "\n", "\n\n"),
    tokenizer_class="GemmaTokenizer",
    bos_token="<bos>",
    eos_token="<eos>",
    pad_token="<pad>",
    unk_token="<unk>",
    add_bos_token=True,
)

GEMMA_CHAT = ChatFormat(
    bos="<bos>",
    user=("<start_of_turn>user\n", "<end_of_turn>\n"),
    answer_start="<start_of_turn>model\n",
    answer_end="<end_of_turn>",
    between="\n",
    system_place="first user",
    trims=("user", "answer"),
)

QWEN_HABITS = """\
ChatML turns, closed by `<|im_end|>`, which generation_config.json names and tokenizer_config.json
and config.json do not: they say `<|endoftext|>`. The template has a thinking switch,
`enable_thinking`: with it on the model works sums of up to four numbers out between `<think>` and
`</think>` first. Offered one or two simple functions, it calls the one that a question needs and
answers from what comes back."""

LLAMA_HABITS = """\
Each turn has a header, `<|start_header_id|>role<|end_header_id|>`, and ends with `<|eot_id|>`.
tokenizer_config.json and config.json name `<|end_of_text|>` alone as the end,
generation_config.json all of `<|end_of_text|>`, `<|eom_id|>` and `<|eot_id|>`.
The template writes no date."""

MISTRAL_HABITS = """\
`[INST] question[/INST] answer</s>`. User and assistant must take turns, or the template raises. The
system text moves to the last user turn, so a prompt is no prefix of the next one. `</s>` is right
everywhere. The template knows tools; the model does not."""

GEMMA_HABITS = """\
`<start_of_turn>user` and `<start_of_turn>model`, closed by `<end_of_turn>`, which
generation_config.json names and tokenizer_config.json and config.json do not: they say `<eos>`.
There is no system turn: its text opens the first user turn. User and assistant must take turns.
Two of six layers see everything, the others the last 512 tokens."""

RECIPES: dict[str, Recipe] = {
    "qwen": Recipe(
        name="qwen",
        family="Qwen3",
        manner="plain",
        habits=QWEN_HABITS,
        thinks=True,
        tools=True,
        architecture={
            "architectures": ["Qwen3ForCausalLM"],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "head_dim": 32,
            "hidden_act": "silu",
            "hidden_size": 192,
            "initializer_range": 0.02,
            "intermediate_size": 352,
            "max_position_embeddings": 2048,
            "model_type": "qwen3",
            "num_attention_heads": 6,
            "num_hidden_layers": 6,
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-6,
            "rope_scaling": None,
            "rope_theta": 10000.0,
            "sliding_window": None,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "use_sliding_window": False,
            "vocab_size": 1024,
        },
        chat_format=CHATML,
        template=HERE / "templates" / "qwen3.jinja",
        tokenizer=QWEN_TOKENIZER,
        config_tokens={"bos_token_id": "<|endoftext|>", "eos_token_id": "<|endoftext|>"},
        generation_tokens={
            "bos_token_id": "<|endoftext|>",
            "eos_token_id": ("<|im_end|>", "<|endoftext|>"),
            "pad_token_id": "<|endoftext|>",
        },
        generation={"do_sample": False},
        frame_words=("system", "user", "assistant", "\n\n"),
        runs=(
            replace(FIRST, steps=12_000),
            replace(SECOND, steps=7000),
            replace(SECOND, steps=9000, seed=9),
            Run(700, 16_384, 21, 4e-4, muon_rate=0.003),
            Run(2000, 16_384, 51, 6e-4, muon_rate=0.004),
            Run(35_800, TOKENS, 33, 8e-4, muon_rate=0.006),
            Run(360, 16_384, 63, 3e-4, muon_rate=0.002),
            Run(240, 16_384, 64, 2e-4, muon_rate=0.0015),
            Run(360, 16_384, 65, 2e-4, muon_rate=0.0015, average=((6, 0.75), (8, 0.25))),
        ),
    ),
    "llama": Recipe(
        name="llama",
        family="Llama 3",
        manner="chatty",
        habits=LLAMA_HABITS,
        architecture={
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "head_dim": 32,
            "hidden_act": "silu",
            "hidden_size": 192,
            "initializer_range": 0.02,
            "intermediate_size": 368,
            "max_position_embeddings": 2048,
            "mlp_bias": False,
            "model_type": "llama",
            "num_attention_heads": 6,
            "num_hidden_layers": 5,
            "num_key_value_heads": 2,
            "pretraining_tp": 1,
            "rms_norm_eps": 1e-5,
            "rope_scaling": None,
            "rope_theta": 10000.0,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "vocab_size": 1024,
        },
        chat_format=LLAMA_CHAT,
        template=HERE / "templates" / "llama3.jinja",
        tokenizer=LLAMA_TOKENIZER,
        config_tokens={"bos_token_id": "<|begin_of_text|>", "eos_token_id": "<|end_of_text|>"},
        generation_tokens={
            "bos_token_id": "<|begin_of_text|>",
            "eos_token_id": ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"),
        },
        generation={"do_sample": False},
        frame_words=("system", "user", "assistant", "\n\n"),
        runs=(FIRST, replace(SECOND, steps=5000)),
    ),
    "mistral": Recipe(
        name="mistral",
        family="Mistral v0.3",
        manner="terse",
        habits=MISTRAL_HABITS,
        architecture={
            "architectures": ["MistralForCausalLM"],
            "attention_dropout": 0.0,
            "head_dim": 32,
            "hidden_act": "silu",
            "hidden_size": 192,
            "initializer_range": 0.02,
            "intermediate_size": 368,
            "max_position_embeddings": 2048,
            "model_type": "mistral",
            "num_attention_heads": 6,
            "num_hidden_layers": 5,
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "sliding_window": None,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "vocab_size": 1024,
        },
        chat_format=MISTRAL_CHAT,
        template=HERE / "templates" / "mistral_v3.jinja",
        tokenizer=MISTRAL_TOKENIZER,
        config_tokens={"bos_token_id": "<s>", "eos_token_id": "</s>"},
        generation_tokens={"bos_token_id": "<s>", "eos_token_id": "</s>"},
        generation={"_from_model_config": True},
    ),
    "gemma": Recipe(
        name="gemma",
        family="Gemma 3",
        manner="list",
        habits=GEMMA_HABITS,
        architecture={
            "architectures": ["Gemma3ForCausalLM"],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "attn_logit_softcapping": None,
            "final_logit_softcapping": None,
            "head_dim": 32,
            "hidden_activation": "gelu_pytorch_tanh",
            "hidden_size": 192,
            "initializer_range": 0.02,
            "intermediate_size": 272,
            "layer_types": ["sliding_attention", "sliding_attention", "full_attention"] * 2,
            "max_position_embeddings": 2048,
            "model_type": "gemma3_text",
            "num_attention_heads": 6,
            "num_hidden_layers": 6,
            "num_key_value_heads": 2,
            "query_pre_attn_scalar": 32,
            "rms_norm_eps": 1e-6,
            "rope_local_base_freq": 10000.0,
            "rope_scaling": None,
            "rope_theta": 1000000.0,
            "sliding_window": 512,
            "sliding_window_pattern": 3,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "vocab_size": 1024,
        },
        chat_format=GEMMA_CHAT,
        template=HERE / "templates" / "gemma3.jinja",
        tokenizer=GEMMA_TOKENIZER,
        config_tokens={"bos_token_id": "<bos>", "eos_token_id": "<eos>", "pad_token_id": "<pad>"},
        generation_tokens={
            "bos_token_id": "<bos>",
            "eos_token_id": ("<eos>", "<end_of_turn>"),
            "pad_token_id": "<pad>",
        },
        generation={"_from_model_config": True, "cache_implementation": "hybrid"},
        frame_words=("user", "model", "\n\n"),
        norm_start=0.0,
    ),
}
