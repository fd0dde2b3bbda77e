"""Reading a page back: a strict little parser for what the report writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}


@dataclass
class Page:
    """Ids, links, elements, and the rows of tables by their anchor."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    rows: dict[str, list[str]] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []
        self.row: list[str] | None = None
        self.cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.page.elements.append((tag, known))
        if "id" in known:
            self.page.ids.append(known["id"])
        if tag == "a":
            self.page.links.append(known["href"])
        if tag == "tr":
            self.row = self.page.rows.setdefault(known.get("id", f"row {len(self.page.rows)}"), [])
        if tag in ("td", "th"):
            self.cell = []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()
        if tag in ("td", "th") and self.cell is not None:
            assert self.row is not None
            self.row.append("".join(self.cell).strip())
            self.cell = None

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)
        if not {"style", "script"} & set(self.open):
            self.page.text.append(data)


def read_page(text: str) -> Page:
    """Parse a page; unbalanced tags are an error."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader.page


def number(text: str) -> float:
    """A printed percentage or number, as a value."""
    plain = text.replace("\u202f", "").replace("−", "-").replace(",", "")
    return float(plain.rstrip("%")) / (100 if plain.endswith("%") else 1)
