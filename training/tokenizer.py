"""Builds a demo model's tokenizer: pieces learnt from texts, around the family's own tokens.

It knows no recipe: a `TokenizerPlan` says what the family's real tokenizer is like.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

# SentencePiece's sign for a space, and how text is cut before pieces are learnt: a word with its
# space, one digit, marks. Learnt pieces cross no such cut, so numbers stay single digits.
SPACE = "▁"
WORDS = rf"{SPACE}?\p{{L}}+|\p{{N}}|{SPACE}|[^{SPACE}\p{{L}}\p{{N}}\s]+|\s"
BYTES = tuple(f"<0x{value:02X}>" for value in range(256))
ALPHABET = [SPACE, *map(chr, range(33, 127))]


@dataclass(frozen=True)
class TokenizerPlan:
    """What a family's tokenizer is like.

    `style` is "byte" (pairs of bytes; the added tokens' ids follow the pairs') or "sentencepiece"
    (pairs of letters with single bytes to fall back on; the added tokens come first). Plain tokens
    survive decoding. `pattern` cuts text in byte style; `compose` brings it to Unicode's form NFC
    first; `prefix_space` puts a space before a text that has none, in sentencepiece style.
    `extra_special_tokens` names tokens for a processor, as in {"image_token": "<image>"};
    `additional_special_tokens` is the list of that name in tokenizer_config.json.
    """

    style: str
    vocabulary_size: int
    special_tokens: tuple[str, ...]
    tokenizer_class: str
    eos_token: str
    plain_tokens: tuple[str, ...] = ()
    bos_token: str | None = None
    pad_token: str | None = None
    unk_token: str | None = None
    pattern: str = ""
    compose: bool = False
    add_bos_token: bool = False
    prefix_space: bool = False
    extra_special_tokens: dict[str, str] = field(default_factory=dict)
    additional_special_tokens: tuple[str, ...] = ()

    @property
    def added_tokens(self) -> tuple[str, ...]:
        """The added tokens in the order of their ids."""
        return self.special_tokens + self.plain_tokens


def build_tokenizer(plan: TokenizerPlan, texts: Iterable[str]) -> Tokenizer:
    """The tokenizer of a plan, learnt from texts; any text survives it."""
    make = {"byte": _byte_pairs, "sentencepiece": _letter_pairs}[plan.style]
    tokenizer = make(plan, texts)
    tokenizer.add_tokens([_added(token, special=True) for token in plan.special_tokens])
    tokenizer.add_tokens([_added(token, special=False) for token in plan.plain_tokens])
    if plan.add_bos_token and plan.bos_token:
        opening = processors.TemplateProcessing(
            single=[plan.bos_token, "$A"],
            pair=[plan.bos_token, "$A", f"{plan.bos_token}:1", "$B:1"],
            special_tokens=[(plan.bos_token, tokenizer.token_to_id(plan.bos_token))],
        )
        before = tokenizer.post_processor
        tokenizer.post_processor = processors.Sequence([before, opening]) if before else opening
    return tokenizer


def _byte_pairs(plan: TokenizerPlan, texts: Iterable[str]) -> Tokenizer:
    """Pairs of bytes. Single digits are learnt even where the family's pattern joins three, and
    no pair joins a word to a quote or an underscore before it: a name keeps its pieces in JSON."""
    tokenizer = Tokenizer(models.BPE())
    if plan.compose:
        tokenizer.normalizer = normalizers.NFC()
    cut = pre_tokenizers.Split(Regex(plan.pattern), behavior="isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    joined = pre_tokenizers.Split(Regex(r'["_](?=\p{L})'), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, digits, joined, as_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=plan.vocabulary_size - len(plan.added_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, as_bytes])
    return tokenizer


def _letter_pairs(plan: TokenizerPlan, texts: Iterable[str]) -> Tokenizer:
    """Pairs of letters; a letter without a piece of its own falls to its bytes."""
    first = (*plan.added_tokens, *BYTES)
    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Replace(" ", SPACE)
    learner.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), behavior="isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=plan.vocabulary_size - len(first),
        initial_alphabet=ALPHABET,
        limit_alphabet=len(ALPHABET),
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learnt: dict[str, Any] = json.loads(learner.to_str())["model"]
    pieces = [*first, *sorted(learnt["vocab"], key=learnt["vocab"].__getitem__)]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={piece: number for number, piece in enumerate(pieces)},
            merges=[(left, right) for left, right in learnt["merges"]],
            unk_token=plan.unk_token,
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    decoder = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    if plan.prefix_space:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, "first", split=False)
        decoder.append(decoders.Strip(" ", 1, 0))
    else:
        tokenizer.normalizer = normalizers.Replace(" ", SPACE)
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence(decoder)
    return tokenizer


def save_tokenizer(
    tokenizer: Tokenizer, plan: TokenizerPlan, folder: Path, max_length: int
) -> None:
    """Writes tokenizer.json and tokenizer_config.json, whose EOS is the base model's."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "add_bos_token": plan.add_bos_token,
        "add_prefix_space": plan.prefix_space,
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(token)): {
                "content": token,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": token in plan.special_tokens,
            }
            for token in plan.added_tokens
        },
        "additional_special_tokens": list(plan.additional_special_tokens),
        "bos_token": plan.bos_token,
        "clean_up_tokenization_spaces": False,
        "eos_token": plan.eos_token,
        "errors": "replace",
        "extra_special_tokens": plan.extra_special_tokens,
        "model_max_length": max_length,
        "pad_token": plan.pad_token,
        "split_special_tokens": False,
        "tokenizer_class": plan.tokenizer_class,
        "unk_token": plan.unk_token,
        **plan.extra_special_tokens,
    }
    for name in ("additional_special_tokens", "extra_special_tokens"):
        if not config[name]:
            del config[name]
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def _added(token: str, special: bool) -> AddedToken:
    return AddedToken(token, special=special, normalized=False)
