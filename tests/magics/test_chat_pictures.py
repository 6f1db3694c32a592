"""Pictures in `%%chat`, in a real kernel: what is shown, what is refused, what stays as it was."""

import base64
import io
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_vision
from kernel import Kernel
from picture_server import PictureServer
from PIL import Image

pytestmark = pytest.mark.kernel

QUESTION = "How many circles are there?"


@pytest.fixture(scope="module")
def kernel(tiny: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    root = tmp_path_factory.mktemp("seeing")
    seen = Image.open(io.BytesIO(tiny_vision.picture(1, 640, 480).png))
    seen.save(root / "chart one.png")
    with Kernel() as kernel:
        kernel.ok(f"%cd -q {root}\n%load_ext mlx_magic\n%load_model {tiny['llama']} --as llama")
        for name, model_type in (("eyes", "smolvlm"), ("qwen-vl", "qwen2_5_vl")):
            folder = tiny_vision.build(root / name, model_type)
            line = kernel.ok(f"%load_model {folder} --as {name}").text
            assert " vision model · " in line and line.count("\n") == 1
        kernel.ok(
            "import numpy as np, matplotlib\n"
            "matplotlib.use('agg')\n"
            "import matplotlib.pyplot as plt\n"
            "from PIL import Image\n"
            "fig, ax = plt.subplots(); ax.bar([1, 2], [3, 4])\n"
            "grey = np.zeros((48, 64), dtype=np.uint8)\n"
            "photo = Image.open('chart one.png')\n"
            "pictures = [photo, grey]\n"
            "path = 'chart one.png'\n"
            "named = {'a photo': photo}\n"
        )
        yield kernel


def users(kernel: Kernel, conversation: str = "default") -> str:
    return kernel.ok(
        f"import mlx_magic as mm\nprint([(t.user.text, len(t.user.images)) for t in "
        f"mm.session().conversation({conversation!r}).turns])"
    ).text.strip()


def test_the_pictures_travel_once_and_stand_above_the_answer(kernel: Kernel) -> None:
    output = kernel.ok(
        f"%%chat eyes --new --image 'chart one.png' --image grey --max-tokens 40 -o r\n{QUESTION}"
    )
    first, *rest = output.displays
    assert first["text/html"].count("<figure") == 2
    assert first["text/plain"] == "[image: chart one.png 640x480]\n[image: grey 64x48]"
    assert not any("<img" in display["text/html"] for display in rest)
    assert len(output.final) == 2
    again = kernel.ok("r").displays[0]
    last = rest[-1]["text/html"].replace(" · turn 1", "")
    assert again["text/html"] == first["text/html"] + last
    assert again["text/plain"].startswith(first["text/plain"] + "\n")
    assert kernel.ok("print([i.source for i in r.images])").text == "['chart one.png', 'grey']\n"


def test_a_thumbnail_is_at_most_320_pixels_high_and_opens_to_its_full_size(kernel: Kernel) -> None:
    shown = kernel.ok(f"%%chat eyes --new --image photo --max-tokens 2\n{QUESTION}").displays[0]
    images = [
        Image.open(io.BytesIO(base64.b64decode(part.partition('"')[0])))
        for part in shown["text/html"].split("data:image/png;base64,")[1:]
    ]
    assert [image.size for image in images] == [(427, 320), (640, 480)]
    assert all(not image.info for image in images)


@pytest.mark.parametrize(
    "named",
    [
        "fig",
        "ax",
        "grey",
        "photo",
        "pictures[1]",
        "{{path}}",
        "{{ photo }}",
        "{{ named['a photo'] }}",
        "named['a photo']",
        "'chart one.png'",
    ],
)
def test_image_takes_a_variable_or_a_file(kernel: Kernel, named: str) -> None:
    output = kernel.ok(f"%%chat eyes --new --image {named!s} --max-tokens 2\n{QUESTION}")
    assert output.displays[0]["text/html"].count("<figure") == 1


def test_python_takes_one_picture_or_a_list(kernel: Kernel) -> None:
    code = "import mlx_magic as mm\nr = mm.chat('How many?', 'eyes', {}, max_tokens=3)\n"
    for images, count in (("photo", 1), ("[photo, fig]", 2), ("'chart one.png'", 1), ("()", 0)):
        made = kernel.ok(code.format(images) + "print(len(r.images), r.messages[0].role)")
        assert made.text == f"{count} user\n"


def test_a_follow_up_is_about_the_same_picture_and_reads_only_what_is_new(kernel: Kernel) -> None:
    kernel.ok(f"%%chat eyes --new --image photo --max-tokens 3\n{QUESTION}")
    output = kernel.ok("%%chat eyes --max-tokens 3 -o r\nAnd red ones?")
    assert len(output.final) == 1 and " prompt tokens reused" in output.card
    assert kernel.ok("print(len(r.images), len(r.messages[0].images))").text == "0 1\n"


def test_the_same_conversation_goes_on_with_another_vision_model(kernel: Kernel) -> None:
    kernel.ok(f"%%chat eyes --new --image photo --max-tokens 3\n{QUESTION}")
    assert "[qwen-vl · " in kernel.ok("%%chat qwen-vl --max-tokens 3\nAnd red ones?").card


def test_a_text_model_says_who_could_see_and_the_conversation_stays(kernel: Kernel) -> None:
    kernel.ok(f"%%chat eyes --new --image photo --max-tokens 3\n{QUESTION}")
    before = users(kernel)
    line = kernel.run(f"%%chat llama --image photo\n{QUESTION}").error
    assert len(line) == 1 and "llama reads text only; ask eyes or qwen-vl" in line[0]
    line = kernel.run("%%chat llama\nAnd red ones?").error
    assert "go on without the pictures in another conversation" in line[0]
    assert users(kernel) == before


@pytest.mark.parametrize(
    "named, expected",
    [
        ("gray", "there is no variable 'gray', nor such a file; did you mean 'grey'?"),
        ("{{nothing}}", "there is no variable"),
        ("'chart 1.png'", "did you mean 'chart one.png'?"),
        ("np", "pass a figure: figure = plt.gcf()"),
        ("pictures[7]", "'pictures[7]' leads nowhere; a variable's .attribute and [index] are"),
        ("plt.gcf()", "'plt.gcf()' leads nowhere"),
        ("np.png", "there is no file 'np.png'"),
        ("grey photo", "--image stands once for each picture"),
        ("'http://127.0.0.1:9/x.png'", "127.0.0.1"),
    ],
)
def test_what_is_no_picture_is_one_line_and_changes_nothing(
    kernel: Kernel, named: str, expected: str
) -> None:
    before = users(kernel)
    output = kernel.run(f"%%chat eyes --image {named}\n{QUESTION}")
    said = [*output.error, *filter(None, output.text.splitlines())]  # IPython prints a UsageError
    assert len(said) == 1 and expected in said[0] and not output.displays
    assert users(kernel) == before


def test_a_picture_from_a_server_that_wants_a_user_agent(kernel: Kernel) -> None:
    """The seed report's 403 of Wikipedia."""
    with PictureServer() as server:
        output = kernel.ok(
            f"%%chat eyes --new --image {server.url}/wikipedia.png --max-tokens 2\n{QUESTION}"
        )
    assert "wikipedia" in output.displays[0]["text/plain"]


def test_limits_are_set_by_config(kernel: Kernel) -> None:
    kernel.ok("%config MlxMagics.image_side = 100")
    try:
        shown = kernel.ok(f"%%chat eyes --new --image photo --max-tokens 2\n{QUESTION}").displays[0]
        assert "100x75" in shown["text/plain"]
    finally:
        kernel.ok("%config MlxMagics.image_side = 1536")
    kernel.ok("%config MlxMagics.image_bytes = '1KiB'")
    try:
        assert len(kernel.run(f"%%chat eyes --image 'chart one.png'\n{QUESTION}").error) == 1
    finally:
        kernel.ok("%config MlxMagics.image_bytes = '20MiB'")


def test_an_interrupted_answer_keeps_its_pictures(kernel: Kernel) -> None:
    def stop(kernel: Kernel, output: Any) -> bool:
        if len(output.displays) < 3:
            return False
        kernel.interrupt()
        return True

    output = kernel.run(
        f"%%chat eyes --new --image photo --max-tokens 4000\n{QUESTION}", during=stop
    )
    assert output.status == "error" and "interrupted" in output.error[0]
    assert users(kernel) == f"[({QUESTION!r}, 1)]"
    assert len(output.final) == 2


def test_a_picture_shows_itself_and_prints_in_one_short_line(kernel: Kernel) -> None:
    kernel.ok(f"%%chat eyes --new --image photo --max-tokens 2 -o r\n{QUESTION}")
    assert len(kernel.ok("r.images").displays[0]["text/plain"]) < 120
    assert "image/png" in kernel.ok("r.images[0]").displays[0]


def test_an_interrupt_while_a_picture_is_fetched_is_one_line(kernel: Kernel) -> None:
    process = kernel.manager.provisioner.process  # type: ignore[union-attr]
    with PictureServer() as server:

        def stop_once_asked() -> None:
            while not server.requests:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)

        stopper = threading.Thread(target=stop_once_asked)
        stopper.start()
        output = kernel.run(f"%%chat eyes --image {server.url}/drip.png\n{QUESTION}")
        stopper.join()
    assert output.error == ["interrupted at the pictures; nothing was asked"]


def test_each_picture_of_a_list_has_a_caption_of_its_own(kernel: Kernel) -> None:
    output = kernel.ok(f"%%chat eyes --new --image pictures --max-tokens 2\n{QUESTION}")
    assert output.displays[0]["text/plain"].splitlines() == [
        "[image: pictures[0] 640x480]", "[image: pictures[1] 64x48]",
    ]  # fmt: skip


def test_tab_after_image_offers_variables_and_files(kernel: Kernel) -> None:
    offered = kernel.complete("%%chat eyes --image ")
    assert {"fig", "photo", "grey", "'chart one.png'"} <= set(offered)
    assert "kernel" not in offered and kernel.complete("%%chat eyes --image gr") == ["grey"]
