"""``attrition effects``: the catalogue."""

from __future__ import annotations

from ..console import emit
from ..options import JsonOption


def effects(as_json: JsonOption = False) -> None:
    """List every effect: a term of the rate."""
    from ...models import catalogue
    from ..findings import catalogue_text, catalogue_value

    found = catalogue_value("effect", catalogue.effects())
    emit(catalogue_text("effect", found), found, as_json)
