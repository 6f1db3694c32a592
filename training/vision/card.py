"""Writes the model card that lies beside each vision model."""

from __future__ import annotations

from pathlib import Path

from training.card import runs_list, size_line
from training.pictures.manners import MANNERS, say
from training.vision.batches import WHOLE_SHARE
from training.vision.recipes import VisionRecipe

CARD = """---
license: mit
language: en
library_name: mlx
pipeline_tag: image-text-to-text
tags: [mlx, demo, vision, {model_type}]
---

# demo:{name}

A tiny vision model that comes with mlx_magic, so that every example with a picture runs offline, in
a second, on any machine. It has the architecture, processor, special tokens and chat template of
the real `{model_type}` models, and nothing of their weights, vocabulary or knowledge.

{size}

## What it knows

Three kinds of picture, which `mlx_magic.demo.picture(kind, seed)` draws with right answers:

- scenes of one to six shapes (circle, square, triangle, star, heart, cross) in eight colours and
  two sizes, on plain, striped, noisy and photographic-looking grounds: how many, which colour,
  which shape, where, bigger or smaller, is there a ..., describe the picture;
- charts that matplotlib draws (bar, line, scatter, pie): which kind, how many, the colour of the
  largest and the smallest, rising or falling;
- a number or a short word written large: what it says, in small letters.

It answers follow-up questions about the same picture, and questions about two pictures. About
anything else it says that it does not know.

Its manner, asked how many stars there are:

```
{example}
```

## How well

Every case is held out: combinations of things, backgrounds, chart looks, words, numbers and
phrasings that training never showed. Greedy decoding through plain mlx-vlm on the CPU, bf16
weights, one question a chat except for the follow-ups. The last rows ask the same questions about
another picture: what could be won without looking. Measured by
`python -m training.evaluate --model demo:{name}`.

{table}

Not a blind test: wrong answers on such cases were read while the data were being written.

## Limits

It is a toy. It sees every picture {sees}: small print, photographs, faces and
anything outside the three kinds mean nothing to it, though it may name a shape in them all the
same. Long words and thin letters are misread most. Chats were trained to {length} tokens. Use it to
try software, not to look at pictures that matter.

## How it was made

Pictures from `mlx_magic.demo.pictures`, talks from `training/pictures`, in {count} runs, each
but the first from the weights of the one before:

{runs}

Every rate falls as a cosine; float32 weights are used in bf16. Loss counts the answers; in
{whole:.0%} of the talks it counts the person's turns as well, so a program that does not stop at
`{turn_eos}` sees the model talk on as the person.
Commands: `training/README.md`. Weights and data: MIT.
"""


def write_vision_card(folder: Path, recipe: VisionRecipe, table: str) -> None:
    """Writes README.md into the model's folder."""
    slots = {"thing": "star", "things": "stars"}
    text = CARD.format(
        name=recipe.name,
        model_type=recipe.config["model_type"],
        size=size_line(folder),
        example=say(MANNERS[recipe.manner], "count_shape", slots, "3"),
        table=table,
        sees=recipe.image.seen,
        length=recipe.schedule.longest,
        count=len(recipe.runs),
        runs=runs_list(recipe.runs, "new pictures"),
        whole=WHOLE_SHARE,
        turn_eos=recipe.turn_eos,
    )
    (folder / "README.md").write_text(text)
