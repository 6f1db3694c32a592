"""Tab, Shift-Tab and "did you mean" in a real kernel."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel import Kernel

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel(tiny: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    root = tmp_path_factory.mktemp("hints")
    (root / "my cat.png").touch()
    with Kernel() as kernel:
        kernel.ok(f"%cd -q {root}\n%load_ext mlx_magic\n%load_model {tiny['llama']} --as llama")
        kernel.ok(
            "import numpy as np\n"
            "grey = np.zeros((4, 6)); pictures = [grey]; name = 'Ada'; schema = {'type': 'object'}"
        )
        kernel.ok("%%chat llama --conversation spanish --max-tokens 2\nHola")
        yield kernel


def test_tab_offers_what_may_come_next_and_nothing_else(kernel: Kernel) -> None:
    assert kernel.complete("%%chat ") == ["llama"]
    assert kernel.complete("%%chat llama --image ") == ["grey", "pictures", "'my cat.png'"]
    assert kernel.complete("%%chat llama --image 'my ") == ["'my cat.png'"]
    assert kernel.complete("%%chat llama --conversation ") == ["spanish"]
    assert kernel.complete("%%chat llama --json ") == ["schema"]
    assert kernel.complete("%%chat llama --system ") == [""]  # nothing of Python's
    assert kernel.complete("%load_model demo:llama --adapter ") == ["demo:pirate", "demo:shout"]
    assert set(kernel.complete("%%chat\nI am {{")) == {
        "{{grey}}", "{{name}}", "{{pictures}}", "{{schema}}",
    }  # fmt: skip
    assert kernel.complete("%%chat\nI am {{na") == ["{{name}}"]
    assert "llama" not in kernel.complete("%%chat\nll")
    assert kernel.complete("%config MlxMagics.tempe") == ["MlxMagics.temperature"]


def test_tab_still_answers_while_a_library_meddles_with_the_warnings(kernel: Kernel) -> None:
    kernel.ok(
        "import threading, time, warnings\n"
        "over = threading.Event()\n"
        "def meddle():\n"
        "    while not over.is_set():\n"
        "        with warnings.catch_warnings(): time.sleep(0.0003)\n"
        "threads = [threading.Thread(target=meddle) for _ in range(4)]\n"
        "for thread in threads: thread.start()"
    )
    for _ in range(100):
        assert kernel.complete("%%chat ll") == ["llama"]
    kernel.ok("over.set()\nfor thread in threads: thread.join()")


def test_shift_tab_and_a_question_mark_show_the_page_of_help(kernel: Kernel) -> None:
    page = kernel.ok("%%chat --help\n-").text.strip()
    assert page in kernel.help("%%chat") and page in kernel.help("%%chat?")
    assert "%load_model SPEC [flags]" in kernel.help("%load_model ")


@pytest.mark.parametrize(
    "code, says",
    [
        ("%%chat --temprature 1\nHi", "no flag '--temprature'; did you mean '--temperature'?"),
        ("%%chat --temprature=1\nHi", "no flag '--temprature'; did you mean '--temperature'?"),
        ("%load_model --pinn", "no flag '--pinn'; did you mean '--pin'?"),
        ("%models --hlep", "did you mean '--help'?"),
        ("%load_model", "load_model: the following arguments are required: SPEC; %load_model"),
        ("%%chat --t 1\nHi", "could match --temperature"),
        ("%%chat lama\nHi", "did you mean 'llama'?"),
        ("%load_model qwne", "did you mean 'demo:qwen'?"),
        ("%load_model demo:qwne", "did you mean 'demo:qwen'"),
        ("%load_model demo:llama --adapter demo:pirat", "did you mean 'demo:pirate'?"),
        ("%%chat --image gray\nHi", "no variable 'gray', nor such a file; did you mean 'grey'?"),
        ("%%chat --image {{gray}}\nHi", "no variable 'gray', nor such a file; did you mean 'grey'"),
        ("%%chat --image picturs[0]\nHi", "did you mean 'pictures'?"),
        ("%%chat --image 'my cta.png'\nHi", "did you mean 'my cat.png'?"),
        ("%%chat --json shcema\nHi", "is none of them; did you mean 'schema'?"),
        ("import mlx_magic as mm; mm.chat('Hi', tempratur=1)", "did you mean 'temperature'?"),
        ("mm.demo.picture('scen')", "did you mean 'scene'?"),
        ("%config MlxMagics.tempratur", "no setting MlxMagics.tempratur; did you mean 'temper"),
    ],
)
def test_an_unknown_name_gets_one_line_with_the_close_ones(
    kernel: Kernel, code: str, says: str
) -> None:
    output = kernel.run(code)
    shown = output.error or [output.text.strip()]
    assert output.status == "error" and len(shown) == 1 and "\n" not in shown[0]
    assert says in shown[0]


def test_a_setting_that_there_is_not_is_refused_once_and_not_kept(kernel: Kernel) -> None:
    said = kernel.ok("%config MlxMagics.tempratur = 1").text
    assert said == "there is no setting MlxMagics.tempratur; did you mean 'temperature'?\n"
    assert kernel.ok("%config MlxMagics.seed = 1").text.startswith("there is no setting")
    assert kernel.ok("%config MlxMagics.max_tokens = 4").text == ""
    assert "did you mean 'MlxMagics'?" in kernel.ok("%config MlxMagcs.max_tokens = 5").text
    assert kernel.ok("%config MlxMagics.max_tokens = None").text == ""


def test_a_new_conversation_whose_name_may_be_a_slip_says_so_and_answers(kernel: Kernel) -> None:
    def said(name: str) -> str:
        return kernel.ok(f"%%chat llama --conversation {name} --max-tokens 2\nHola").text

    assert said("spansih") == "'spansih' is a new conversation; did you mean 'spanish'?\n"
    assert said("spansih") == "" and said("french") == ""
    assert said("talk1") == "" and said("talk2") == "" and said("talka") == ""


def test_an_unknown_field_of_a_prompt_is_left_with_a_hint(kernel: Kernel) -> None:
    said = kernel.ok("%%chat llama --max-tokens 2\nI am {{nme}} {{name}}").text
    assert said == "left as it is: {{nme}} (no such variable; did you mean 'name'?)\n"
    said = kernel.ok("%%chat llama --max-tokens 2\nI am {{name.first}} and {{zzzz}}").text
    assert said == "left as it is: {{name.first}}, {{zzzz}} (no such variable)\n"
