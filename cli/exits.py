"""Exit codes, and what a person is told when a command ends early."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Final

from ..data.errors import AttritionError, InputError
from .console import progress

DONE: Final = 0
BUG: Final = 1
INPUT: Final = 2
UNFIT: Final = 3
CHECK_FAILED: Final = 4
INTERRUPTED: Final = 130


def guarded(command: Callable[[], object]) -> int:
    """Run a command line and return its exit code; every exception becomes a sentence on stderr.

    Parameters
    ----------
    command : callable
        May end by ``SystemExit``, as command-line parsers do.

    Returns
    -------
    int
        0 done, 1 a fault of this package, 2 plan or data at fault, 3 the sampler did not converge, 5 not
        reproducible, 130 stopped by the user. A command chooses 4 itself, by ``SystemExit``.
    """
    try:
        command()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else DONE if ending.code is None else BUG
        if code == INTERRUPTED:
            progress("stopped; nothing was written")
        return code
    except KeyboardInterrupt:
        progress("stopped; nothing was written")
        return INTERRUPTED
    except InputError as error:
        for problem in error.problems:
            progress(problem.line())
        return INPUT
    except AttritionError as error:
        progress(str(error))
        return error.exit_code
    except PermissionError as error:
        progress(f"{error.filename}: {error.strerror}; choose a folder you may read and write")
        return INPUT
    except Exception as error:
        progress(_confession(error))
        return BUG
    return DONE


def _confession(error: Exception) -> str:
    """One sentence about a fault of our own; the traceback goes to a file."""
    handle, path = tempfile.mkstemp(prefix="attrition-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as log:
        log.write(f"{' '.join(sys.argv)}\n\n")
        traceback.print_exception(error, file=log)
    kind = type(error).__name__
    return f"attrition stopped on a fault of its own ({kind}: {error}); the details are in {path}"
