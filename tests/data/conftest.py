"""A small world: write files, read a panel, or collect the fault lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from attrition.data.errors import InputError
from attrition.data.inputs import PanelSpec
from attrition.data.intake import Intake, read_panel
from attrition.data.panel import Panel

TODAY = date(2025, 6, 1)
STAGES = ("referral", "investigation", "arrest")
HEADER = "offense,jurisdiction,period,referral,investigation,arrest\n"


@dataclass(frozen=True)
class Bench:
    """A folder, and the two ways to look at what a plan makes of it."""

    folder: Path

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_bytes(text.encode())
        return path

    def spec(self, sections: Mapping[str, Any]) -> PanelSpec:
        base: dict[str, Any] = {"funnel": {"stages": STAGES}, "inputs": [{"file": "data.csv"}]}
        return PanelSpec.model_validate(base | dict(sections))

    def read(
        self, text: str | None = None, sections: Mapping[str, Any] | None = None
    ) -> tuple[Panel, Intake]:
        if text is not None:
            self.write("data.csv", text)
        return read_panel(self.spec(sections or {}), self.folder, TODAY)

    def faults(self, text: str | None = None, sections: Mapping[str, Any] | None = None) -> list[str]:
        with pytest.raises(InputError) as caught:
            self.read(text, sections)
        assert caught.value.exit_code == 2
        return [problem.line() for problem in caught.value.problems]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def one_fault(bench: Bench) -> Callable[..., str]:
    """The only fault of a table."""

    def look(text: str | None = None, sections: Mapping[str, Any] | None = None) -> str:
        lines = bench.faults(text, sections)
        assert len(lines) == 1, lines
        return lines[0]

    return look
