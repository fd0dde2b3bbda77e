"""A program's functions compiled by two processes from both ends: what one has written to disk the other finds there.

Numba compiles on one core, and a program of several hundred small functions takes minutes, once. Which types a function
is called with is known for certain only when all before it are compiled; here they are guessed: arrays in C order, as
nearly all are. A wrong guess costs some time of the second core and nothing else.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numba
import pytensor
from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.link.numba.cache import NUMBA_CACHE_PATH
from pytensor.link.numba.dispatch.basic import get_numba_type, numba_funcify_ensure_cache

# A short graph is compiled before the other process has started.
_FEWEST = 100


@contextmanager
def compiled_ahead(graph: FunctionGraph, key: str | None) -> Iterator[None]:
    """Have another process compile the functions of a graph, the last first, as long as the block lasts.

    Parameters
    ----------
    graph : FunctionGraph
    key : str or None
        Under which the program is kept on disk; one that is there is not compiled again.
    """
    known = key is None or not pytensor.config.numba__cache or any(NUMBA_CACHE_PATH.glob(f"*{key}*"))
    if known or (os.cpu_count() or 1) < 2 or len(graph.apply_nodes) < _FEWEST:
        yield
        return
    helper = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process, which then ends the other.
    )
    # Loading takes the other process seconds, in which a full pipe would hold this one up.
    threading.Thread(target=_hand_over, args=(graph, helper), daemon=True).start()
    try:
        yield
    finally:
        helper.kill()
        helper.wait()


def _hand_over(graph: FunctionGraph, helper: subprocess.Popen[bytes]) -> None:
    with suppress(OSError, ValueError, pickle.PicklingError, AttributeError, TypeError):
        assert helper.stdin is not None
        helper.stdin.write(pickle.dumps(graph))
        helper.stdin.close()


def compile_backwards(graph: FunctionGraph) -> int:
    """Compile the functions of a graph, the last first, and leave them on disk; how many were compiled."""
    made = 0
    for node in reversed(graph.toposort()):
        # What cannot be compiled by itself is left to the process that knows the types.
        with suppress(Exception):
            function, key = numba_funcify_ensure_cache(node.op, node=node)
            if key is not None:
                function.get_call_template([_guess(each) for each in node.inputs], {})
                made += 1
    return made


def _guess(variable: Any) -> Any:
    if isinstance(variable, Constant):
        found = numba.typeof(variable.data)
        return found.copy(readonly=True) if isinstance(found, numba.types.Array) else found
    return get_numba_type(variable.type, layout="C")


if __name__ == "__main__":
    from .density import optimized_once

    with optimized_once():
        compile_backwards(pickle.load(sys.stdin.buffer))
