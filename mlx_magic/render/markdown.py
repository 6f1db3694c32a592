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
from .tex import is_safe

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

# Characters that a lexer gets to see; Pygments' for Java is quadratic in prose.
_LONGEST_CODE = {"java": 1_500}

# The style of what stands beside the answer: footers, notes.
QUIET = "color: var(--jp-ui-font-color2, #5f6368); font-size: 0.86em;"

# Copies the code beside it. Nothing of what a model says is in it; a page that lets no handler
# run keeps a button without effect.
_COPY = (
    '<button type="button" title="Copy the code" onclick="'
    "const own=this,all=getSelection();all.selectAllChildren(own.nextElementSibling);"
    "document.execCommand('copy');all.removeAllRanges();own.textContent='Copied';"
    "setTimeout(()=>{own.textContent='Copy'},1500)"
    '" style="position: absolute; top: 4px; right: 4px; cursor: pointer; padding: 1px 6px; '
    "font-size: 0.8em; border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px; "
    "color: var(--jp-ui-font-color1, #202124); background: var(--jp-layout-color1, #fff)"
    '">Copy</button>'
)

# TeX in a text: \(…\), \[…\], $$…$$, and $…$ by pandoc's rule, which leaves "$5 and $10" alone.
_MATH = re.compile(
    r"\\\(.{1,999}?\\\)|\\\[.{1,999}?\\\]|\$\$.{1,999}?\$\$"  # bounded: no text takes for ever
    r"|\$(?![\s$])[^$\n]{0,999}?(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
_LINK = re.compile(r"(https?|mailto):|#", re.IGNORECASE)
_MATH_BLOCK = re.compile(r"\\\[.{1,999}?\\\]|\$\$.{1,999}?\$\$", re.DOTALL)


def escape(text: str) -> str:
    """Text for any place in HTML, attributes included."""
    return html.escape(plain_text(text), quote=True)


def no_math(html: str) -> str:
    """HTML that MathJax leaves alone: a name may look like TeX."""
    return f'<div class="mathjax_ignore">{html}</div>'


def markdown_html(text: str) -> str:
    """Model text, as Markdown, as HTML in which nothing can run or be loaded."""
    return str(_renderer().render(plain_text(text)))


@functools.cache
def _renderer() -> MarkdownIt:
    options = {"html": False, "linkify": False, "highlight": _highlight}
    renderer = MarkdownIt("js-default", options)
    drawing: Any = renderer.renderer
    fence = drawing.rules["fence"]
    renderer.add_render_rule("fence", lambda _, *block: _with_copy(fence(*block)))
    renderer.validateLink = lambda url: _LINK.match(url) is not None  # type: ignore[method-assign]
    renderer.add_render_rule("image", _image_text)
    renderer.add_render_rule("math", _math_source)
    renderer.add_render_rule("math_block", _math_source)
    renderer.block.ruler.before("code", "math_block", _math_block, {"alt": ["paragraph"]})
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


def _math_block(state: Any, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule: TeX that has its lines to itself, where "=" would make a heading of it."""
    begin = state.bMarks[start_line] + state.tShift[start_line]
    found = _MATH_BLOCK.match(state.src, begin)
    if found is None:
        return False
    last_line = start_line + found[0].count("\n")
    if last_line >= end_line or state.src[found.end() : state.eMarks[last_line]].strip():
        return False
    if not silent:
        state.push("math_block", "", 0).content = found[0]
        state.line = last_line + 1
    return True


def _math_source(_renderer: Any, tokens: Any, index: int, *_: Any) -> str:
    """The TeX as it is; Jupyter's MathJax draws it (the card around it is kept from MathJax)."""
    source = html.escape(tokens[index].content)
    if is_safe(tokens[index].content):
        source = f'<span class="mathjax_process">{source}</span>'
    return f"<p>{source}</p>\n" if tokens[index].type == "math_block" else source


def _with_copy(block: str) -> str:
    """A code block with its button; the block's own text is what the button copies."""
    return f'<div style="position: relative">{_COPY}{block}</div>\n'


def _image_text(_renderer: Any, tokens: Any, index: int, *_: Any) -> str:
    """A picture that a model points to is named and not loaded: it might be a beacon."""
    return html.escape(f"[image: {tokens[index].content}]")


def _highlight(code: str, language: str, _attributes: str) -> str:
    """The inside of a code block; escaped plain text for an unknown language."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    # A lexer is a handful of regexes: some take seconds for a long text that is no such code.
    if len(code) > _LONGEST_CODE.get(language.lower(), 20_000):
        return html.escape(code)
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
