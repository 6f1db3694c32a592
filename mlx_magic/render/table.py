"""A small table that draws itself: HTML in a notebook, aligned text elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..plain import plain_text
from .markdown import QUIET, escape, no_math


@dataclass(frozen=True)
class Table:
    """Rows of short texts under column titles; `numeric` columns stand to the right.

    `note` is a line below the table, and all there is when there are no rows.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numeric: frozenset[str] = frozenset()
    note: str = ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": str(self)}

    def to_html(self) -> str:
        """The table as HTML that survives without styles."""
        style = f"{QUIET} padding-left: 8px"
        note = f'<div style="{style}">{escape(self.note)}</div>' if self.note else ""
        if not self.rows:
            return no_math(note)
        titles, *rows = self._lines()
        head = "".join(self._cell("th", title, title) for title in titles)
        body = "".join(
            "<tr>" + "".join(map(self._cell, ["td"] * len(row), titles, row)) + "</tr>"
            for row in rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return no_math(table + note)

    def _lines(self) -> list[tuple[str, ...]]:
        """Titles and rows as plain text, without the columns that say nothing in any row."""
        kept = [i for i in range(len(self.columns)) if any(row[i] for row in self.rows)]
        return [tuple(plain_text(line[i]) for i in kept) for line in (self.columns, *self.rows)]

    def _cell(self, tag: str, column: str, text: str) -> str:
        side = "right" if column in self.numeric else "left"
        return f'<{tag} style="text-align: {side}">{escape(text)}</{tag}>'

    def __str__(self) -> str:
        if not self.rows:
            return self.note
        lines = self._lines()
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        text = "\n".join(
            "  ".join(
                cell.rjust(width) if title in self.numeric else cell.ljust(width)
                for title, cell, width in zip(lines[0], line, widths, strict=True)
            ).rstrip()
            for line in lines
        )
        return f"{text}\n{self.note}" if self.note else text
