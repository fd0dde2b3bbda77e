"""Reading the templates."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def template_path(name: str) -> Path:
    """Where a file of ``templates`` lies."""
    return Path(str(files(__package__).joinpath(name)))


def read_template(name: str) -> str:
    """Text of a file in ``templates``."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
