"""The reply card: what a model says is drawn, never run; facts are short and right."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_magic.errors import SnapshotBroken
from mlx_magic.events import GenerationStats, PrefillProgress
from mlx_magic.plain import plain_text
from mlx_magic.render import markdown
from mlx_magic.render.markdown import markdown_html
from mlx_magic.render.reply import place_in, reading_status, reply_bundle, reply_html, reply_text
from mlx_magic.reply import Reply

STATS = GenerationStats(
    prompt_tokens=45, cached_tokens=0, generation_tokens=14, ttft_seconds=0.0314, prompt_tps=1433,
    generation_tps=283.4, peak_memory_bytes=12 * 2**20, finish_reason="stop", seed=1, revision=None,
)  # fmt: skip
REPLY = Reply("Paris is **big**.", "qwen", (), stats=STATS)

ALLOWED = {
    "div", "p", "details", "summary", "span", "pre", "code", "em", "strong", "s", "a", "ul", "ol",
    "li", "blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td",
    "button", "h1", "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip
# The one handler there is: the copy button's, which holds nothing of what a model says.
OWN = {("button", *pair) for pair in re.findall(r'([\w-]+)="([^"]*)"', markdown._COPY)}
ATTRIBUTES = {"style", "class", "href", "title", "start", "open"}

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<svg onload=alert(1)></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "![beacon](http://127.0.0.1/x.png)",
    "![a][b]\n\n[b]: http://127.0.0.1/x.png",
    "[click](javascript:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "[click](vbscript:x)",
    "<javascript:alert(1)>",
    '[x](https://a.b "onmouseover=alert(1)")',
    "```python\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "```py onclick=alert(1)\nx\n```",
    "`<script>`",
    "</div></div><script>alert(1)</script>",
    '<button data-commandlinker-command="notebook:run-all">x</button>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "| <script> | x |\n|--|--|\n| <img src=x onerror=alert(1)> | y |",
    "<style>body{display:none}</style>",
    "a\x1b[31mred\x07 \u202egnp.exe",
]


class Checker(HTMLParser):
    """Notes every tag, attribute and link that is not among the harmless ones."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.bad.append(tag)
        for name, value in attrs:
            if (tag, name, value) in OWN:
                continue
            if name not in ATTRIBUTES:
                self.bad.append(name)
            if name == "href" and not (value or "").startswith(("http:", "https:", "mailto:", "#")):
                self.bad.append(f"href={value}")
            if name == "style" and ("url(" in (value or "") or "expression" in (value or "")):
                self.bad.append(f"style={value}")


def _bad(html: str) -> list[str]:
    checker = Checker()
    checker.feed(html)
    return checker.bad


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_a_model_says_can_run_or_load(payload: str) -> None:
    for reply in (
        replace(REPLY, text=payload),
        replace(REPLY, reasoning=payload),
        replace(REPLY, model=payload),
    ):
        for status in (None, "answering"):
            assert _bad(reply_html(reply, status)) == []


@given(st.text())
def test_no_text_whatever_gets_an_unknown_tag_onto_the_page(text: str) -> None:
    assert _bad(markdown_html(text)) == []


@given(st.text())
def test_plain_text_keeps_no_control_characters(text: str) -> None:
    assert not any(ord(c) < 32 and c not in "\n\t" for c in plain_text(text))
    assert "\x1b" not in reply_text(replace(REPLY, text=text, reasoning=text))


def test_markdown_is_drawn_and_code_is_coloured_by_the_theme() -> None:
    html = reply_html(replace(REPLY, text="**b**\n\n```python\ndef f(): pass\n```\n\n- x"))
    assert "<strong>b</strong>" in html and "<li>x</li>" in html
    assert "--jp-mirror-editor-keyword-color" in html


def test_each_code_block_has_a_button_that_copies_it_and_inline_code_has_none() -> None:
    html = reply_html(replace(REPLY, text="```python\nx = 1\n```\n\n    y\n\n`z`"))
    assert html.count("<button") == 1
    assert re.search(r"Copy</button><pre>.*</pre>\n</div>", html, re.DOTALL)
    assert markdown_html("```\n</pre><b>\n```").count("&lt;/pre&gt;") == 1


def test_the_card_says_who_answers_in_which_turn() -> None:
    html = reply_html(REPLY, place=place_in("default", 3))
    assert ">qwen</strong> · turn 3</div>" in html
    assert ">qwen</strong></div>" in reply_html(REPLY)
    assert place_in("sums", 1) == "sums, turn 1"
    assert "&lt;b&gt;" in reply_html(REPLY, place=place_in("<b>", 1))


@pytest.mark.parametrize("tex", ["\\[\nx\n=\n1\n\\]", "$$\n- a\n\n- b\n$$", "  \\[ x \\]  "])
def test_mathematics_on_lines_of_its_own_is_no_heading_and_no_list(tex: str) -> None:
    html = reply_html(replace(REPLY, text=f"so\n{tex}\nholds"))
    assert f'<p><span class="mathjax_process">{tex.strip()}</span></p>' in html
    assert "<h1" not in html and "<li" not in html and "<p>holds</p>" in html


@pytest.mark.parametrize(
    "tex",
    [
        r"$\href{https://example.org}{x}$",
        r'$\mmlToken{mglyph}[src="http://127.0.0.1/x"]{x}$',
        r"$\unicode[x;background:url(http://127.0.0.1)]{x41}$",
        r"$\csname href\endcsname{javascript:1}{x}$",
        "$\\hr%\nef{javascript:1}{x}$",
        r"$\\%\style{color:red}{x}$",
        r"$\begin{CD}a\end{CD}$",
        r"$\begin \href$",
        r"$\cancel[mathbackground=red]{x}$",
    ],
)
def test_tex_that_could_link_or_load_stays_its_source(tex: str) -> None:
    html = reply_html(replace(REPLY, text=f"so {tex} holds"))
    assert "mathjax_process" not in html


def test_tex_of_every_day_is_drawn() -> None:
    for tex in (r"$50\%$", r"$\begin{bmatrix}1&2\\3&4\end{bmatrix}$", r"$\left(\frac12\right)^*$"):
        assert "mathjax_process" in markdown_html(tex), tex


@pytest.mark.parametrize("url", ["blob:x", "jar:http://x!/", "command:x", "file:///etc", "//x.org"])
def test_links_lead_to_web_pages_and_mail_alone(url: str) -> None:
    assert "href" not in markdown_html(f"[x]({url})")
    assert 'href="https://x.org"' in markdown_html("[x](https://x.org)")


def test_halves_of_characters_are_shown_as_something_else() -> None:
    half = "\ud83d x"
    for text in reply_bundle(replace(REPLY, text=half, reasoning=half, model=half)).values():
        text.encode()
    str(SnapshotBroken(half)).encode()


def test_a_picture_is_named_and_not_loaded() -> None:
    assert "see [image: a cat] there" in markdown_html("see ![a cat](http://127.0.0.1/x) there")


def test_json_is_a_code_block_from_its_first_character_on() -> None:
    for text in ('{"a', '{"a": 1}'):
        assert "<pre>" in reply_html(replace(REPLY, text=text))
    assert "<pre>" not in reply_html(replace(REPLY, text="[1] says so"))


@pytest.mark.parametrize("text", ["$5 and $10", "costs $5-$10 a day", "a $ b $ c", r"\$5 and 3$"])
def test_money_is_not_mathematics(text: str) -> None:
    html = reply_html(replace(REPLY, text=text))
    assert "mathjax_ignore" in html and "mathjax_process" not in html


@pytest.mark.parametrize(
    "tex", [r"\(a_b * c_d\)", r"\[\int_0^1 x\,dx\]", r"$$a \\ b$$", "$x^2$", "\\[\na_b\n\\]"]
)
def test_mathematics_keeps_its_source_and_is_marked_for_mathjax(tex: str) -> None:
    html = reply_html(replace(REPLY, text=f"so {tex} holds"))
    assert f'so <span class="mathjax_process">{tex}</span> holds' in html
    assert "mathjax_process" not in reply_html(replace(REPLY, text=f"`{tex}`"))


def test_the_footer_tells_the_speed_the_wait_and_the_memory() -> None:
    assert reply_text(REPLY).splitlines()[-1] == (
        "[qwen · 14 tokens · 283 tok/s · first token after 31 ms · peak 12.0 MiB]"
    )
    reused = replace(REPLY, stats=replace(STATS, cached_tokens=40))
    assert "40 of 45 prompt tokens reused" in reply_text(reused)
    cut = replace(REPLY, stats=replace(STATS, finish_reason="length"))
    assert "cut off at 14 tokens; raise --max-tokens" in reply_text(cut)
    single = replace(REPLY, stats=replace(STATS, generation_tokens=1, generation_tps=0.0))
    assert "1 token · first token" in reply_text(single)


def test_an_interrupted_reply_is_marked_even_without_stats() -> None:
    broken = Reply("Par", "qwen", (), interrupted=True)
    assert reply_text(broken) == "Par\n\n[qwen · interrupted]"
    assert "interrupted" in reply_html(broken)


def test_reasoning_is_folded_away_once_there_is_an_answer() -> None:
    thinking = Reply("", "qwen", (), reasoning="hm")
    assert "<details open>" in reply_html(thinking, "answering")
    assert "<details>" in reply_html(replace(thinking, text="4"), "answering")
    assert "<details>" in reply_html(replace(thinking, text="4", stats=STATS))
    assert reply_text(replace(thinking, text="4")).startswith("[reasoning]\nhm\n[answer]\n4")


def test_the_status_says_what_an_unfinished_reply_is_doing() -> None:
    assert reading_status(None) == "waiting for its turn …"
    assert reading_status(PrefillProgress(0, 40)) == "reading the prompt …"
    assert reading_status(PrefillProgress(40, 40)) == "answering …"
    progress = PrefillProgress(512, 2048)
    assert reading_status(progress) == "reading the prompt, 512 of 2,048 tokens …"
    assert reply_text(Reply("", "q", ()), "answering …") == "[q · answering …]"


def test_plain_text_stands_beside_html() -> None:
    assert set(reply_bundle(REPLY)) == {"text/html", "text/plain"}
