"""The command line: one command a verb; exit codes in ``exits``."""

from __future__ import annotations

import sys

import typer

from .commands.backtest import backtest
from .commands.check import check
from .commands.compare import compare
from .commands.effects import effects
from .commands.estimate import estimate
from .commands.init import init
from .commands.kinds import kinds
from .commands.release import release
from .commands.report import report
from .commands.runs import runs
from .commands.sbc import sbc
from .commands.show import show
from .commands.simulate import simulate
from .commands.validate import validate
from .commands.vary import vary
from .exits import guarded

app = typer.Typer(
    help="How often a referral becomes an investigation, an arrest, a conviction: rates from sparse counts.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(init, name="init")
for command in (
    validate,
    estimate,
    check,
    vary,
    compare,
    report,
    release,
    backtest,
    show,
    simulate,
    sbc,
    runs,
    kinds,
    effects,
):
    app.command()(command)


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(guarded(lambda: app(prog_name="attrition")))
