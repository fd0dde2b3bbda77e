"""Canonical JSON and its digest: the identity of a thing is what it says, not how it is laid out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# One for all: to make an encoder takes longer than a statement does.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces, UTF-8 and no NaN; equal values give equal text."""
    return _CANONICAL.encode(value)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_each(texts: Iterable[str]) -> str:
    """The digest of a list of texts, which is never written out as a whole."""
    h = hashlib.sha256(b"[")
    for number, text in enumerate(texts):
        h.update(b"," * (number > 0) + canonical_json(text).encode())
    h.update(b"]")
    return h.hexdigest()


def digest_files(paths: list[Path], root: Path) -> str:
    """SHA-256 over the relative names and bytes of files, in sorted order."""
    h = hashlib.sha256()
    for path in sorted(paths):
        h.update(path.relative_to(root).as_posix().encode() + b"\0")
        h.update(hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()
