"""The help that Shift-Tab, `%%chat?` and `--help` show: short, aligned, with an example."""

from typing import Any

import pytest

from mlx_magic.magics.chat import ChatMagics
from mlx_magic.magics.help import help_text
from mlx_magic.magics.models import ModelMagics

MAGICS = {
    name: getattr(group, method)
    for group in (ModelMagics, ChatMagics)
    for names in group.magics.values()
    for name, method in names.items()
}


@pytest.mark.parametrize("magic", MAGICS.values(), ids=MAGICS)
def test_each_magic_has_a_page_with_an_example_and_a_line_for_each_flag(magic: Any) -> None:
    lines = help_text(magic).splitlines()
    assert magic.__doc__ == "\n".join(lines)
    assert max(map(len, lines)) <= 90 and len(lines) <= 30  # what JupyterLab's tooltip holds
    percent = "%" + magic.parser.prog
    assert lines[0].startswith(percent)
    assert [line for line in lines if line.startswith(f"Example: {percent}")]
    rows = [line for line in lines if line.startswith("  ")]
    assert len(rows) == len(magic.parser._actions) + 1  # and --help
    starts = {len(row) - len(row[2:].partition("  ")[2].lstrip()) for row in rows}
    assert len(starts) == 1, rows  # what each means begins in the same column


def test_the_first_line_says_which_words_may_be_left_out() -> None:
    first = {name: help_text(magic).splitlines()[0] for name, magic in MAGICS.items()}
    assert first["chat"] == "%%chat [MODEL] [flags]"
    assert first["load_model"] == "%load_model SPEC [flags]"
    assert first["unload_model"] == "%unload_model [NAME …] [flags]"
    assert first["pin_model"] == "%pin_model NAME … [flags]"
