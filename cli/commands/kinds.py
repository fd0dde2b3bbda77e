"""``attrition kinds``: the catalogue."""

from __future__ import annotations

from ..console import emit
from ..options import JsonOption


def kinds(as_json: JsonOption = False) -> None:
    """List every kind: a way of being partly observed."""
    from ...models import catalogue
    from ..findings import catalogue_text, catalogue_value

    found = catalogue_value("kind", catalogue.kinds())
    emit(catalogue_text("kind", found), found, as_json)
