"""One page a kind, from its words in the catalogue and its example, made whole enough to be pasted and run."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models.contract import Kind

_LAYERS = {
    "path": "path: what lies between the last known stage and this one",
    "parts": "parts: what the count is a sum of",
    "report": "report: what was seen of the count",
}
_SOFT = "Soft: a quasi-likelihood with a stated weight; every number that it informs says so."
_KEYS = ("| key | default |", "|---|---|")
_MARKS = ("# plan.toml", "# data.csv")


def example_files(example: str) -> dict[str, str]:
    """The example of a kind as ``plan.toml`` and ``data.csv``, with the remarks that stood around them as ``""``."""
    found: dict[str, list[str]] = {"plan.toml": [], "data.csv": [], "": []}
    name = "data.csv"
    for line in example.strip().splitlines():
        mark = next((mark for mark in _MARKS if line.startswith(mark)), None)
        if mark is not None:
            name = mark.removeprefix("# ")
            line = line.removeprefix(mark).lstrip(": ")
            found[""] += [line] if line else []
        elif line.startswith("#"):
            found[""].append(line.lstrip("# "))
        else:
            found[name].append(line)
    table, plan = "\n".join(found["data.csv"]).strip() + "\n", "\n".join(found["plan.toml"]).strip()
    return {"plan.toml": _plan(table, plan), "data.csv": table, "": "\n".join(found[""])}


def _plan(table: str, given: str) -> str:
    """A plan that reads a table, with what the example says of it."""
    rows = list(csv.DictReader(table.splitlines()))
    written = tomllib.loads(given)
    wide = "stage" not in rows[0]
    names = list(rows[0])[3:] if wide else [row["stage"] for row in rows]
    mix = written.get("mix", {}).get("stage")
    stages = [name for name in dict.fromkeys(names) if name != mix]
    lines = ["[funnel]", f"stages = [{', '.join(f'"{stage}"' for stage in stages)}]", ""]
    if "input" not in written:
        form = [] if wide else ['form = "long"', 'clock = "cohort"']
        lines += ["[[input]]", 'file = "data.csv"', *form, 'as_of = "2025-01-31"', ""]
    return "\n".join([*lines, given]).strip() + "\n"


def kind_page(kind: Kind) -> str:
    """The page of a kind, in Markdown."""
    files = example_files(kind.example)
    fields = kind.Settings.model_fields
    settings = [f"| `{name}` | {_default(field.default)} |" for name, field in fields.items()]
    told = " ".join((kind.Settings.__doc__ or "").replace("``", "`").split())
    lines = [
        f"# {kind.name}", "", kind.sentence(), "",
        f"* Layer: {_LAYERS[kind.layer]}.",
        f"* Its limit: {kind.limit}.",
        *([f"* {_SOFT}"] if kind.soft else []),
        "", "## Settings", "", told,
        *(["", f"In a plan under `[kind.{kind.name}]`:", "", *_KEYS, *settings] if settings else []),
        "", "## An example", "", *([*(f"* {remark}" for remark in files[""].splitlines()), ""] if files[""] else []),
        "`data.csv`:", "", *_block("csv", files["data.csv"]), "",
        "`plan.toml`, beside it:", "", *_block("toml", files["plan.toml"]), "",
        "`attrition validate plan.toml` says how it is read, `attrition estimate plan.toml --draft` fits it.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _default(value: object) -> str:
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def _block(language: str, text: str) -> list[str]:
    return [f"```{language}", *text.rstrip().splitlines(), "```"]


def index_page(kinds: Iterable[Kind]) -> str:
    """The list of the pages."""
    rows = [f"* [{kind.name}]({kind.name}.md): {kind.sentence()}" for kind in kinds]
    return "\n".join(
        ["# Ways of being partly observed", "", *rows, "", "Written by `attrition kinds --pages DIR`.", ""]
    )


def kind_pages(kinds: Iterable[Kind]) -> Mapping[str, str]:
    """Every page by the name of its file."""
    kinds = list(kinds)
    return {"index.md": index_page(kinds)} | {f"{kind.name}.md": kind_page(kind) for kind in kinds}


def write_pages(kinds: Iterable[Kind], folder: Path) -> list[Path]:
    """Write the pages; gives the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in kind_pages(kinds).items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written
