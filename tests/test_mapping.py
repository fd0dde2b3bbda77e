"""One import name over folders of other names: editable, in a spawned process, and from a wheel."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pytest

import attrition

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("data", "models", "estimation", "reports", "cli")


def step_kind(unit: str) -> str:
    """Run in the child: needs the package by its import name there, too."""
    funnel = import_module("attrition.data.funnel")
    return funnel.Funnel(("referral", "arrest"), {"arrest": unit}).steps[0].kind


@pytest.mark.parametrize("layer", LAYERS)
def test_each_folder_is_a_package_of_the_import_root(layer):
    package = import_module(f"attrition.{layer}")
    assert package.__name__ == f"attrition.{layer}"
    assert Path(package.__file__).name == "__init__.py"


def test_a_spawned_process_finds_the_package():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(step_kind, ["report", "person"]) == ["probability", "ratio"]


def test_package_data_are_reachable():
    evidence = files("attrition.data.evidence")
    assert (
        (evidence / "first_table.csv").read_text(encoding="utf-8").startswith("offense,jurisdiction,period")
    )
    assert (files("attrition") / "py.typed").is_file()


def test_version_is_that_of_the_distribution():
    assert attrition.__version__ == version("attrition")


def test_every_name_of_the_facade_exists():
    assert set(attrition.__all__) <= set(dir(attrition))
    for name in attrition.__all__:
        assert getattr(attrition, name) is not None


def test_the_facade_names_things_by_their_own_name():
    assert attrition.InputError is import_module("attrition.data.errors").InputError
    with pytest.raises(AttributeError):
        attrition.no_such_name  # noqa: B018


@pytest.mark.slow
def test_a_wheel_installed_elsewhere_imports(tmp_path):
    """Built, installed into an empty folder and imported with nothing of the checkout on the path."""
    source = tmp_path / "source"
    left_out = shutil.ignore_patterns(".*", "build", "out", "runs", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, source, ignore=left_out)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path / "wheel"),
        str(ROOT),
    ]
    subprocess.run(build, check=True)
    (wheel,) = (tmp_path / "wheel").glob("attrition-*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in getattr(f, '__module__', '')]\n"
        "import attrition, attrition.data.read, attrition.cli.app, attrition.reports\n"
        "from importlib.resources import files\n"
        "print((files('attrition.data.evidence') / 'first_table_plan.toml').is_file(), attrition.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.startswith(f"True {site}")
