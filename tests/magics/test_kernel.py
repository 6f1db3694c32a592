"""The magics in a real kernel: load, chat, stream, errors, interrupt, unload."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernel import Kernel, Output

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel(tiny: dict[str, Path]) -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.ok("%load_ext mlx_magic")
        for name in ("llama", "qwen", "slow"):
            kernel.ok(f"%load_model {tiny[name]} --as {name}")
        yield kernel


def test_a_load_prints_one_line(kernel: Kernel, tiny: Any) -> None:
    line = kernel.ok(f"%load_model {tiny['gemma']} --as g --pin").text
    assert line.startswith("g · gemma text model · 52.8 KiB · loaded in ")
    assert line.endswith(" · pinned\n") and line.count("\n") == 1
    assert "already loaded" in kernel.ok(f"%load_model {tiny['gemma']} --as g").text
    kernel.ok("%unload_model g")


def test_a_long_answer_takes_less_than_a_megabyte_on_the_wire(kernel: Kernel) -> None:
    output = kernel.ok("%%chat llama --new --max-tokens 1500\nHello")
    assert "1,500 tokens" in output.card and len(output.displays) >= 3
    assert output.bytes < 1_000_000 and output.messages < 600, (output.bytes, output.messages)


def test_an_answer_streams_in_one_display_and_ends_in_a_footer(kernel: Kernel) -> None:
    output = kernel.ok("%%chat slow --new --max-tokens 100 -o r\nHello")
    final = output.displays[-1]
    assert set(final) == {"text/html", "text/plain"}
    assert "slow · cut off at 100 tokens; " in output.card and "tok/s" in final["text/html"]
    assert sum("tok/s" in shown["text/plain"] for shown in output.displays) == 1
    assert kernel.ok("print(r.stats.generation_tokens, type(r).__name__)").text == "100 Reply\n"
    assert kernel.ok("r").card == output.card
    assert kernel.ok("r").displays[0]["text/html"].startswith('<div class="mlx-magic-reply')


def test_updates_are_fewer_than_ten_a_second_however_fast_the_tokens(kernel: Kernel) -> None:
    output = kernel.ok("%%chat slow --new --max-tokens 300\nHello")
    # one at the first sign of life, one at the first word and one at the end come out of turn
    assert 4 <= len(output.displays) <= 10 * output.seconds + 3


def test_two_residents_answer_each_in_its_own_words(kernel: Kernel) -> None:
    def said(name: str) -> str:
        return kernel.ok(f"%%chat {name} --new --max-tokens 12\nHello").card.split("\n\n[")[0]

    first = {name: said(name) for name in ("llama", "qwen")}
    assert first["llama"] != first["qwen"]
    assert {name: said(name) for name in ("qwen", "llama")} == first


def test_without_a_name_the_last_used_answers(kernel: Kernel) -> None:
    kernel.ok("%%chat qwen --max-tokens 2\nHello")
    assert "[qwen · " in kernel.ok("%%chat --max-tokens 2\nHello").card


def test_a_conversation_goes_on_and_a_cell_that_runs_again_goes_back(kernel: Kernel) -> None:
    def users() -> Any:
        code = (
            "import mlx_magic as mm\n"
            "print([t.user.text for t in mm.session().conversation('c').turns])"
        )
        return kernel.ok(code).text.strip()

    for cell in ("one", "two", "three"):
        kernel.ok(f"%%chat llama --conversation c --max-tokens 3\nfrom {cell}", cell=cell)
    assert users() == "['from one', 'from two', 'from three']"
    kernel.ok("%%chat llama --conversation c --max-tokens 3\nagain", cell="two")
    assert users() == "['from one', 'again']"
    kernel.ok("%%chat llama --conversation c --new --max-tokens 3\nfresh", cell="four")
    assert users() == "['fresh']"


def test_variables_fill_the_prompt_once_and_the_unknown_stay(kernel: Kernel) -> None:
    kernel.ok("x = {'k': ['{{y}}', 7]}; y = 'no'")
    output = kernel.ok(
        "%%chat llama --new -o r --max-tokens 2\n{{x['k'][0]}} {{ x['k'][1] }} {{nope}} {1} $2"
    )
    assert "left as it is: {{nope}}" in output.text
    assert kernel.ok("print(r.messages[-2].text)").text == "{{y}} 7 {{nope}} {1} $2\n"
    kernel.ok("%%chat llama --new --raw -o r --max-tokens 2\n{{y}}")
    assert kernel.ok("print(r.messages[-2].text)").text == "{{y}}\n"


def test_quotes_are_parsed_as_a_shell_does(kernel: Kernel) -> None:
    kernel.ok("%%chat llama --new --system 'Say \"hi\" twice' -o r --max-tokens 2\nHello")
    assert kernel.ok("print(r.messages[0].text)").text == 'Say "hi" twice\n'


@pytest.mark.parametrize(
    "code, says",
    [
        ("%load_model", "SPEC"),
        ("%load_model 'x", "close the quote"),
        ("%load_model demo:qwne", "did you mean"),
        ("%load_model nobody/nothing", "not on disk"),
        ("%unload_model lama", "did you mean 'llama'?"),
        ("%unload_model", "say which one"),
        ("%unload_model --all llama", "not both"),
        ("%%chat qwen --json '{\"a\": '\nHi", "no JSON"),
        ("%%chat qwen --json [1]\nHi", "JSON object"),
        ("%pin_model lama", "did you mean 'llama'?"),
        ("%%chat lama\nHi", "did you mean 'llama'?"),
        ("%%chat --max-tokns 3\nHi", "did you mean '--max-tokens'?"),
        ("%%chat --temperature hot\nHi", "invalid float value: 'hot'"),
        ("%%chat --temperature 99\nHi", "at most 10, not 99"),
        ("%%chat llama -o 1x\nHi", "a variable name, not '1x'"),
        ("%%chat llama --think\nHi", "no thinking mode"),
        ("%load_model demo:qwen --ttl soon", "'soon' is not a time"),
        ("%load_model demo:qwen --adapter demo:shout --as s", "was trained on demo:llama"),
        ("%load_model demo:qwen --draft demo:llama --as d", "can't draft for"),
        ("%load_model demo:llama --adapter demo:pirat", "did you mean"),
        ("%pool --budget much", "'much' is not a size"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line_and_nothing_is_lost(kernel: Kernel, code: str, says: str) -> None:
    state = (
        "import mlx_magic as mm\ns = mm.session()\n"
        "print([r.name for r in s.pool.status().residents], "
        "[(c.name, len(c.turns)) for c in s.conversations])"
    )
    before = kernel.ok(state).text
    output = kernel.run(code)
    assert output.status == "error"
    shown = output.error or [output.text.strip()]
    assert len(shown) == 1 and "\n" not in shown[0]
    assert says in shown[0]
    assert kernel.ok(state).text == before


def test_debugging_shows_the_traceback(kernel: Kernel) -> None:
    kernel.ok("%config MlxMagics.debug = True")
    assert len(kernel.run("%%chat lama\nHi").error) > 3
    kernel.ok("%config MlxMagics.debug = False")
    assert len(kernel.run("%%chat lama\nHi").error) == 1


def test_config_sets_defaults_and_refuses_nonsense(kernel: Kernel) -> None:
    kernel.ok("%config MlxMagics.max_tokens = 4")
    assert "4 tokens" in kernel.ok("%%chat llama\nHi").card
    assert "5 tokens" in kernel.ok("%%chat llama --max-tokens 5\nHi").card
    assert "max_tokens must be" in kernel.ok("%config MlxMagics.max_tokens = 0").text
    assert "4 tokens" in kernel.ok("%%chat llama\nHi").card
    kernel.ok("%config MlxMagics.max_tokens = None")
    assert "render_hz" in kernel.ok("%config MlxMagics").text


def test_help_is_generated_and_complete(kernel: Kernel) -> None:
    shown = kernel.ok("%%chat --help\n-").text
    for flag in ("--conversation", "--new", "--system", "-o", "--raw", "--max-tokens",
                 "--temperature", "--top-p", "--top-k", "--min-p", "--repetition-penalty",
                 "--seed", "--think", "--no-think"):  # fmt: skip
        assert flag in shown
    assert "%%chat" in kernel.help("%%chat") and "--seed" in kernel.help("%%chat")
    assert "--revision" in kernel.help("%load_model")


def test_tab_completes_names_and_flags(kernel: Kernel) -> None:
    assert kernel.complete("%%chat ll") == ["llama"]
    assert kernel.complete("%%chat llama --te") == ["--temperature"]
    kernel.ok("%%chat llama --conversation spanish --max-tokens 2\nHello")
    assert kernel.complete("%%chat llama --conversation sp") == ["spanish"]
    assert "llama" not in kernel.complete("%%chat -o ll")
    assert kernel.complete("%unload_model ") == ["slow", "qwen", "llama"] or set(
        kernel.complete("%unload_model ")
    ) == {"slow", "qwen", "llama"}
    assert "demo:qwen" in kernel.complete("%load_model de")
    assert "llama" not in kernel.complete("%%chat llama\nll")


def test_models_lists_the_residents_least_recently_used_first(kernel: Kernel) -> None:
    kernel.ok("%%chat llama --max-tokens 2\nHello")
    table = kernel.ok("%models").displays[0]
    assert table["text/plain"].splitlines()[-2].startswith("llama ")
    assert "<table>" in table["text/html"] and "least recently used first" in table["text/html"]
    status = json.loads(kernel.ok("%models --json").text)
    assert status["residents"][-1]["name"] == "llama"
    assert status["budget_bytes"] > status["active_bytes"]
    assert "demo:qwen" in kernel.ok("%models --cached").displays[0]["text/plain"]


def _interrupt_at(marker: str) -> Any:
    def during(kernel: Kernel, output: Output) -> bool:
        if output.displays and marker in output.displays[-1]["text/plain"]:
            kernel.interrupt()
            return True
        return False

    return during


def test_an_interrupt_keeps_the_partial_answer_and_stops_run_all(kernel: Kernel) -> None:
    output = kernel.run(
        "%%chat slow --new --conversation i -o r\nHello", during=_interrupt_at("answering")
    )
    assert output.status == "error"
    assert output.error == ["interrupted; the answer so far is kept"]
    assert "slow · interrupted · " in output.card
    assert kernel.ok("print(r.interrupted, len(r.text) > 0)").text == "True True\n"
    turns = "len(mm.session().conversation('i').turns)"
    assert kernel.ok(f"import mlx_magic as mm; print({turns})").text == "1\n"
    assert "2 tokens" in kernel.ok("%%chat llama --max-tokens 2\nHello").card


def test_an_interrupt_while_the_prompt_is_read_lands_soon_and_keeps_the_past(
    kernel: Kernel,
) -> None:
    kernel.ok("%%chat llama --new --conversation j --max-tokens 2\nHello")
    output = kernel.run(
        "%%chat slow --conversation j\n" + "word " * 3000,
        during=_interrupt_at("reading the prompt"),
    )
    assert output.status == "error"
    assert "slow · interrupted" in output.card
    turns = "len(mm.session().conversation('j').turns)"
    assert kernel.ok(f"import mlx_magic as mm; print({turns})").text == "1\n"
    assert "2 tokens" in kernel.ok("%%chat slow --new --max-tokens 2\nHello").card


def test_a_waiting_cell_says_so(kernel: Kernel) -> None:
    kernel.ok(
        "import threading, mlx_magic as mm\n"
        "asks = {'max_tokens': 400}\n"
        "other = threading.Thread(target=mm.chat, args=('Hello', 'slow'), kwargs=asks)\n"
        "other.start()"
    )
    output = kernel.ok("%%chat llama --new --max-tokens 2\nHello")
    assert "waiting for its turn" in output.displays[0]["text/plain"]
    kernel.ok("other.join()", timeout=120)


def test_model_text_reaches_the_page_escaped(kernel: Kernel) -> None:
    html = kernel.ok(
        "from mlx_magic.render.reply import reply_html\n"
        "from mlx_magic.reply import Reply\n"
        "Reply('<script>alert(1)</script>', '<b>name</b>', ())"
    ).displays[0]["text/html"]
    assert "<script" not in html and "<b>" not in html


def test_json_follows_a_schema_from_a_variable_a_text_or_a_file(
    kernel: Kernel, tmp_path: Path
) -> None:
    schema = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"],
              "additionalProperties": False}  # fmt: skip
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    kernel.ok(f"schema = {schema!r}; names = ['a']")
    for named in ("schema", f"'{json.dumps(schema)}'", str(tmp_path / "schema.json")):
        kernel.ok(f"%%chat qwen --new --json {named} --temperature 1 -o r\nHello")
        assert kernel.ok("import json; print(json.loads(r.text)['n'] in (1, 2))").text == "True\n"
    for odd, says in (("nope", "is none of them"), ("'{'", "no JSON"), ("names", "JSON object")):
        shown = kernel.run(f"%%chat qwen --json {odd}\nHello").error
        assert len(shown) == 1 and says in shown[0]


def test_unloading_the_extension_leaves_nothing() -> None:
    look = (
        "import threading\n"
        "ip = get_ipython()\n"
        "print(sorted(n for k in ip.magics_manager.magics.values() for n in k), "
        "len(ip.Completer.custom_matchers), sorted(map(type, ip.configurables), key=str), "
        "len(ip.display_formatter.formatters['text/html'].type_printers), "
        "len(ip.display_formatter.formatters['text/html'].deferred_printers), "
        "sorted(t.name for t in threading.enumerate() if 'mlx' in t.name))"
    )
    with Kernel() as kernel:
        kernel.run("%config")  # IPython makes its own magics as late as here
        before = kernel.ok(look).text
        for _ in range(2):
            kernel.ok("%load_ext mlx_magic")
            kernel.run("%config MlxMagics.temperature = 1")
            kernel.run("%load_model /no/such/folder")
            assert kernel.ok(look).text != before
            kernel.ok("%unload_ext mlx_magic")
            assert kernel.ok(look).text == before
        assert kernel.run("%models").text.startswith("UsageError: Line magic function")


def test_the_configuration_file_counts_and_a_bad_value_in_it_does_not_break_the_load() -> None:
    with Kernel() as kernel:
        kernel.ok(
            "from traitlets.config.loader import DeferredConfigString  # as a command line gives\n"
            "c = get_ipython().config.MlxMagics\n"
            "c.max_tokens = DeferredConfigString('3'); c.model = 'demo:qwen'"
        )
        kernel.ok("%load_ext mlx_magic")
        assert "cut off at 3 tokens" in kernel.ok("%%chat\nTell me a story.").card
        kernel.run("%config MlxMagics.temperature = 99")
        again = kernel.ok("%reload_ext mlx_magic")
        assert "MlxMagics.temperature is left out: temperature must be" in again.text
        assert "no model is loaded" in kernel.ok("%models").card
        assert "cut off at 3 tokens" in kernel.ok("%%chat\nTell me a story.").card
