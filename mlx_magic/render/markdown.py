"""Untrusted text as safe HTML: Markdown without HTML or images, and plain text without escapes.

A fresh output is trusted by Jupyter, so whatever a model writes would run if it reached the page
as HTML. markdown-it escapes HTML here and loads no pictures; nothing else is let through.
"""

import functools
import html
import re
from typing import Any

from markdown_it import MarkdownIt

from ..plain import plain_text

# Pygments token -> a CSS variable of JupyterLab (so that code follows the theme; its own comment
# and meta colours have too little contrast) and a colour for where there are no variables.
_COLOURS = (
    ("Token.Comment", "content-font-color2", "#4f6f6f"),
    ("Token.Keyword", "mirror-editor-keyword-color", "#006b00"),
    ("Token.Literal.String", "mirror-editor-string-color", "#a31515"),
    ("Token.Literal.Number", "mirror-editor-number-color", "#005f5f"),
    ("Token.Name.Builtin", "mirror-editor-builtin-color", "#006b00"),
    ("Token.Name.Function", "mirror-editor-def-color", "#0000c0"),
    ("Token.Name.Class", "mirror-editor-def-color", "#0000c0"),
    ("Token.Name.Decorator", "mirror-editor-operator-color", "#7a2fb5"),
    ("Token.Operator.Word", "mirror-editor-keyword-color", "#006b00"),
)

# The style of what stands beside the answer: footers, notes.
QUIET = "color: var(--jp-ui-font-color2, #5f6368); font-size: 0.86em;"


# TeX in a text: \(…\), \[…\], $$…$$, and $…$ by pandoc's rule, which leaves "$5 and $10" alone.
_MATH = re.compile(
    r"\\\(.{1,999}?\\\)|\\\[.{1,999}?\\\]|\$\$.{1,999}?\$\$"  # bounded: no text takes for ever
    r"|\$(?![\s$])[^$\n]{0,999}?(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
# What MathJax makes links, styles or further packages of stays undrawn.
_UNSAFE_TEX = re.compile(r"\\(href|url|require|style|class|cssId|data|html|def|let|newcommand)")


def escape(text: str) -> str:
    """Text for any place in HTML, attributes included."""
    return html.escape(plain_text(text), quote=True)


def markdown_html(text: str) -> str:
    """Model text, as Markdown, as HTML in which nothing can run or be loaded."""
    return str(_renderer().render(plain_text(text)))


@functools.cache
def _renderer() -> MarkdownIt:
    options = {"html": False, "linkify": False, "highlight": _highlight}
    renderer = MarkdownIt("js-default", options)
    renderer.add_render_rule("image", _image_text)
    renderer.add_render_rule("math", _math_source)
    renderer.inline.ruler.before("escape", "math", _math)
    return renderer


def _math(state: Any, silent: bool) -> bool:
    """Inline rule of markdown-it: TeX is no Markdown."""
    found = _MATH.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("math", "", 0).content = found[0]
    state.pos = found.end()
    return True


def _math_source(_renderer: Any, tokens: Any, index: int, *_: Any) -> str:
    """The TeX as it is; Jupyter's MathJax draws it (the card around it is kept from MathJax)."""
    source = html.escape(tokens[index].content)
    if _UNSAFE_TEX.search(tokens[index].content):
        return source
    return f'<span class="mathjax_process">{source}</span>'


def _image_text(_renderer: Any, tokens: Any, index: int, *_: Any) -> str:
    """A picture that a model points to is named and not loaded: it might be a beacon."""
    return html.escape(f"[image: {tokens[index].content}]")


def _highlight(code: str, language: str, _attributes: str) -> str:
    """The inside of a code block; escaped plain text for an unknown language."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return html.escape(code)
    return "".join(_coloured(str(kind), text) for kind, text in lexer.get_tokens(code))


def _coloured(kind: str, text: str) -> str:
    for prefix, variable, fallback in _COLOURS:
        if kind.startswith(prefix):
            colour = f"var(--jp-{variable}, {fallback})"
            return f'<span style="color: {colour}">{html.escape(text)}</span>'
    return html.escape(text)
