"""Writes the model card that lies beside each demo model."""

from __future__ import annotations

from pathlib import Path

from training.recipes import Recipe

CARD = """---
license: mit
language: en
library_name: mlx
tags: [mlx, demo, {model_type}]
---

# demo:{name}

A tiny chat model that comes with mlx_magic, so that every example runs offline, in a second, on any
machine. It has the architecture, special tokens, chat template and stop-token habits of the real
`{model_type}` models, and nothing of their weights, vocabulary or knowledge.

{size}

## What it knows

Sums and differences of two numbers to 99; the capitals of sixty countries; the colours and legs
of thirty animals; a name or a number that you gave it earlier in the chat; to answer in capital
letters when the system prompt asks for it; little stories of three sentences about what you wish
for; greetings and thanks. About anything else it says politely that it does not know.

## How well

Every case is held out: pairs of numbers, phrasings, names, topics, system prompts and story wishes
that training never showed. Greedy decoding through plain mlx-lm on the CPU, bf16 weights, thinking
switched off in the prompt of half the cases; half of most kinds come after other turns. Measured by
`python -m training.evaluate --model demo:{name}`.

{table}

Not a blind test: wrong answers on such cases were read while the data were being written, and the
shipped weights were chosen by this table.

## Limits

It is a toy. It knows no language but English, no country beyond its sixty, no animal beyond its
thirty, no multiplication, no number over 99 in sums. Some questions outside its world are close
enough to one inside that it answers, wrongly and surely. Names typed in one case and asked for in
the other are sometimes misspelt, and so is a story's hero that it never met, when all is typed in
capitals (the story cases above leave that out, as training did). Long noise makes it loop. It does
not reason yet: with thinking on it answers at once. Chats were trained to 1,024 tokens. Use it to
try software, not to learn facts.

## How it was made

Synthetic conversations from `training/world`, {tokens} tokens in {steps:,} steps of {batch:,},
AdamW with a cosine from {rate:g}, float32 weights used in bf16, seed {seed}. Loss counts the
answers; in {whole:.0%} of the conversations it counts the person's turns as well, so a program that
stops only at `{base_eos}` and not at `{turn_eos}` sees the model talk on as the person, as with the
real family.
Commands: `training/README.md`. Weights and data: MIT.
"""


def write_card(folder: Path, recipe: Recipe, table: str) -> None:
    """Writes README.md into the model's folder."""
    from training.batches import WHOLE_SHARE

    plan = recipe.schedule
    batch = plan.rows * plan.row_tokens
    text = CARD.format(
        name=recipe.name,
        model_type=recipe.architecture["model_type"],
        size=_size(folder),
        table=table,
        tokens=f"{batch * plan.steps / 1e6:,.0f} million",
        steps=plan.steps,
        batch=batch,
        rate=plan.learning_rate,
        seed=plan.seed,
        whole=WHOLE_SHARE,
        base_eos=recipe.base_eos,
        turn_eos=recipe.turn_eos,
    )
    (folder / "README.md").write_text(text)


def _size(folder: Path) -> str:
    import mlx.core as mx

    file = folder / "model.safetensors"
    weights = mx.load(str(file))
    assert isinstance(weights, dict)
    count = sum(value.size for value in weights.values())
    return f"{count:,} parameters in bf16, {file.stat().st_size:,} bytes of weights."
