"""Tab completion without a kernel: what is offered where, how quickly, and what is left alone."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from IPython.core.completer import CompletionContext
from PIL import Image

from mlx_magic import demo
from mlx_magic.magics import variables
from mlx_magic.magics.completion import model_matcher
from mlx_magic.reply import Reply

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def tab(text: str, after: str = "") -> list[str]:
    """What may replace the word before the cursor; `after` is the rest of the line."""
    found = matched(text, after)
    assert text.endswith(found.get("matched_fragment", ""))
    return [completion.text for completion in found["completions"]]


def matched(text: str, after: str = "") -> Any:
    lines = text.split("\n")
    return model_matcher(
        CompletionContext(
            token="",
            full_text=text + after,
            cursor_position=len(lines[-1]),
            cursor_line=len(lines) - 1,
            limit=500,
        )
    )


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, a home folder, and an empty Hub cache."""
    from huggingface_hub import constants

    for name in ("here", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A notebook's variables; whatever is put in is there."""
    shell = SimpleNamespace(user_ns={"In": ["x"], "_private": 1}, user_ns_hidden={})
    shell.user_ns_hidden = dict(shell.user_ns)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    return shell.user_ns


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def cache(hub: Path, repository: str, *names: str, commit: str = COMMIT) -> None:
    store = hub / ("models--" + repository.replace("/", "--"))
    put(store / "snapshots" / commit, *names)
    (store / "refs").mkdir(exist_ok=True)
    (store / "refs" / "main").write_text(commit)


def test_a_spec_is_a_demo_model_a_cached_one_or_a_folder(somewhere: Path) -> None:
    cache(somewhere / "hub", "acme/Tiny-4bit", "config.json", "model.safetensors")
    cache(somewhere / "hub", "acme/lora", "adapter_config.json", "adapters.safetensors")
    cache(somewhere / "hub", "acme/words", "config.json", "tokenizer.json")
    put(somewhere / "here", "mine/config.json", "models/qwen/config.json", "models/.git/x")
    offered = [*(model.spec for model in demo.list()), "acme/Tiny-4bit", "mine"]
    assert tab("%load_model ") == offered
    assert tab("%load_model demo:l") == ["demo:llama"]
    assert tab("%load_model tiny") == ["acme/Tiny-4bit"]  # people leave out the owner
    assert tab("%load_model ACME/") == ["acme/Tiny-4bit"]
    assert tab("%load_model mi") == ["mine", "demo:mistral"]
    assert tab("%load_model mod") == ["models/"]
    assert tab("%load_model models/") == ["models/qwen"]
    assert tab("%load_model ./mi") == ["./mine"]
    assert tab("%load_model ..") == ["../"]
    assert tab("%load_model x --draft acme") == ["acme/Tiny-4bit"]


def test_a_revision_is_one_of_the_cached_repository(somewhere: Path) -> None:
    cache(somewhere / "hub", "acme/tiny", "config.json", "model.safetensors")
    assert tab("%load_model acme/tiny --revision ") == ["main", COMMIT]
    assert tab("%load_model acme/tiny --revision m") == ["main"]
    assert tab("%load_model acme/other --revision ") == [""]
    assert tab("%load_model --revision ") == [""]


def test_an_adapter_is_one_for_the_demo_model_a_cached_one_or_a_folder(somewhere: Path) -> None:
    cache(somewhere / "hub", "acme/lora", "adapter_config.json", "adapters.safetensors")
    put(somewhere / "here", "mine/adapter_config.json")
    assert tab("%load_model demo:llama --adapter ") == [
        "demo:pirate", "demo:shout", "acme/lora", "mine",
    ]  # fmt: skip
    assert tab("%load_model demo:qwen --adapter ") == ["acme/lora", "mine"]
    assert tab("%load_model demo:llama --adapter=pi") == ["demo:pirate"]


def test_a_picture_is_a_variable_that_may_hold_one_a_file_or_a_folder(
    somewhere: Path, notebook: dict[str, Any]
) -> None:
    put(somewhere / "here", "my cat.png", "it's.JPG", "notes.txt", "holiday/a.gif", ".hidden.png")
    put(somewhere / "home", "desk/b.png")
    notebook |= {"photo": Image.new("RGB", (2, 2)), "lines": ["a", "b"]}
    assert tab("%%chat --image ") == ["photo", '"it\'s.JPG"', "'my cat.png'", "holiday/"]
    assert tab("%%chat --image my") == ["'my cat.png'"]
    assert tab("%%chat --image 'my c") == ["'my cat.png'"]
    assert tab("%%chat --image my\\ c") == ["'my cat.png'"]
    assert tab("%%chat --image=ph") == ["photo"]
    assert tab("%%chat --image {{ph") == ["{{photo}}"]
    assert tab("%%chat --image holiday/") == ["holiday/a.gif"]
    assert tab("%%chat --image .h") == [".hidden.png"]
    assert tab("%%chat --image ~") == ["~/"]
    assert tab("%%chat --image ~/desk/") == ["~/desk/b.png"]
    assert tab("%%chat --image /no/such/folder/") == ["/no/such/folder/"]
    assert tab("%%chat eyes --image photo --image h") == ["holiday/"]


def test_which_variables_may_be_pictures() -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    many = plt.subplots(2, 2)[1]
    (line,) = axes.plot([1, 2])
    plt.close("all")
    photo = Image.new("L", (2, 2))
    likely = {
        "photo": photo, "figure": figure, "axes": axes, "grey": np.zeros((4, 5)),
        "rgb": np.zeros((4, 5, 3)), "several": [photo, photo], "path": Path("a/b.png"),
        "text": "cat.jpeg", "address": "https://example.org/a.PNG", "data": b"\x89PNG\r\n\x1a\n..",
        "drawn": demo.picture("scene"),
    }  # fmt: skip
    unlikely = {
        "plt": plt, "line": line, "many": many, "row": np.zeros(4), "number": np.float64(1),
        "movie": np.zeros((2, 4, 5, 7)), "folder": Path("a/b"), "word": "cat", "none": None,
        "other": b"PK", "empty": [], "np": np, "kind": Image.Image,
    }  # fmt: skip
    assert variables.pictures(likely | unlikely) == list(likely)


def test_a_schema_and_a_reply_are_found_among_the_variables(
    somewhere: Path, notebook: dict[str, Any]
) -> None:
    put(somewhere / "here", "city.json", "city.png")
    notebook |= {"schema": {"type": "object"}, "row": {"a": 1}, "r": Reply("x", "m", ())}
    assert tab("%%chat --json ") == ["schema", "city.json"]
    assert tab("%%chat -o ") == ["r", "answer", "reply"]
    assert tab("%models --json ") == ["--cached", "--help"]


def test_a_flag_is_offered_once_unless_it_may_be_said_again() -> None:
    assert tab("%%chat --te") == ["--temperature"]
    assert tab("%%chat -") == [*tab("%%chat --")[:4], "-o", *tab("%%chat --")[4:]]
    again = tab("%%chat --image a --think --new --")
    assert "--image" in again and "--conversation" in again
    assert not {"--think", "--no-think", "--new", "-o"} & set(again)
    assert tab("%models --ca") == ["--cached"]
    assert tab("status = %models --ca") == ["--cached"]


def test_where_no_name_can_follow_the_flags_are_offered() -> None:
    assert tab("%models ") == ["--cached", "--json", "--help"]
    assert tab("%load_model demo:qwen ")[:2] == ["--as", "--pin"]
    assert tab("%load_model demo:qwen de") == ["de"]  # as it is: nothing fits


def test_values_that_nobody_can_know_get_examples_or_silence() -> None:
    assert tab("%load_model demo:qwen --ttl 3") == ["30m"]
    assert "24GiB" in tab("%pool --budget ")
    assert tab("%%chat --temperature ") == ["0", "0.7", "1"]
    assert tab("%load_model acme/Tiny --as ") == ["Tiny"]


def test_where_nothing_fits_a_hint_keeps_python_quiet() -> None:
    for text, shown, beside in (
        ("%%chat --system ", "", "system prompt, from this turn on"),
        ("%%chat --system x", "x", "nothing fits"),
        ("%%chat zzz", "zzz", "nothing fits"),
        ("%%chat --zzz", "--zzz", "nothing fits"),
    ):
        found = matched(text)
        assert found["suppress"] is True  # else Python would offer all it knows
        assert [(c.text, c.type.replace("\xa0", " ")) for c in found["completions"]] == [
            (shown, beside)
        ]


def test_in_a_prompt_a_field_is_completed_with_the_braces_that_are_missing(
    notebook: dict[str, Any],
) -> None:
    notebook |= {"name": "Ada", "Number": 7, "np": np, "call": tab}
    assert tab("%%chat\nHello {{") == ["{{name}}", "{{Number}}"]
    assert tab("\n%%chat llama\nHello\n  {{ n") == ["{{ name}}", "{{ Number}}"]
    assert tab("%%chat\n{{na", after="}} and so on") == ["{{name"]
    assert tab("%%chat\n{{na", after="} and so on") == ["{{name}"]
    assert tab("%%chat\n{{na", after="\n}}") == ["{{name}}"]
    assert tab("%%chat\n{{n", after="me}}") == ["{{name", "{{Number"]


@pytest.mark.parametrize(
    "text",
    [
        "%%chat\nna", "%%chat\n%load_model de", "%%chat --raw\n{{na", "%%chat\n{na",
        "%%chat\n{{name}} na", "{{na", "x = 1\n{{na", "# note\n%%chat ", "%chat ", "load_model ",
        "%%load_model ", "%nothing ", "%config MlxMagics.", "%%chat", "",
    ],
)  # fmt: skip
def test_everything_else_is_left_to_python(text: str, notebook: dict[str, Any]) -> None:
    notebook["name"] = "Ada"
    assert matched(text) == {"completions": []}


def test_other_cell_magics_keep_our_lines() -> None:
    assert tab("%%time\n%models --ca") == ["--cached"]


@pytest.mark.parametrize("text", ["%load_model \0", "%%chat --image ~nobody/x", "%load_model '\\"])
def test_an_odd_line_raises_nothing(text: str) -> None:
    tab(text)


def test_a_variable_that_raises_when_it_is_looked_at_does_no_harm(notebook: dict[str, Any]) -> None:
    class Odd(np.ndarray):
        @property
        def shape(self) -> Any:
            raise RuntimeError("not now")

    notebook |= {"odd": np.zeros((2, 2)).view(Odd), "photo": Image.new("L", (2, 2))}
    assert tab("%%chat --image ") == ["photo"]


def test_a_thousand_models_and_files_take_less_than_a_tenth_of_a_second(somewhere: Path) -> None:
    for number in range(1000):
        repository = f"org{number % 20}/model-{number:04d}"
        cache(somewhere / "hub", repository, "config.json", "model.safetensors", "tokenizer.json")
        put(somewhere / "here", f"picture {number}.png")

    def quickest(text: str, count: int) -> float:
        seconds = []
        for _ in range(5):
            started = time.perf_counter()
            assert len(tab(text)) == count
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    assert quickest("%load_model ", 1000 + len(demo.list())) < 0.1
    assert quickest("%load_model org3/model-00", 5) < 0.1
    assert quickest("%%chat --image ", 1000) < 0.1


def test_completion_makes_no_session_and_imports_neither_mlx_nor_pillow() -> None:
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from IPython.core.completer import provisionalcompleter\n"
        "from mlx_magic.magics.completion import model_matcher\n"
        "shell = InteractiveShell.instance()\n"
        "shell.Completer.custom_matchers.append(model_matcher)\n"
        "before = set(sys.modules)\n"
        "for line in ('%load_model ', '%load_model x --adapter ', '%%chat ', '%%chat --image ',\n"
        "             '%%chat --conversation ', '%%chat\\n{{'):\n"
        "    with provisionalcompleter():\n"
        "        print(len(list(shell.Completer.completions(line, len(line)))))\n"
        "heavy = {'mlx', 'PIL', 'numpy', 'httpx', 'transformers', 'mlx_magic.sessions'}\n"
        "print(heavy & (set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ
    )
    assert done.stdout.splitlines()[-1] == "set()", done.stdout + done.stderr
