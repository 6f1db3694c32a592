"""Builds a demo model's tokenizer: byte pairs learnt from the world's own conversations."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from training.recipes import Recipe
from training.world import MANNERS, make_conversation

SAMPLE_CONVERSATIONS = 30_000


def build_tokenizer(recipe: Recipe, conversations: int = SAMPLE_CONVERSATIONS) -> Tokenizer:
    """The recipe's tokenizer; any text survives it, up to Unicode composition (NFC)."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(recipe.pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary_size - len(recipe.added_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sample_texts(recipe, conversations), trainer)
    tokenizer.add_tokens([_added(token, special=True) for token in recipe.special_tokens])
    tokenizer.add_tokens([_added(token, special=False) for token in recipe.plain_tokens])
    return tokenizer


def sample_texts(recipe: Recipe, conversations: int) -> Iterator[str]:
    """What people and model say. Shouted text is left out, so that capitals stay single letters
    and a small model can turn any name into capitals."""
    rng = random.Random(recipe.schedule.seed)
    manner = MANNERS[recipe.manner]
    for _ in range(conversations):
        for message in make_conversation(rng, manner).messages():
            text = message["content"]
            if not text.isupper():
                yield text
    yield from ["system", "user", "assistant", "\n\n"] * conversations


def save_tokenizer(tokenizer: Tokenizer, recipe: Recipe, folder: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json, whose EOS is the base model's."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(token)): {
                "content": token,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": token in recipe.special_tokens,
            }
            for token in recipe.added_tokens
        },
        "additional_special_tokens": list(recipe.special_tokens[1:]),
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": recipe.base_eos,
        "errors": "replace",
        "model_max_length": recipe.architecture["max_position_embeddings"],
        "pad_token": recipe.base_eos,
        "split_special_tokens": False,
        "tokenizer_class": recipe.tokenizer_class,
        "unk_token": None,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def _added(token: str, special: bool) -> AddedToken:
    return AddedToken(token, special=special, normalized=False)
