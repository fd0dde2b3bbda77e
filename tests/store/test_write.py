"""A run appears whole or not at all."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attrition.estimation.store.draws import DrawsWriter, copy_draws, draws_path, open_draws
from attrition.estimation.store.find import list_runs, stored
from attrition.estimation.store.runs import Run
from attrition.estimation.store.stale import tidy
from attrition.estimation.store.write import RunWriter, put_table

Write = Callable[..., Path]

# Writes one run after another, saying before each file what it is about to do, and slowly.
SLOW = """
import sys, time
import pandas as pd
from pathlib import Path
from attrition.estimation.store import write
point = [0]
force = write._force
def slow(path):
    force(path)
    point[0] += 1
    print(point[0], flush=True)
    time.sleep(0.2 if point[0] == int(sys.argv[2]) else 0)
write._force = slow
import os
rename = os.rename
def slow_rename(old, new):
    rename(old, new)
    slow(Path(new).parent)
os.rename = slow_rename
with write.RunWriter(Path(sys.argv[1]), "quarterly", "aaaaaaaaaaaa", again=True) as writer:
    writer.write_json("manifest.json",
        {"name": "quarterly", "identity": "aaaaaaaaaaaa", "status": "complete", "mark": "new"})
    writer.write_table("estimates", pd.DataFrame({"a": [1, 2]}))
    writer.write_text("plan.toml", "name = 'quarterly'")
print("done", flush=True)
time.sleep(30)
"""


def _kill_at(root: Path, point: int) -> str:
    """Kill a writing process just after its n-th forced write or rename; what it had said by then."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(root), str(point)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said = line.strip()
        if said in (str(point), "done"):
            break
    process.kill()
    process.wait()
    process.stdout.close()
    return said


@pytest.mark.parametrize("existing", [False, True])
def test_sigkill_at_every_point_leaves_only_complete_runs(
    tmp_path: Path, write: Write, existing: bool
) -> None:
    for point in range(1, 20):
        root = tmp_path / str(point)
        if existing:
            write(root, mark="old")
        said = _kill_at(root, point)
        runs = list_runs(root)
        for run in runs:
            assert run.status == "complete"
            files = {path.name for path in run.folder.iterdir()}
            whole = {"manifest.json", "estimates.parquet", "estimates.csv"}
            assert whole <= files
        found = stored(root, "quarterly", "aaaaaaaaaaaa")
        if existing:
            assert found is not None, f"the old run was lost at point {point}"
        write(root, mark="after", again=True)
        assert not [p for p in (root / "quarterly").iterdir() if p.name.startswith(".")]
        after = stored(root, "quarterly", "aaaaaaaaaaaa")
        assert after is not None
        assert after.manifest["mark"] == "after"
        if said == "done":
            break
    assert said == "done"
    assert point >= 7


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), RunWriter(tmp_path, "quarterly", "aaaaaaaaaaaa"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match=r"manifest\.json"),
        RunWriter(tmp_path, "quarterly", "aaaaaaaaaaaa") as writer,
    ):
        writer.write_text("plan.toml", "")
    assert list_runs(tmp_path) == []


def test_the_second_of_two_writers_finds_the_run_of_the_first(tmp_path: Path, write: Write) -> None:
    with RunWriter(tmp_path, "quarterly", "aaaaaaaaaaaa") as writer:
        # The first process commits while this one is still writing; its own hidden folder is another's.
        writer.folder.rename(writer.folder.with_name("kept"))
        write(tmp_path, mark="first")
        writer.folder.with_name("kept").rename(writer.folder)
        writer.write_json("manifest.json", {"status": "complete", "mark": "second"})
    assert writer.kept_existing
    assert Run(writer.final).manifest["mark"] == "first"
    assert [p.name for p in (tmp_path / "quarterly").iterdir()] == ["aaaaaaaaaaaa"]


def test_again_replaces_and_an_unfit_run_is_always_replaced(tmp_path: Path, write: Write) -> None:
    write(tmp_path, status="unfit", mark="1")
    assert stored(tmp_path, "quarterly", "aaaaaaaaaaaa") is None
    write(tmp_path, mark="2")
    final = write(tmp_path, mark="3")
    assert Run(final).manifest["mark"] == "2"
    write(tmp_path, mark="4", again=True)
    assert Run(final).manifest["mark"] == "4"


def test_folders_of_living_processes_are_left_alone(tmp_path: Path) -> None:
    with RunWriter(tmp_path, "quarterly", "aaaaaaaaaaaa") as writer:
        tidy(writer.final.parent)
        assert writer.folder.is_dir()
        elsewhere = writer.final.parent / ".tmp-bbbbbbbbbbbb-1-another_machine"
        elsewhere.mkdir()
        tidy(writer.final.parent)
        assert elsewhere.is_dir()
        writer.write_json("manifest.json", {"status": "complete"})
    old = time.time() - 8 * 24 * 3600
    os.utime(elsewhere, (old, old))
    tidy(writer.final.parent)
    assert not elsewhere.exists()


def test_draws_come_back_as_written_and_cells_in_single_precision(tmp_path: Path, draws: xr.DataTree) -> None:
    with RunWriter(tmp_path, "quarterly", "aaaaaaaaaaaa") as writer:
        writer.write_json("manifest.json", {"status": "complete"})
        writer.write_draws(draws)
    assert draws["cells"]["rate"].dtype == np.float64  # the caller's own tree is not touched
    back = Run(writer.final).draws
    xr.testing.assert_equal(back["posterior"].to_dataset().load(), draws["posterior"].to_dataset())
    assert back["cells"]["rate"].dtype == np.float32
    np.testing.assert_allclose(back["cells"]["rate"], draws["cells"]["rate"], rtol=1e-6)
    assert list(back["cells"]["period"].values) == ["2023", "2024", "2023", "2024"]
    xr.testing.assert_equal(back["quantities"].to_dataset().load(), draws["quantities"].to_dataset())
    assert back["quantities"]["value"].encoding["chunksizes"] == (2, 5, 16)
    back.close()


def test_draws_of_many_cells_are_read_as_those_of_few(tmp_path: Path, draws: xr.DataTree) -> None:
    runs = []
    for identity, many in (("aaaaaaaaaaaa", False), ("bbbbbbbbbbbb", True)):
        with RunWriter(tmp_path, "quarterly", identity) as writer:
            writer.write_json("manifest.json", {"status": "complete"})
            writer.write_draws(draws, many)
        runs.append(Run(writer.final))
    few, many_cells = runs
    assert draws_path(few.folder).name == "draws.nc"
    assert draws_path(many_cells.folder).name == "draws.zarr"
    assert set(few.draws.children) == set(many_cells.draws.children) == set(draws.children)
    for name in draws.children:
        one, two = (run.draws[name].to_dataset().load() for run in runs)
        assert {n: v.dtype for n, v in one.data_vars.items()} == {
            n: v.dtype for n, v in two.data_vars.items()
        }
        xr.testing.assert_equal(one, two)
    few.draws.close()


def test_a_chunk_holds_all_draws_of_some_columns(tmp_path: Path) -> None:
    value = np.arange(2.0 * 500 * 3000).reshape(2, 500, 3000)
    writer = DrawsWriter(tmp_path, many=True)
    writer.put("quantities", xr.Dataset({"value": (("chain", "draw", "quantity_id"), value)}))
    back = open_draws(tmp_path)["quantities"]["value"]
    assert back.encoding["chunks"] == (2, 500, 500)
    np.testing.assert_array_equal(back[:, :, 499:501], value[:, :, 499:501])


@pytest.mark.parametrize("many", [False, True])
def test_draws_are_copied_whole(tmp_path: Path, draws: xr.DataTree, many: bool) -> None:
    source, to = tmp_path / "one", tmp_path / "two"
    source.mkdir()
    to.mkdir()
    DrawsWriter(source, many).put_tree(draws)
    new = copy_draws(source, to)
    assert new.parent == to
    xr.testing.assert_equal(open_draws(to)["posterior"].to_dataset().load(), draws["posterior"].to_dataset())


def test_a_writer_that_fails_leaves_no_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for root in (tmp_path / "new", tmp_path / "there"):
        with pytest.raises(ZeroDivisionError), RunWriter(root, "quarterly", "aaaaaaaaaaaa") as writer:
            writer.draws(many=1 / 0)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_tables_are_written_twice_with_equal_content(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a,b", "é"], "value": [0.1, np.nan]})
    with RunWriter(tmp_path, "quarterly", "aaaaaaaaaaaa") as writer:
        writer.write_json("manifest.json", {"status": "complete"})
        writer.write_table("estimates", table)
    pd.testing.assert_frame_equal(Run(writer.final).estimates, table)
    pd.testing.assert_frame_equal(pd.read_csv(writer.final / "estimates.csv"), table)


def test_csv_holds_what_a_reader_of_csv_would_have_to_be_told(tmp_path: Path) -> None:
    texts = ["a,b", 'say "x"', "two\nlines", "=1+1", None, "é"]
    numbers = [1.0, 0.1, 1e-12, 1e22, np.nan, np.inf]
    table = pd.DataFrame({"text": texts, "number": numbers, "flag": [True, False] * 3, "whole": range(6)})
    put_table(tmp_path / "table", table)
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["text", "number", "flag", "whole"]
    assert [row[0] for row in rows] == ["a,b", 'say "x"', "two\nlines", "'=1+1", "", "é"]
    assert [row[1] for row in rows] == ["1", "0.1", "1e-12", "1e+22", "", "inf"]
    assert [row[2:] for row in rows] == [["True" if k % 2 == 0 else "False", str(k)] for k in range(6)]


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_long_tables_are_written_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr("attrition.estimation.store.write._ROWS", 3)
    table = pd.DataFrame({"name": [f"r{k}" for k in range(rows)], "value": np.arange(rows) / 7})
    put_table(tmp_path / "table", table)
    found = pd.read_csv(tmp_path / "table.csv", dtype={"name": str, "value": float})
    pd.testing.assert_frame_equal(found, table, check_dtype=False)


def test_nan_is_not_json(tmp_path: Path) -> None:
    with RunWriter(tmp_path, "quarterly", "aaaaaaaaaaaa") as writer:
        writer.write_json("manifest.json", {"status": "complete"})
        with pytest.raises(ValueError, match="JSON"):
            writer.write_json("checks.json", [{"value": float("nan")}])
