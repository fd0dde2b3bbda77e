"""Optional extras: the one place that loads what may not be installed."""

from __future__ import annotations

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
        if error.name is not None and error.name.startswith("attrition"):
            raise
        raise InputError(
            Problem(
                "an extra is not installed",
                "plan, [estimate] engine",
                f"numpyro, without the package {error.name}",
                "nuts, laplace or auto",
                "install 'attrition[gpu]', or choose another engine",
            )
        ) from error
    return fit
