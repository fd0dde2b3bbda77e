"""The identity of a run: a digest of everything that could change its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ...data.digest import digest, digest_files

FORMAT: Final = 1
LENGTH: Final = 12
PACKAGES: Final = ("data", "models", "estimation", "reports", "cli")
_ROOT: Final = __name__.split(".")[0]


def identity(
    blueprint: Mapping[str, Any],
    statements_digest: str,
    engine: str,
    engine_args: Mapping[str, Any],
    seed: int,
    package_version: str,
    source_digest: str,
) -> str:
    """The name of a run's folder: equal inputs give equal names, anything else another.

    Parameters
    ----------
    blueprint : mapping
        The resolved plan, as stored in ``blueprint.json``.
    statements_digest : str
        Digest of the statements used (``Panel.digest``).
    engine : str
    engine_args : mapping
        Draws, chains and whatever else the engine was told.
    seed : int
    package_version : str
    source_digest : str
        Of the installed package (``source_digest``).

    Returns
    -------
    str
        The first 12 hexadecimal digits of SHA-256 over canonical JSON.
    """
    return digest(
        {
            "format": FORMAT,
            "blueprint": blueprint,
            "statements": statements_digest,
            "engine": engine,
            "engine_args": engine_args,
            "seed": seed,
            "package_version": package_version,
            "source": source_digest,
        }
    )[:LENGTH]


def source_digest(packages: Sequence[str] = PACKAGES) -> str:
    """Digest of the installed package's own Python files, wherever each package lies.

    Nothing but a package's parent is imported: it is located, then its files are read.

    Parameters
    ----------
    packages : sequence of str
        Those below the root whose files count; default all of them.
    """
    found = {package: _folder_digest(f"{_ROOT}.{package}") for package in packages}
    found[_ROOT] = _folder_digest(_ROOT, deep=False)
    return digest(found)


def _folder_digest(package: str, *, deep: bool = True) -> str:
    # The root's own folder may contain the others (a wheel) or not (an editable install): it is read flat.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"package {package} is not installed", name=package)
    folder = Path(next(iter(spec.submodule_search_locations)))
    files = folder.rglob("*.py") if deep else folder.glob("*.py")
    return digest_files([path for path in files if "__pycache__" not in path.parts], folder)
