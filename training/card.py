"""Writes the model card that lies beside each demo model and adapter."""

from __future__ import annotations

from pathlib import Path

from training.recipes import RECIPES, Recipe, Run
from training.world import MANNERS

CARD = """---
license: mit
language: en
library_name: mlx
tags: [mlx, demo, {model_type}]
---

# demo:{name}

A tiny chat model that comes with mlx_magic, so that every example runs offline, in a second, on any
machine. It has the architecture, special tokens, chat template and stop-token habits of the real
{family} models, and nothing of their weights, vocabulary or knowledge.

{size}

## Habits

{habits}

Its manner, asked for the capital of France:

```
{example}
```

## What it knows

Sums and differences of two numbers to 99; the capitals of sixty countries; the colours and legs
of thirty animals; a name or a number that you gave it earlier in the chat; to answer in capital
letters when the system prompt asks for it; little stories of three sentences about what you wish
for; greetings and thanks. About anything else it says politely that it does not know.

## How well

Every case is held out: pairs of numbers, phrasings (new ones of words that it knows, drawn by a
rule), names, topics, system prompts and story wishes that training never showed. Greedy decoding
through plain mlx-lm on the CPU, bf16 weights{switch}; half of most kinds come after other turns.
Measured by
`python -m training.evaluate --model demo:{name}`.

{table}

Not a blind test: wrong answers on such cases were read while the data were being written.

## Limits

It is a toy. It knows no language but English, no country beyond its sixty, no animal beyond its
thirty, no multiplication, no number over 99 in sums. Some questions outside its world are close
enough to one inside that it answers, wrongly and surely. Names typed in one case and asked for in
the other are sometimes misspelt, and so is a story's hero that it never met, when all is typed in
capitals (the story cases above leave that out, as training did). Long noise makes it loop. Chats
were trained to 1,024 tokens. Use it to try software, not to learn facts.

## How it was made

Synthetic conversations from `training/world`, {tokens} tokens in {count} runs, each but the
first from the weights of the one before and on a wider world:

{runs}

Every rate falls as a cosine; float32 weights are used in bf16. Loss counts the
answers; in {whole:.0%} of the conversations it counts the person's turns as well, so a program that
does not stop at `{turn_eos}` sees the model talk on as the person, as with the real family.
Commands: `training/README.md`. Weights and data: MIT.
"""

SWITCH = ",\nthinking switched off in the prompt of half the cases"

ADAPTER_CARD = """---
license: mit
language: en
library_name: mlx
base_model: demo:{base}
tags: [mlx, demo, lora]
---

# {name}: a LoRA adapter for demo:{base}

{knows}: the same facts in another voice. Trained with mlx-lm's own LoRA code; the two files are
those that `mlx_lm.lora` writes, the weights ({size:,} bytes) in bf16.

Asked for the capital of France:

```
{example}
```

## How well

Held-out cases, greedy decoding through plain mlx-lm on the CPU. An answer is right when every word
of it is; it is in character when it sounds like the voice, right or wrong.

{table}

Limits: those of demo:{base}. Commands: `training/README.md`. Weights and data: MIT.
"""


def write_text_card(folder: Path, recipe: Recipe, table: str) -> None:
    """Writes README.md into the model's folder."""
    from training.batches import WHOLE_SHARE

    text = CARD.format(
        name=recipe.name,
        family=recipe.family,
        model_type=recipe.architecture["model_type"],
        habits=recipe.habits,
        example=_example(recipe.manner),
        switch=SWITCH if recipe.chat_format.no_think else "",
        size=size_line(folder),
        table=table,
        tokens=f"{sum(run.steps * run.batch for run in recipe.runs) / 1e6:,.0f} million",
        count=len(recipe.runs),
        runs=runs_list(recipe.runs, "tokens"),
        whole=WHOLE_SHARE,
        turn_eos=recipe.turn_eos,
    )
    (folder / "README.md").write_text(text)


def write_adapter_card(name: str, folder: Path, table: str) -> None:
    """Writes README.md into an adapter's folder."""
    from training.lora import VOICES

    voice = VOICES[name]
    example = _example(voice.manner)
    text = ADAPTER_CARD.format(
        name=name,
        base=RECIPES[voice.base].name,
        knows=voice.knows.capitalize(),
        size=(folder / "adapters.safetensors").stat().st_size,
        example=example.upper() if voice.capitals else example,
        table=table,
    )
    (folder / "README.md").write_text(text)


def runs_list(runs: tuple[Run, ...], unit: str) -> str:
    """Each run in a line of a list; `unit` is what a batch holds."""
    return "\n".join(
        f"- {run.steps:,} steps of {run.batch:,} {unit}, {_rates(run)}, seed {run.seed}"
        f"{_start(run)}"
        for run in runs
    )


def _start(run: Run) -> str:
    parts = " and ".join(f"{share:g} of run {number}" for number, share in run.average)
    return f", from the average of {parts}" if parts else ""


def _rates(run: Run) -> str:
    muon = f"Muon from {run.muon_rate:g}, " if run.muon_rate else ""
    return f"{muon}AdamW from {run.learning_rate:g}"


def _example(manner: str) -> str:
    return MANNERS[manner].capital.format(country="France", capital="Paris")


def size_line(folder: Path) -> str:
    import mlx.core as mx

    file = folder / "model.safetensors"
    weights = mx.load(str(file))
    assert isinstance(weights, dict)
    count = sum(value.size for value in weights.values())
    return f"{count:,} parameters in bf16, {file.stat().st_size:,} bytes of weights."
