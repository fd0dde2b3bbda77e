"""Runs are found by folder, prefix or plan, and read as tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attrition.data.errors import InputError
from attrition.estimation.store.find import find_run, list_runs, stored
from attrition.estimation.store.layout import run_folder, runs_root
from attrition.estimation.store.runs import Run

Write = Callable[..., Path]


def test_runs_root_is_beside_the_plan_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "plan.toml"
    monkeypatch.delenv("ATTRITION_RUNS", raising=False)
    assert runs_root(plan) == tmp_path / "runs"
    monkeypatch.setenv("ATTRITION_RUNS", str(tmp_path / "elsewhere"))
    assert runs_root(plan) == tmp_path / "elsewhere"
    assert runs_root(plan, tmp_path / "mine") == tmp_path / "mine"


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a\\b"])
def test_a_name_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="name of a folder"):
        run_folder(tmp_path, name, "aaaaaaaaaaaa")


def test_a_run_is_found_by_folder_prefix_and_plan(tmp_path: Path, write: Write) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('name = "quarterly"\n')
    root = tmp_path / "runs"
    older = write(root, "aaaaaaaaaaaa", created="2026-01-01T00:00:00")
    newer = write(root, "aabbbbbbbbbb", created="2026-01-02T00:00:00")
    write(root, "cccccccccccc", created="2026-01-03T00:00:00", status="unfit")
    write(root, "dddddddddddd", created="2026-01-04T00:00:00", name="another")
    assert [run.identity[:2] for run in list_runs(root)] == ["dd", "cc", "aa", "aa"]
    assert find_run(older).folder == older
    assert find_run("aaa", root).folder == older
    assert find_run(plan).folder == newer
    assert find_run(tmp_path).folder == newer
    unfit = find_run("cc", root)
    assert unfit.unfit
    assert stored(root, "quarterly", "cccccccccccc") is None
    with pytest.raises(InputError, match=r"2 runs begin so.*aabbbbbbbbbb.*aaaaaaaaaaaa") as ambiguous:
        find_run("aa", root)
    assert ambiguous.value.exit_code == 2


@pytest.mark.parametrize("file", ["monthly.toml", "monthly/plan.toml"])
def test_a_plan_without_a_name_is_known_by_its_stem_or_folder(
    tmp_path: Path, write: Write, file: str
) -> None:
    plan = tmp_path / file
    plan.parent.mkdir(exist_ok=True)
    plan.write_text("")
    with pytest.raises(InputError, match=r"no finished run.*attrition estimate"):
        find_run(plan)
    folder = write(plan.parent / "runs", name="monthly", status="unfit")
    assert find_run(plan).folder == folder


@pytest.mark.parametrize("text", ["", "zz", "no/such/folder"])
def test_what_is_not_there_is_said_with_what_is(tmp_path: Path, write: Write, text: str) -> None:
    write(tmp_path)
    if not text:  # the empty text is the present folder, which is no run either
        return
    with pytest.raises(InputError, match=r"no such run.*aaaaaaaaaaaa \(quarterly, complete\)"):
        find_run(text, tmp_path)


def test_a_folder_without_a_manifest_and_a_failed_run_are_refused(tmp_path: Path, write: Write) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="not a finished run"):
        find_run(empty)
    failed = write(tmp_path, status="failed")
    with pytest.raises(InputError, match="did not finish"):
        find_run(failed)
    (failed / "manifest.json").write_text("{")
    assert list_runs(tmp_path) == []


def test_table_gives_every_node_of_one_axis_once_in_order(tmp_path: Path, write: Write) -> None:
    run = Run(write(tmp_path))
    table = run.table(by="offense", step="referral-arrest")
    assert list(table["offense"]) == ["all", "theft", "fraud"]
    assert set(table["quantity"]) == {"rate"}
    assert set(table["basis"]) == {"superpopulation"}
    assert set(table["jurisdiction"]) == {"all"}
    assert set(run.table(basis="finite")["basis"]) == {"finite"}
    places = run.table(by="jurisdiction", offense="theft")
    assert list(places["jurisdiction"]) == ["all", "North"]
    assert set(places["offense"]) == {"theft"}


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"by": "offence"}, "'offense'"),
        ({"step": "referal-arrest"}, "'referral-arrest'"),
        ({"basis": "finit"}, "'finite'"),
        ({"jurisdiction": "Nort"}, "'North'"),
    ],
)
def test_table_says_what_was_meant(
    tmp_path: Path, write: Write, arguments: dict[str, str], advice: str
) -> None:
    run = Run(write(tmp_path))
    with pytest.raises(InputError, match=f"did you mean {advice}"):
        run.table(**arguments)


def test_a_missing_file_is_named(tmp_path: Path, write: Write) -> None:
    run = Run(write(tmp_path))
    with pytest.raises(InputError, match=r"information\.parquet"):
        _ = run.information
    with pytest.raises(InputError, match=r"draws\.nc"):
        _ = run.draws
