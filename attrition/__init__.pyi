from .data.errors import AttritionError, InputError, NotReproducible, Problem, UnfitError
from .estimation.store.find import find_run, list_runs
from .estimation.store.runs import Run
from .estimation.verbs import check, compile, estimate, read_panel, read_plan, simulate, validate
from .reports.render import write_report

__version__: str

__all__ = [
    "AttritionError",
    "InputError",
    "NotReproducible",
    "Problem",
    "Run",
    "UnfitError",
    "check",
    "compile",
    "estimate",
    "find_run",
    "list_runs",
    "read_panel",
    "read_plan",
    "simulate",
    "validate",
    "write_report",
]
