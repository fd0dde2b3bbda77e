"""Optional extras: the one place that loads what may not be installed."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from ..data.errors import InputError, Problem

if TYPE_CHECKING:
    from .engines.nuts import Sampler


def numpyro_sampler() -> Sampler:
    """The sampler of ``attrition[gpu]``.

    Raises
    ------
    InputError
        JAX or NumPyro is not installed.
    """
    try:
        from .engines.accelerated.fit import fit
    except ModuleNotFoundError as error:
        raise _missing(
            error,
            "plan, [estimate] engine",
            "numpyro",
            "nuts, laplace or auto",
            "install 'attrition[gpu]', or choose another engine",
        ) from error
    return fit


def dask_distributed() -> ModuleType:
    """The client of ``attrition[dask]``.

    Raises
    ------
    InputError
        Dask is not installed.
    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise _missing(
            error,
            "--scheduler",
            "a Dask scheduler",
            "--workers, processes of this machine",
            "install 'attrition[dask]', or leave out --scheduler",
        ) from error
    return distributed


def _missing(error: ModuleNotFoundError, where: str, wanted: str, allowed: str, do: str) -> Exception:
    """What to say of a package that is not there; a module of this one that is not there is a fault of ours."""
    if error.name is not None and error.name.startswith("attrition"):
        return error
    found = f"{wanted}, without the package {error.name}"
    return InputError(Problem("an extra is not installed", where, found, allowed, do))
