"""The command line, called in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from attrition.cli.app import main


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def shell(monkeypatch, capsys) -> Callable[..., Answer]:
    """Call ``attrition`` with arguments."""

    def call(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["attrition", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            main()
        caught = capsys.readouterr()
        return Answer(int(ending.value.code), caught.out, caught.err)

    return call


@pytest.fixture
def files(tmp_path) -> Callable[[], set[str]]:
    """Every file under the test's folder, for seeing that nothing was written."""
    return lambda: {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}


@pytest.fixture
def started(shell, tmp_path):
    """``init table`` of a text: its answer and the folder."""

    def call(text: str, name: str = "mine.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return shell("init", "table", tmp_path / name, tmp_path / "start"), tmp_path / "start"

    return call
