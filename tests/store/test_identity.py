"""A run's identity holds everything that could change its numbers, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attrition.data.digest import digest, digest_each, digest_files
from attrition.estimation.store import identity as module
from attrition.estimation.store.identity import identity, source_digest

from ..loaded import loaded_by

BASE: dict[str, Any] = {
    "blueprint": {"name": "quarterly", "prior": {"spread": 1.0}},
    "statements_digest": "s",
    "engine": "nuts",
    "engine_args": {"draws": 1000},
    "seed": 1,
    "package_version": "0.1.0",
    "source_digest": "d",
}
CHANGED: dict[str, Any] = {
    "blueprint": {"name": "quarterly", "prior": {"spread": 2.0}},
    "statements_digest": "t",
    "engine": "laplace",
    "engine_args": {"draws": 1001},
    "seed": 2,
    "package_version": "0.1.1",
    "source_digest": "e",
}


@pytest.mark.parametrize("ingredient", list(BASE))
def test_identity_changes_with_each_ingredient(ingredient: str) -> None:
    changed = identity(**(BASE | {ingredient: CHANGED[ingredient]}))
    assert changed != identity(**BASE)


def test_identity_is_twelve_hexadecimal_digits_and_ignores_the_order_of_keys() -> None:
    turned = {"prior": {"spread": 1.0}, "name": "quarterly"}
    name = identity(**BASE)
    assert len(name) == 12
    assert set(name) <= set("0123456789abcdef")
    assert identity(**(BASE | {"blueprint": turned})) == name


def test_identity_changes_with_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity(**BASE)
    monkeypatch.setattr(module, "FORMAT", 2)
    assert identity(**BASE) != before


def test_source_digest_is_stable_and_reads_every_package(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def spy(paths: list[Path], root: Path) -> str:
        read.extend(paths)
        return digest_files(paths, root)

    monkeypatch.setattr(module, "digest_files", spy)
    assert source_digest() == source_digest()
    assert Path(module.__file__) in read
    assert {"statement.py", "contract.py", "write.py"} <= {path.name for path in read}


def test_source_digest_changes_with_one_byte(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = digest_files([tmp_path / "a.py"], tmp_path)
    (tmp_path / "a.py").write_text("x = 2\n")
    assert digest_files([tmp_path / "a.py"], tmp_path) != before


def test_the_store_loads_no_modelling_library_and_no_xarray() -> None:
    loaded = loaded_by(
        "import attrition.estimation.store.find, attrition.estimation.store.write\n"
        "from attrition.estimation.store.identity import source_digest; source_digest()"
    )
    assert not loaded & {"pymc", "pytensor", "xarray.core", "attrition.models"}


def test_a_list_of_texts_has_the_digest_of_its_canonical_json():
    for texts in ([], ["a"], ['"é"', "b\\n", ""]):
        assert digest_each(iter(texts)) == digest(texts)
