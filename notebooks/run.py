"""Run a notebook headless, print its questions and answers, and leave it as an HTML page.

    python notebooks/run.py notebooks/01_first_chat.ipynb

The page goes to build/NAME.html. Ends with 1 when a cell fails.
"""

import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

BUILD = Path(__file__).resolve().parents[1] / "build"


def main(path: Path) -> int:
    notebook = nbformat.read(path, as_version=4)
    started = time.perf_counter()
    client = NotebookClient(
        notebook,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of its own loopback port
        kernel_name="python3",
        timeout=300,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=lambda cell, **_: print_cell(cell),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\na cell failed: {error}", file=sys.stderr)
        return 1
    BUILD.mkdir(exist_ok=True)
    page = BUILD / f"{path.stem}.html"
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0])
    print(f"\n{path.name} ran in {time.perf_counter() - started:.1f} s; open {page}")
    return 0


def print_cell(cell: Any) -> None:
    """A code cell as a person reads it: what was typed, what came back."""
    if cell.cell_type != "code":
        return
    print("\n" + textwrap.indent(cell.source, ">>> "))
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        text = text or "\n".join(output.get("traceback", ()))
        print(textwrap.indent(text.strip(), "    "), flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
