"""What is loaded by importing: nothing heavy where a table or a help text is all that is wanted."""

from __future__ import annotations

import pytest

from ..loaded import loaded_by

SAMPLERS = ("pymc", "pytensor", "nutpie", "numba")
TABLES = ("pandas", "numpy", "scipy", "duckdb", "matplotlib", "pydantic", "xarray", "rich")


def importing(modules, layer: str, within: str = "") -> str:
    """A statement that imports every module under a folder."""
    found = [module.where.removesuffix(".py").removesuffix("/__init__") for module in modules]
    names = [
        name.replace("/", ".") for name in found if name.startswith(f"{layer}/{within}") or name == layer
    ]
    assert names
    return "import " + ", ".join(f"attrition.{name}" for name in names)


def test_the_facade_loads_nothing():
    assert not loaded_by("import attrition") & {*SAMPLERS, *TABLES}


@pytest.mark.parametrize(("layer", "within"), [("data", ""), ("reports", ""), ("estimation", "store")])
def test_no_sampler_without_sampling(modules, layer, within):
    assert not loaded_by(importing(modules, layer, within)) & set(SAMPLERS)


def test_verbs_load_no_sampler():
    """PyMC and nutpie are placeholders in memory, without modules of their own, until a model is sampled."""
    loaded = loaded_by("import attrition.estimation.verbs")
    assert "attrition" in loaded
    assert not [name for name in loaded if name.startswith(("pymc.", "nutpie."))]


def test_help_loads_the_shell_alone():
    statement = (
        "import attrition.cli.app as shell, sys\n"
        "sys.argv = ['attrition', '--help']\n"
        "try:\n    shell.main()\nexcept SystemExit as end:\n    assert end.code == 0"
    )
    loaded = loaded_by(statement)
    assert "typer" in loaded
    assert not loaded & {*SAMPLERS, *TABLES}


def test_the_check_can_fail():
    assert "numpy" in loaded_by("import numpy")
