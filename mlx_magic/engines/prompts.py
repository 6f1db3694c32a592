"""The prompt of a turn: in the words of the model's chat template, and read in chunks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import mlx.core as mx

from ..errors import UsageProblem
from ..messages import Message
from ..options import GenerationOptions
from ..templates import render_prompt

if TYPE_CHECKING:
    from ..snapshot import Snapshot

# Tokens read at once. A cancel takes effect between chunks, so smaller is more responsive, and
# mlx-lm's own 2048 can take minutes on a CPU. There, larger is no faster; on a GPU it is, a little.
PREFILL_CHUNK_TOKENS = {mx.cpu: 128, mx.gpu: 512}


def render(
    snapshot: "Snapshot",
    tokenizer: Any,
    messages: Sequence[Message],
    options: GenerationOptions,
    *,
    renderer: Any = None,
    picture_mark: str | None = None,
    add_generation_prompt: bool = True,
) -> str:
    """The prompt text of a conversation.

    `tokenizer` is mlx-lm's wrapper; `renderer` has the template where the tokenizer hasn't it, and
    `picture_mark` is the token that stands for a picture. Raises `UsageProblem` for a model without
    a template or without the thinking that is asked for, and `TemplateRefused`.
    """
    renderer = renderer or tokenizer
    if not getattr(renderer, "chat_template", None) and not tokenizer.has_chat_template:
        raise UsageProblem(
            f"{snapshot.spec} has no chat template (a base model?); load its instruct version"
        )
    if options.think and not tokenizer.has_thinking:
        raise UsageProblem(f"{snapshot.spec} has no thinking mode; leave out --think")
    think = options.think
    if options.json_schema is not None:
        think = False  # the answer is to be JSON from its first token on
    extra = {} if think is None else {"enable_thinking": think}
    return render_prompt(
        renderer,
        [message.to_template() for message in messages],
        picture_mark=picture_mark,
        add_generation_prompt=add_generation_prompt,
        **extra,
    )


def require_context(snapshot: "Snapshot", prompt_tokens: int) -> None:
    """Raise `UsageProblem` when a prompt is longer than the model was made for."""
    most = context_tokens(snapshot.config)
    if most and prompt_tokens > most:
        raise UsageProblem(
            f"the prompt is {prompt_tokens:,} tokens and {snapshot.spec} reads {most:,}; "
            "shorten it, or start afresh with %%chat --new"
        )


def context_tokens(config: Mapping[str, Any]) -> int:
    """How many tokens the model was made for; 0 where its config doesn't say."""
    text = config.get("text_config")
    for part in (config, text if isinstance(text, Mapping) else {}):
        if isinstance(part.get("max_position_embeddings"), int):
            return int(part["max_position_embeddings"])
    return 0
