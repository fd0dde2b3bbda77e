"""The source tree, as the tests of this folder see it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("data", "models", "estimation", "reports", "cli")


@dataclass(frozen=True)
class Module:
    """One source file: its place, and what it imports."""

    path: Path

    @property
    def where(self) -> str:
        """Path below the root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def layer(self) -> str:
        """The folder under the root."""
        return self.where.split("/", 1)[0]

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.path.read_text(encoding="utf-8"))

    def imported(self) -> list[tuple[int, tuple[str, ...]]]:
        """Line and dotted parts of each import; inside the package the parts begin with the layer."""
        package = ("attrition", *self.path.relative_to(ROOT).parts[:-1])
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, tuple(alias.name.split("."))) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else ()
                stem = (*base, *(node.module.split(".") if node.module else ()))
                found += [(node.lineno, (*stem, alias.name)) for alias in node.names]
        return found


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every module of the five layers."""
    return [Module(path) for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
