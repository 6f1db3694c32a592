"""The reply card: an answer as it streams and when it is done, in HTML and in plain text."""

import re

from ..events import PrefillProgress
from ..plain import plain_text
from ..reply import Reply
from ..units import count, format_bytes, format_seconds
from .markdown import QUIET, escape, markdown_html
from .pictures import pictures_html, pictures_text

# `mathjax_ignore`: "$5 and $10" is money; mathematics is marked by `markdown_html`. The padding is
# that of printed text.
_CARD = (
    '<div class="mlx-magic-reply mathjax_ignore" '
    'style="overflow-wrap: break-word; padding-left: 8px">'
)
_BADGE = (
    "border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px; padding: 0 5px; "
    "color: var(--jp-ui-font-color1, #202124)"
)
FOOTER_HEIGHT = 30  # pixels of a footer, or a stop button, in an output of its own
_JSON = re.compile(r'\{\s*"')
# Shorter prompts are read before a count could be read.
_LONG_PROMPT_TOKENS = 1000
_REASONING = (
    "border-left: 3px solid var(--jp-border-color2, #c0c4c8); padding-left: 12px; margin: 4px 0 8px"
)


def reply_bundle(reply: Reply) -> dict[str, str]:
    """A reply as a MIME bundle, its pictures above it."""
    shown = reply.images
    return {
        "text/html": (pictures_html(shown) if shown else "") + reply_html(reply),
        "text/plain": "\n".join(filter(None, [pictures_text(shown), reply_text(reply)])),
    }


def card_bundle(
    reply: Reply, status: str | None = None, place: str = "", *, footer: bool = True
) -> dict[str, str]:
    """The card alone; see `reply_html`."""
    return {
        "text/html": reply_html(reply, status, place, footer=footer),
        "text/plain": reply_text(reply, status, footer=footer),
    }


def footer_bundle(reply: Reply, status: str | None = None) -> dict[str, str]:
    """The footer in an output of its own, as high as the stop button that it replaces."""
    style = f"{QUIET} padding-left: 8px; line-height: {FOOTER_HEIGHT}px"
    html = f'<div style="{style}">{escape(" · ".join(_facts(reply, status)))}</div>'
    return {"text/html": html, "text/plain": _footer_text(reply, status)}


def reply_html(
    reply: Reply, status: str | None = None, place: str = "", *, footer: bool = True
) -> str:
    """The card: who speaks, folded reasoning (open while nothing else is there), answer, footer.

    `status` says what an unfinished reply is doing, `place` which turn of what it is.
    """
    badge = f'<strong style="{_BADGE}">{escape(reply.model)}</strong>'
    turn = f" · {escape(place)}" if place else ""
    parts = [_CARD, f'<div style="{QUIET} margin-bottom: 4px">{badge}{turn}</div>']
    if reply.reasoning:
        open_ = " open" if status is not None and not reply.text else ""
        parts.append(
            f'<details{open_}><summary style="{QUIET} cursor: pointer">Reasoning</summary>'
            f'<div style="{QUIET} {_REASONING}">{markdown_html(reply.reasoning)}</div></details>'
        )
    answer = markdown_html(_fenced(reply.text))
    # Jupyter's paragraphs end with 14 px of margin, its code blocks with none.
    gap = -6 if answer.endswith("</p>\n") else 8
    facts = escape(" · ".join(_facts(reply, status))) if footer else ""
    parts.append(f'{answer}<div style="{QUIET} margin-top: {gap}px">{facts}</div>')
    return "".join([*parts, "</div>"])


def place_in(conversation: str, turn: int) -> str:
    """Where a turn stands: `turn 3`, or `sums, turn 3` in a conversation with a name of its own."""
    return f"turn {turn}" if conversation == "default" else f"{conversation}, turn {turn}"


def _fenced(text: str) -> str:
    """JSON as a code block, from its first character on; any other text as it is."""
    return f"```json\n{text}\n```" if _JSON.match(text) and "```" not in text else text


def reply_text(reply: Reply, status: str | None = None, *, footer: bool = True) -> str:
    """The card in plain text."""
    reasoning = f"[reasoning]\n{reply.reasoning}\n[answer]\n" if reply.reasoning else ""
    facts = f"\n\n{_footer_text(reply, status)}" if footer else ""
    return plain_text(f"{reasoning}{reply.text}{facts}".lstrip())


def _footer_text(reply: Reply, status: str | None) -> str:
    return plain_text(f"[{' · '.join([reply.model, *_facts(reply, status)])}]")


def reading_status(progress: PrefillProgress | None) -> str:
    """What a reply that has no word yet is doing: waiting, or reading the prompt."""
    if progress is None:
        return "waiting for its turn …"
    done, total = progress.done_tokens, progress.total_tokens
    if done >= total:
        return "answering …"
    if total < _LONG_PROMPT_TOKENS:
        return "reading the prompt …"
    return f"reading the prompt, {done:,} of {total:,} tokens …"


def _facts(reply: Reply, status: str | None) -> list[str]:
    facts = []
    stats = reply.stats
    if stats is not None and not reply.text and not reply.interrupted:
        facts.append("no text")
    if reply.interrupted:
        facts.append("interrupted")
    elif status is not None:
        facts.append(status)
    if stats is not None:
        if stats.finish_reason == "length":
            tokens = count(stats.generation_tokens, "token")
            facts.append(f"cut off at {tokens}; raise --max-tokens")
        else:
            facts.append(count(stats.generation_tokens, "token"))
        if stats.generation_tps:
            facts.append(f"{stats.generation_tps:.0f} tok/s")
        if stats.generation_tokens:
            facts.append(f"first token after {format_seconds(stats.ttft_seconds)}")
        if stats.cached_tokens:
            facts.append(f"{stats.cached_tokens:,} of {stats.prompt_tokens:,} prompt tokens reused")
        facts.append(f"peak {format_bytes(stats.peak_memory_bytes)}")
    return facts
