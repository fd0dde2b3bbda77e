"""One function of many items, by every way of running: the same results, lost workers, faults that arrive."""

from __future__ import annotations

import importlib
import pickle
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from attrition.data.errors import InputError, Problem
from attrition.estimation import extras
from attrition.estimation.many import fit_many
from attrition.estimation.plan import Plan, read_plan
from attrition.estimation.runners import cluster
from attrition.estimation.runners.catalogue import open_runner, ways
from attrition.estimation.runners.cluster import on_a_worker
from attrition.estimation.runners.contract import HERE, Runner, Where
from attrition.estimation.runners.here import Here
from attrition.estimation.store.runs import Run

from ..stored import write_run

ITEMS = [f"{k},{k + 1}" for k in range(12)]
LOCAL = Where(2, "local")


def quiet(_text: str) -> None:
    """No line at all."""


@pytest.fixture(scope="module")
def tasks() -> Iterator[ModuleType]:
    """Functions that other processes find by their names."""
    folder = str(Path(__file__).parent / "far")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(folder)
        patched.setenv("PYTHONPATH", folder)
        yield importlib.import_module("far_tasks")


@pytest.fixture(scope="module")
def local(tasks) -> Iterator[Runner]:
    """A cluster of two processes."""
    with open_runner(LOCAL, quiet) as runner:
        yield runner


def all_of(runner: Runner, task, items) -> list:
    """Results in the order of the items, each once."""
    found = list(runner.finished(task, items))
    assert sorted(number for number, _ in found) == list(range(len(items)))
    return [result for _, result in sorted(found)]


def test_a_wish_has_one_way():
    def way(where: Where) -> str:
        return next(one.name for one in ways() if one.takes(where))

    assert [way(w) for w in (HERE, Where(1), Where(3), Where(None, "tcp://a:1"), Where(3, "local"))] == [
        "here", "here", "processes", "dask", "dask",
    ]  # fmt: skip


def test_the_same_results_by_every_way(local):
    task = partial(str.split, sep=",")
    wanted = [item.split(",") for item in ITEMS]
    assert all_of(Here(), task, ITEMS) == wanted
    assert all_of(local, task, ITEMS) == wanted
    with open_runner(Where(2), quiet) as runner:
        assert all_of(runner, task, ITEMS) == wanted
        assert all_of(runner, task, []) == []
    assert all_of(local, task, []) == []


def test_what_a_lost_worker_had_begun_is_run_elsewhere(local, tasks, tmp_path):
    """Both workers work; one is killed in the middle of a task; every result comes, and none is lost."""
    items = [str(k) for k in range(20)]
    found = all_of(local, partial(tasks.dies_once, tmp_path), items)
    assert (tmp_path / "died").exists()
    assert [item for item, _ in found] == items
    assert len({process for _, process in found}) >= 2


def test_a_task_that_kills_every_worker_is_named(local, tasks, monkeypatch):
    monkeypatch.setattr(local.client.cluster.scheduler, "allowed_failures", 0)
    with pytest.raises(InputError, match=r"workers are lost while they fit.*1 in a row"):
        all_of(local, tasks.dies, ["1"])


@pytest.mark.parametrize("way", ["here", "local"])
def test_a_fault_arrives_with_all_its_problems(way, tasks, request):
    runner = Here() if way == "here" else request.getfixturevalue(way)
    with pytest.raises(InputError) as caught:
        all_of(runner, tasks.refuses, ["1", "2", "3"])
    assert [one.line() for one in caught.value.problems] == ["a: one", "b: two; found c"]
    # Nothing is left behind that stops the next.
    assert all_of(runner, tasks.refuses, ["4"]) == ["4"]


def test_a_fault_keeps_its_problems_through_a_pickle():
    error = InputError([Problem("one", "a"), Problem("two", "b", "c")])
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))


def test_a_worker_that_cannot_import_says_so_and_listens_on(local, tmp_path, monkeypatch):
    # Found by this process alone: the workers had started before.
    (tmp_path / "only_here.py").write_text("def same(text):\n    return text\n")
    monkeypatch.syspath_prepend(tmp_path)
    same = importlib.import_module("only_here").same
    with pytest.raises(InputError, match=r"a worker lacks a package.*no only_here"):
        all_of(local, same, ["1"])
    assert all_of(local, str.upper, ["a"]) == ["A"]


def test_another_version_on_a_worker_is_refused():
    assert on_a_worker(str.upper, cluster.source_digest(), "a") == "A"
    with pytest.raises(InputError, match="a worker has another version of attrition"):
        on_a_worker(str.upper, "another", "a")


class TestFaults:
    def test_no_scheduler_answers(self, monkeypatch):
        monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        for wrong in (address, "nonsense://there"):
            with (
                pytest.raises(InputError, match=f"no scheduler answers; found {wrong}"),
                open_runner(Where(None, wrong), quiet),
            ):
                pass

    def test_a_scheduler_has_workers_of_its_own(self):
        with (
            pytest.raises(InputError, match="leave out --workers"),
            open_runner(Where(4, "tcp://a:1"), quiet),
        ):
            pass

    def test_without_dask(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(InputError, match=r"--scheduler: an extra is not installed.*attrition\[dask\]"):
            extras.dask_distributed()


class Elsewhere(Runner):
    """Another process that sees other folders: what it is asked runs here, after something was done to the folder."""

    def __init__(self, spoil) -> None:
        self.spoil = spoil

    def finished(self, task, items):
        for number, item in enumerate(items):
            self.spoil()
            yield number, task(item)


class TestManyPlans:
    @pytest.fixture
    def plan(self, tmp_path: Path, monkeypatch) -> Plan:
        text = '[funnel]\nstages = ["a", "b"]\n[[input]]\nfile = "t.csv"\n'
        (tmp_path / "plan.toml").write_text(text)
        monkeypatch.chdir(tmp_path)
        return read_plan("plan.toml")

    def test_runs_and_faults_come_as_they_are_finished(self, plan, tmp_path):
        asked = []

        def fit(one: Plan, *, runs: Path, progress: bool) -> Run:
            asked.append((one.file, one.folder, progress))
            if len(asked) == 1:
                raise InputError(Problem("no statement carries information"))
            return write_run(runs, "aaaaaaaaaaaa")

        fits = fit_many(fit, Path("runs"), Elsewhere(lambda: None))
        first, second = fits([plan, plan])
        assert first[0] == 0
        assert isinstance(first[1], InputError)
        assert second == (1, Run(tmp_path / "runs" / "known" / "aaaaaaaaaaaa"))
        # Elsewhere there is another current folder and no bar to draw.
        assert asked == [(tmp_path / "plan.toml", tmp_path, False)] * 2
        assert not list((tmp_path / "runs").glob(".*"))
        list(fit_many(fit, Path("runs"), Here())([plan]))
        assert asked[-1] == (Path("plan.toml"), Path(), True)

    def test_a_worker_that_does_not_see_the_folder_is_told_before_it_fits(self, plan, tmp_path):
        def hide() -> None:
            for path in (tmp_path / "runs").iterdir():
                path.unlink()

        fits = fit_many(lambda *_a, **_k: pytest.fail("it was fitted"), tmp_path / "runs", Elsewhere(hide))
        with pytest.raises(InputError, match="a worker does not see the folder of runs"):
            list(fits([plan]))

    def test_a_run_that_does_not_come_is_missed(self, plan, tmp_path, monkeypatch):
        monkeypatch.setattr("attrition.estimation.store.shared._DELAY", 0.3)
        fits = fit_many(lambda *_a, **_k: Run(tmp_path / "x"), tmp_path / "runs", Elsewhere(lambda: None))
        with pytest.raises(InputError, match="a worker's run is not seen here"):
            list(fits([plan]))
