"""Scenarios fitted on a cluster: the bytes of one process, though a worker is killed and the command is stopped."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
NAMES = ("wide", "wider", "narrow", "low")
PLAN = """format = 1
name = "tiny"
[funnel]
stages = ["referral", "investigation"]
[[input]]
file = "data.csv"
as_of = 2025-01-31
[prior]
intercept = {median = 0.3, sd = 1.0}
[estimate]
chains = 2
draws = 1000
tune = 500
""" + "".join(
    f'[[scenario]]\nname = "{name}"\nreason = "r"\nset = {{"prior.spread" = {spread}}}\n'
    for name, spread in zip(NAMES, (2.0, 3.0, 0.5, 0.3), strict=True)
)
DATA = """offense,jurisdiction,period,referral,investigation
theft,North,2023,40,12
theft,North,2024,25,8
fraud,North,2023,30,9
fraud,North,2024,20,6
theft,South,2023,20,5
fraud,South,2023,10,4
theft,South,2024,20,7
fraud,South,2024,10,2
"""
FINISHED = re.compile(r"^Scenario \d of 4, \w+: \d+ s", re.MULTILINE)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text(DATA)
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path / "plan.toml"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A scheduler and two workers, each a process of its own: its address, and the workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", port, "--dashboard-address", ":0"]
    worker = ["worker", address, "--nthreads", "1", "--no-nanny", "--dashboard-address", ":0"]
    with ExitStack() as stack:
        started = []
        for number, words in enumerate((scheduler, worker, worker)):
            folder = tmp_path / f"node {number}"
            folder.mkdir()
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
            started.append(stack.enter_context(subprocess.Popen([str(BIN / "dask"), *words], **quiet)))
            stack.callback(started[-1].kill)
        yield address, started[1:]


def vary(plan: Path, runs: str, *more: str) -> list[str]:
    return [
        str(BIN / "attrition"), "vary", str(plan), "--refit", "--runs", str(plan.parent / runs), *more,
    ]  # fmt: skip


def comparison(plan: Path, runs: str) -> bytes:
    (path,) = (plan.parent / runs / "tiny").glob("*/sensitivity.csv")
    return path.read_bytes()


def heard() -> None:
    """Ctrl-C stops the command even where the tests run in the background of a shell, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def until_one_is_finished(said: Path, process: subprocess.Popen) -> None:
    while not FINISHED.search(said.read_text()):
        assert process.poll() is None, said.read_text()
        time.sleep(0.1)


@pytest.mark.slow
def test_the_bytes_of_one_process(plan, cluster, tmp_path):
    subprocess.run(vary(plan, "here"), check=False, capture_output=True)
    wanted = comparison(plan, "here")
    address, workers = cluster
    command = vary(plan, "there", "--scheduler", address)
    said = tmp_path / "said.txt"

    # Stopped when one scenario is finished: that one is kept.
    with (
        said.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=out, preexec_fn=heard) as process,
    ):
        until_one_is_finished(said, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert "the same command goes on from there" in said.read_text()
    assert "Traceback" not in said.read_text()
    before = set(FINISHED.findall(said.read_text()))

    # A worker is killed while both fit; the other does its work.
    with said.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        until_one_is_finished(said, process)
        workers[0].kill()
        assert process.wait(600) in (0, 3)
    text = said.read_text()
    assert text.count(": stored") >= len(before) >= 1
    assert text.count(": stored") + len(FINISHED.findall(text)) == len(NAMES)
    assert comparison(plan, "there") == wanted
    assert not list((tmp_path / "there").glob(".*"))
