"""Exit codes, and what is said with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attrition.cli.exits import guarded
from attrition.data.errors import InputError, NotReproducible, Problem, UnfitError


def raising(error: BaseException):
    """A command that ends so."""

    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError(Problem("wrong")), 2),
        (UnfitError("rhat 1.4"), 3),
        (NotReproducible("differs"), 5),
        (KeyboardInterrupt(), 130),
        (SystemExit(130), 130),
        (SystemExit(4), 4),
        (SystemExit(None), 0),
        (SystemExit("text"), 1),
        (PermissionError(13, "Permission denied", "/x"), 2),
        (ValueError("ours"), 1),
    ],
)
def test_each_ending_has_its_code(error, code):
    assert guarded(raising(error)) == code


def test_success_is_zero():
    assert guarded(lambda: None) == 0


def test_every_problem_is_one_line_on_stderr(capsys):
    problems = [
        Problem("negative count", "a.csv, row 2"),
        Problem("unknown stage", "a.csv, row 9", "'arest'"),
    ]
    guarded(raising(InputError(problems)))
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.splitlines() == [problem.line() for problem in problems]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(130)])
def test_an_interrupt_says_that_nothing_was_written(capsys, error):
    guarded(raising(error))
    assert capsys.readouterr().err == "stopped; nothing was written\n"


def test_a_fault_of_ours_is_one_sentence_and_a_log(capsys):
    guarded(raising(ZeroDivisionError("of all things")))
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    log = Path(re.search(r"details are in (\S+)", said)[1])
    assert "ZeroDivisionError: of all things" in log.read_text()
    assert "Traceback" in log.read_text()
    log.unlink()


def test_usage_errors_are_the_users(shell):
    assert shell("no-such-command").code == 2
    assert shell("estimate").code == 2
    assert shell("validate", "--no-such-option", "x").code == 2


def test_help_is_no_error(shell):
    answer = shell("--help")
    assert answer.code == 0
    for verb in (
        "init",
        "validate",
        "estimate",
        "check",
        "report",
        "show",
        "runs",
        "kinds",
        "effects",
        "simulate",
    ):
        assert f"\n  {verb} " in answer.out


@pytest.mark.parametrize("command", ["validate", "estimate", "check", "report", "show"])
def test_a_missing_plan_or_run_is_the_users(shell, tmp_path, files, command):
    answer = shell(command, tmp_path / "absent.toml")
    assert answer.code == 2
    assert "absent.toml" in answer.err
    assert answer.out == ""
    assert files() == set()
