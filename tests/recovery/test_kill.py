"""A fit killed at any moment leaves only complete runs, and running again completes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from attrition.estimation.store.find import list_runs

COMMAND = Path(sys.executable).with_name("attrition")


@pytest.mark.slow
def test_ten_kills_at_random_moments(small_plan: Path, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    command = [str(COMMAND), "estimate", str(small_plan), "--draft", "--runs", str(root), "--seed"]
    # The first run fills the compile cache; the second tells how long one takes.
    subprocess.run([*command, "100"], check=True, capture_output=True)
    started = time.perf_counter()
    subprocess.run([*command, "0"], check=True, capture_output=True)
    whole = time.perf_counter() - started
    rng = np.random.default_rng(1)
    killed = 0
    for number in range(1, 11):
        with subprocess.Popen(
            [*command, str(number)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(float(rng.uniform(0.1, 0.9)) * whole)
            killed += process.poll() is None
            process.kill()
        for run in list_runs(root):
            assert run.status == "complete"
            assert len(run.estimates) > 0
            assert json.loads((run.folder / "checks.json").read_text())
    assert killed >= 7
    done = subprocess.run([*command, "1", "--json"], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["status"] == "complete"
    left = [path.name for path in (root / "small").iterdir() if path.name.startswith(".")]
    assert left == []
    started = time.perf_counter()
    again = subprocess.run([*command, "1", "--json"], check=True, capture_output=True, text=True)
    assert json.loads(again.stdout)["run"] == json.loads(done.stdout)["run"]
    assert time.perf_counter() - started < whole


@pytest.mark.slow
def test_interrupt_leaves_nothing(small_plan: Path, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    command = [str(COMMAND), "estimate", str(small_plan), "--runs", str(root), "--seed", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(12)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert "nothing was written" in words
    assert list_runs(root) == []
