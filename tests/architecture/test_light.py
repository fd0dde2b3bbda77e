"""What is loaded by importing: nothing heavy where a table or a help text is all that is wanted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SAMPLERS = ("pymc", "pytensor", "nutpie", "numba")
TABLES = ("pandas", "numpy", "scipy", "duckdb", "matplotlib", "pydantic", "xarray", "rich")


def loaded_by(statement: str) -> set[str]:
    """Top-level modules in memory after a statement, in a fresh interpreter."""
    program = (
        f"{statement}\nimport json, sys\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


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
    inside = "[m for m in sys.modules if m.startswith(('pymc.', 'nutpie.'))]"
    assert "attrition" in loaded_by(f"import attrition.estimation.verbs, sys\nassert not {inside}, {inside}")


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
