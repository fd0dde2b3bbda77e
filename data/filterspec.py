"""The sections of a plan that name rows by their columns: ``[[exclude]]`` and ``[[prefer]]``."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, model_validator

from .section import Section


class _Filter(Section):
    """Column filters and the reason for them; keys other than ``reason`` are columns."""

    where: dict[str, tuple[str, ...]]
    reason: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _columns(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "where" in data:
            return data
        columns = {key: value for key, value in data.items() if key != "reason"}
        if not columns:
            raise ValueError('name at least one column to filter by, e.g. source_id = "x"')
        out: dict[str, Any] = {"where": {k: _texts(k, v) for k, v in columns.items()}}
        if "reason" in data:
            out["reason"] = data["reason"]
        return out


def _texts(column: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(v, str | int | date) and not isinstance(v, bool) for v in values):
        raise ValueError(f"{column}: a filter is a text or a list of texts")
    return tuple(v.isoformat() if isinstance(v, date) else str(v).strip() for v in values)


class ExcludeSpec(_Filter):
    """``[[exclude]]``: rows that are read, listed and not used."""


class PreferSpec(_Filter):
    """``[[prefer]]``: rows that win where sources conflict."""
