"""How each vision demo model is made: one row of data per model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from training.recipes import DEMO, GEMMA_TOKENIZER, HERE, QWEN_PATTERN, QWEN_TOKENIZER, Run
from training.tokenizer import TokenizerPlan
from training.vision.pixels import ImagePlan, Patches, Squash
from training.world.text import words

TEMPLATES = HERE / "templates"


@dataclass(frozen=True)
class PictureFormat:
    """How turns with pictures are framed once the processor has put in the image tokens.

    `user` starts a turn, `user_image` one that begins with a picture. `system` frames a system
    text, `no_system` stands where there is none; a family without a system role folds the text
    into the first user turn with `folded`. A test holds all of it equal to template and processor.
    `second_bos` is the share of talks that open with two: mlx-vlm 0.7.10 tokenizes Gemma's prompt,
    which has one, with another (`should_add_special_tokens`), and both must work.
    """

    bos: str
    user: str
    user_image: str
    user_end: str
    answer_start: str
    answer_end: str
    between: str
    before_image: str
    image_token: str
    after_image: str
    answer_space: str = ""
    system: tuple[str, str] | None = None
    no_system: str = ""
    folded: str = ""
    second_bos: float = 0.0

    def system_block(self, text: str | None) -> str:
        """What stands before the first turn."""
        if text is None or self.system is None:
            return self.no_system
        return text.join(self.system)

    def folded_system(self, text: str | None) -> str:
        """What a system text puts at the head of the first user turn."""
        return text + self.folded if text is not None and self.system is None else ""

    def user_start(self, image: bool) -> str:
        """The head of a user turn."""
        return self.user_image if image else self.user


@dataclass(frozen=True)
class VisionSchedule:
    """How long and how hard to train.

    A step sees `pictures` new pictures with a talk about each, or about two together, and a few
    talks without one. A talk goes into the first of `rows`, given as (number, tokens), that it
    fits, so that long ones do not stretch them all.
    """

    steps: int = 14000
    pictures: int = 256
    rows: tuple[tuple[int, int], ...] = ((90, 114), (165, 176))
    learning_rate: float = 1e-3
    warmup_steps: int = 400
    weight_decay: float = 0.03
    seed: int = 7

    @property
    def longest(self) -> int:
        """Tokens of the longest talk."""
        return max(tokens for _, tokens in self.rows)


@dataclass(frozen=True)
class VisionRecipe:
    """All that makes one vision model; the ids of its tokens are put into `config` when built, and
    `runs` made the shipped weights."""

    name: str
    manner: str
    config: dict[str, Any]
    token_ids: dict[str, str]
    tokenizer: TokenizerPlan
    chat: PictureFormat
    image: ImagePlan
    preprocessor: dict[str, Any]
    processor: dict[str, Any]
    template: Path
    base_eos: str
    turn_eos: str
    schedule: VisionSchedule = field(default_factory=VisionSchedule)
    runs: tuple[Run, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the package keeps this model."""
        return DEMO / self.name


# The runs behind the shipped weights, their batches in new pictures; see `training/README.md`.
FIRST = Run(12_000, 128, seed=7, learning_rate=1e-3)
SECOND = partial(Run, batch=32, seed=8, learning_rate=8e-4, muon_rate=0.006)
ON_CPU = Run(2_000, 16, seed=20, learning_rate=6e-4, muon_rate=0.004)
THIRD = partial(Run, batch=256, seed=10, learning_rate=8e-4, muon_rate=0.006)
FOURTH = partial(THIRD, seed=32)
LATEST = partial(THIRD, seed=34)

VOCABULARY = 640
CONTEXT = 1024

# CLIP's pixel statistics, which Qwen2.5-VL uses.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

QWEN_VL = VisionRecipe(
    name="qwen-vl",
    manner="qwen-vl",
    config={
        "architectures": ["Qwen2_5_VLForConditionalGeneration"],
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "hidden_size": 160,
        "initializer_range": 0.02,
        "intermediate_size": 320,
        "max_position_embeddings": CONTEXT,
        "max_window_layers": 4,
        "model_type": "qwen2_5_vl",
        "num_attention_heads": 5,
        "num_hidden_layers": 4,
        "num_key_value_heads": 1,
        "rms_norm_eps": 1e-6,
        "rope_scaling": {"type": "mrope", "mrope_section": [4, 6, 6]},
        "rope_theta": 10000.0,
        "sliding_window": CONTEXT,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "use_sliding_window": False,
        "vision_config": {
            "depth": 4,
            "fullatt_block_indexes": [0, 1, 2, 3],
            "hidden_act": "silu",
            "hidden_size": 160,
            "in_channels": 3,
            "in_chans": 3,
            "intermediate_size": 288,
            "model_type": "qwen2_5_vl",
            "num_heads": 5,
            "out_hidden_size": 160,
            "patch_size": 8,
            "spatial_merge_size": 2,
            "spatial_patch_size": 8,
            "temporal_patch_size": 2,
            "tokens_per_second": 2,
            "window_size": 1024,
        },
        "vocab_size": VOCABULARY,
    },
    token_ids={
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
        "vision_token_id": "<|vision_pad|>",
        "bos_token_id": "<|endoftext|>",
        "pad_token_id": "<|endoftext|>",
    },
    tokenizer=replace(QWEN_TOKENIZER, vocabulary_size=VOCABULARY),
    chat=PictureFormat(
        bos="",
        system=("<|im_start|>system\n", "<|im_end|>\n"),
        no_system="<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n",
        user="<|im_start|>user\n",
        user_image="<|im_start|>user\n",
        user_end="<|im_end|>\n",
        answer_start="<|im_start|>assistant\n",
        answer_end="<|im_end|>",
        between="\n",
        before_image="<|vision_start|>",
        image_token="<|image_pad|>",
        after_image="<|vision_end|>",
    ),
    image=Patches(
        patch=8, merge=2, least_pixels=4096, most_pixels=9216, mean=CLIP_MEAN, std=CLIP_STD
    ),
    preprocessor={
        "image_mean": list(CLIP_MEAN),
        "image_processor_type": "Qwen2VLImageProcessor",
        "image_std": list(CLIP_STD),
        "max_pixels": 9216,
        "merge_size": 2,
        "min_pixels": 4096,
        "patch_size": 8,
        "processor_class": "Qwen2_5_VLProcessor",
        "temporal_patch_size": 2,
    },
    processor={},
    template=TEMPLATES / "qwen2_5_vl.jinja",
    base_eos="<|endoftext|>",
    turn_eos="<|im_end|>",
    runs=(FIRST, SECOND(15_000), THIRD(8_700), FOURTH(13_200), LATEST(15_000)),
)

# SmolVLM's added tokens: SmolLM2's first, then those for pictures.
SMOLVLM_SPECIAL = words(
    "<|endoftext|> <|im_start|> <|im_end|> <global-img> <row_1_col_1> <row_1_col_2> <row_2_col_1> "
    "<row_2_col_2> <fake_token_around_image> <image> <end_of_utterance>"
)

SMOLVLM = VisionRecipe(
    name="smolvlm",
    manner="smolvlm",
    config={
        "architectures": ["SmolVLMForConditionalGeneration"],
        "model_type": "smolvlm",
        "scale_factor": 2,
        "text_config": {
            "architectures": ["VLlama3ForCausalLM"],
            "attention_bias": False,
            "head_dim": 32,
            "hidden_act": "silu",
            "hidden_size": 160,
            "initializer_range": 0.02,
            "intermediate_size": 320,
            "max_position_embeddings": CONTEXT,
            "model_type": "llama",
            "num_attention_heads": 5,
            "num_hidden_layers": 4,
            "num_key_value_heads": 1,
            "rms_norm_eps": 1e-5,
            "rope_scaling": None,
            "rope_theta": 10000.0,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "vocab_size": VOCABULARY,
        },
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vision_config": {
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_size": 192,
            "image_size": 128,
            "intermediate_size": 384,
            "layer_norm_eps": 1e-6,
            "max_image_size": {"longest_edge": 128},
            "model_type": "smolvlm_vision",
            "num_attention_heads": 6,
            "num_channels": 3,
            "num_hidden_layers": 4,
            "patch_size": 8,
        },
        "vocab_size": VOCABULARY,
    },
    token_ids={
        "image_token_id": "<image>",
        "bos_token_id": "<|im_start|>",
        "pad_token_id": "<|im_end|>",
    },
    tokenizer=TokenizerPlan(
        style="byte",
        vocabulary_size=VOCABULARY,
        special_tokens=SMOLVLM_SPECIAL,
        plain_tokens=(),
        tokenizer_class="GPT2Tokenizer",
        pattern=QWEN_PATTERN,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
    ),
    chat=PictureFormat(
        bos="<|im_start|>",
        system=("System: ", "<end_of_utterance>\n"),
        user="User: ",
        user_image="User:",
        user_end="<end_of_utterance>\n",
        answer_start="Assistant:",
        answer_space=" ",
        answer_end="<end_of_utterance>",
        between="\n",
        before_image="<fake_token_around_image><global-img>",
        image_token="<image>",
        after_image="<fake_token_around_image>",
    ),
    image=Squash(side=128, tokens_per_side=8, resample=Image.Resampling.LANCZOS, through=128),
    preprocessor={
        "do_convert_rgb": True,
        "do_image_splitting": False,
        "do_normalize": True,
        "do_pad": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "SmolVLMImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "max_image_size": {"longest_edge": 128},
        "processor_class": "SmolVLMProcessor",
        "resample": 1,
        "rescale_factor": 1 / 255,
        "size": {"longest_edge": 128},
    },
    processor={"image_seq_len": 64, "processor_class": "SmolVLMProcessor"},
    template=TEMPLATES / "smolvlm.jinja",
    base_eos="<|im_end|>",
    turn_eos="<end_of_utterance>",
    schedule=VisionSchedule(rows=((90, 116), (165, 216))),
    runs=(FIRST, SECOND(19_600), ON_CPU, THIRD(10_800), FOURTH(11_700)),
)

GEMMA_IMAGE = {
    "boi_token": "<start_of_image>",
    "eoi_token": "<end_of_image>",
    "image_token": "<image_soft_token>",
}

GEMMA_VISION = VisionRecipe(
    name="gemma-vision",
    manner="gemma-vision",
    config={
        "architectures": ["Gemma3ForConditionalGeneration"],
        "initializer_range": 0.02,
        "mm_tokens_per_image": 36,
        "model_type": "gemma3",
        "text_config": {
            "attention_bias": False,
            "attention_dropout": 0.0,
            "head_dim": 32,
            "hidden_activation": "gelu_pytorch_tanh",
            "hidden_size": 160,
            "initializer_range": 0.02,
            "intermediate_size": 320,
            "max_position_embeddings": CONTEXT,
            "mm_tokens_per_image": 36,
            "model_type": "gemma3_text",
            "num_attention_heads": 5,
            "num_hidden_layers": 4,
            "num_key_value_heads": 1,
            "query_pre_attn_scalar": 32,
            "rms_norm_eps": 1e-6,
            "rope_global_base_freq": 100000.0,
            "rope_local_base_freq": 10000.0,
            "rope_theta": 100000.0,
            "sliding_window": 512,
            "sliding_window_pattern": 4,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "vocab_size": VOCABULARY,
        },
        "torch_dtype": "bfloat16",
        "vision_config": {
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_size": 192,
            "image_size": 96,
            "intermediate_size": 448,
            "layer_norm_eps": 1e-6,
            "model_type": "siglip_vision_model",
            "num_attention_heads": 6,
            "num_channels": 3,
            "num_hidden_layers": 4,
            "patch_size": 8,
            "vision_use_head": False,
        },
        "hidden_size": 160,
        "vocab_size": VOCABULARY,
    },
    token_ids={
        "boi_token_index": "<start_of_image>",
        "eoi_token_index": "<end_of_image>",
        "image_token_index": "<image_soft_token>",
        "bos_token_id": "<bos>",
        "pad_token_id": "<pad>",
    },
    tokenizer=replace(
        GEMMA_TOKENIZER,
        vocabulary_size=VOCABULARY,
        special_tokens=(*GEMMA_TOKENIZER.special_tokens, *GEMMA_IMAGE.values()),
        extra_special_tokens=GEMMA_IMAGE,
    ),
    chat=PictureFormat(
        bos="<bos>",
        second_bos=0.4,
        folded="\n\n",
        user="<start_of_turn>user\n",
        user_image="<start_of_turn>user\n",
        user_end="<end_of_turn>\n",
        answer_start="<start_of_turn>model\n",
        answer_end="<end_of_turn>",
        between="\n",
        before_image="\n\n<start_of_image>",
        image_token="<image_soft_token>",
        after_image="<end_of_image>\n\n",
    ),
    image=Squash(side=96, tokens_per_side=6, resample=Image.Resampling.BILINEAR),
    preprocessor={
        "do_convert_rgb": None,
        "do_normalize": True,
        "do_pan_and_scan": None,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "Gemma3ImageProcessor",
        "image_seq_length": 36,
        "image_std": [0.5, 0.5, 0.5],
        "processor_class": "Gemma3Processor",
        "resample": 2,
        "rescale_factor": 1 / 255,
        "size": {"height": 96, "width": 96},
    },
    processor={"image_seq_length": 36, "processor_class": "Gemma3Processor"},
    template=TEMPLATES / "gemma3.jinja",
    base_eos="<eos>",
    turn_eos="<end_of_turn>",
    schedule=VisionSchedule(rows=((90, 100), (165, 172))),
    runs=(
        FIRST,
        SECOND(16_700),
        THIRD(11_000),
        Run(500, 128, seed=22, learning_rate=3e-4, muon_rate=0.002),
        FOURTH(12_000),
        LATEST(15_000),
    ),
)

VISION_RECIPES = {recipe.name: recipe for recipe in (QWEN_VL, GEMMA_VISION, SMOLVLM)}
