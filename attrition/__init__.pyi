from .data.errors import AttritionError, InputError, NotReproducible, Problem, UnfitError
from .estimation.runners.contract import Where
from .estimation.sensitivity.compare import Comparison
from .estimation.store.find import find_run, list_runs
from .estimation.store.runs import Run
from .estimation.verbs import (
    check,
    compare,
    compile,
    estimate,
    read_panel,
    read_plan,
    simulate,
    validate,
    vary,
)
from .reports.render import write_report

__version__: str

__all__ = [
    "AttritionError",
    "Comparison",
    "InputError",
    "NotReproducible",
    "Problem",
    "Run",
    "UnfitError",
    "Where",
    "check",
    "compare",
    "compile",
    "estimate",
    "find_run",
    "list_runs",
    "read_panel",
    "read_plan",
    "simulate",
    "validate",
    "vary",
    "write_report",
]
