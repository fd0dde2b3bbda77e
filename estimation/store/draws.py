"""The draws of a run on disk: one netCDF file, or, of many cells, a Zarr folder; groups are added one at a time.

Both hold the same tree. What is added need not be held until the rest is there, and what is read is read when it is
used. A Zarr array is many files, each compressed for itself: of a large run a few columns are read in a moment.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import lazy_loader
import numpy as np
from numpy.typing import NDArray

from ...data.errors import InputError, Problem
from .layout import DRAWS, DRAWS_OF_MANY

if TYPE_CHECKING:
    import h5netcdf
    import xarray as xr
    import zarr
else:
    # The draws are one part of a run among many: a table or a manifest must not wait for xarray.
    h5netcdf, xr, zarr = (lazy_loader.load(name) for name in ("h5netcdf", "xarray", "zarr"))

MANY: Final = 100_000  # step-cells above which the draws are a Zarr folder
CELLS: Final = "cells"
QUANTITIES: Final = "quantities"
COLUMNS: Final = 16  # quantities side by side in a chunk of a netCDF file
_BYTES: Final = 4_000_000  # of a chunk of a Zarr array


class DrawsWriter:
    """Adds groups to the draws of a run that is being written.

    Parameters
    ----------
    folder : Path
        Of the run.
    many : bool
        As Zarr.
    """

    def __init__(self, folder: Path, many: bool = False) -> None:
        self._many = many
        self.path = folder / (DRAWS_OF_MANY if many else DRAWS)

    def put(self, group: str, dataset: xr.Dataset) -> None:
        """Add a group; floating variables of ``cells`` become float32. Nothing of it is kept in memory."""
        ready = _storable(dataset, single=group == CELLS, text=str if self._many else object)
        if self._many:
            encoding = {
                name: {"chunks": _chunks(variable.shape, variable.dtype.itemsize)}
                for name, variable in ready.variables.items()
            }
            ready.to_zarr(self.path, group=group, mode="a", consolidated=False, encoding=encoding)
        else:
            columns = _columns(ready) if group == QUANTITIES else {}
            ready.to_netcdf(self.path, group=group, mode="a", engine="h5netcdf", encoding=columns)

    def room(
        self, group: str, coords: xr.Dataset, name: str, shape: tuple[int, ...], dims: tuple[str, ...]
    ) -> None:
        """Add a group with room for a variable in single precision, which ``fill`` fills.

        Parameters
        ----------
        group : str
        coords : Dataset
            All else of it.
        name : str
            Of the variable.
        shape, dims : tuple
            Its last axis is what it is filled along.
        """
        if not np.prod(shape):
            self.put(group, coords.assign({name: (dims, np.zeros(shape, dtype=np.float32))}))
            return
        self.put(group, coords)
        if self._many:
            zarr.open_group(self.path, mode="a").create_array(
                f"{group}/{name}",
                shape=shape,
                chunks=_chunks(shape, np.dtype(np.float32).itemsize),
                dtype="float32",
                dimension_names=dims,
            )
            return
        chunks = _side_by_side(shape) if group == QUANTITIES else None
        with h5netcdf.File(self.path, "a") as file:
            inside = file[group]
            for dim, size in zip(dims, shape, strict=True):
                if dim not in inside.dimensions:
                    inside.dimensions[dim] = size
            inside.create_variable(name, dims, dtype="f4", chunks=chunks, fillvalue=np.float32(np.nan))

    def fill(self, group: str, name: str, where: slice, values: NDArray[np.floating[Any]]) -> None:
        """Some columns (…, n) of a variable that there is room for."""
        single = values.astype(np.float32, copy=False)
        if self._many:
            zarr.open_array(self.path, path=f"{group}/{name}", mode="r+")[..., where] = single
            return
        with h5netcdf.File(self.path, "a") as file:
            file[group][name][..., where] = single

    def put_tree(self, draws: xr.DataTree) -> None:
        """Add every group of a tree."""
        for group in draws.subtree:
            if group.path != "/":
                self.put(group.path.strip("/"), group.to_dataset(inherit=False))


def open_draws(folder: Path) -> xr.DataTree:
    """The draws of a run, however they were written; variables are read from disk when used.

    Raises
    ------
    InputError
        There are none.
    """
    path = draws_path(folder)
    if path.name == DRAWS_OF_MANY:
        return xr.open_datatree(path, engine="zarr", consolidated=False)
    return xr.open_datatree(path, engine="h5netcdf")


def draws_path(folder: Path) -> Path:
    """The file or folder that holds a run's draws.

    Raises
    ------
    InputError
        There is neither.
    """
    found = [folder / name for name in (DRAWS, DRAWS_OF_MANY) if (folder / name).exists()]
    if not found:
        raise InputError(
            Problem("a file of this run is missing", str(folder / DRAWS), do="estimate with --again")
        )
    return found[0]


def _storable(dataset: xr.Dataset, single: bool, text: type) -> xr.Dataset:
    """Text as the format can hold it; floating variables in single precision where asked."""
    # No message is an empty one: of nothing but missing text one format makes numbers, the other words.
    texts: dict[Hashable, tuple[Any, NDArray[Any]]] = {
        name: (variable.dims, _words(variable.values).astype(text))
        for name, variable in dataset.variables.items()
        if not isinstance(variable.dtype, np.dtype) or variable.dtype.kind in "TO"
    }
    coords = {name: found for name, found in texts.items() if name in dataset.coords}
    out = dataset.assign_coords(coords).assign({n: t for n, t in texts.items() if n not in coords})
    if not single:
        return out
    return out.assign({n: v.astype(np.float32) for n, v in out.data_vars.items() if v.dtype.kind == "f"})


def _words(values: NDArray[Any]) -> NDArray[Any]:
    return np.array(["" if one is None else one for one in values.flat], dtype=object).reshape(values.shape)


def _columns(dataset: xr.Dataset) -> dict[Hashable, dict[str, Any]]:
    """Quantities in columns of a few: a report reads some of many thousand, each with all its draws."""
    value = dataset.get("value")
    if value is None or not value.size:
        return {}
    return {"value": {"chunksizes": _side_by_side(value.shape)}}


def _side_by_side(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:-1], min(shape[-1], COLUMNS))


def _chunks(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """All draws of as many columns, on the last axis, as a chunk may hold; numbers of ``size`` bytes."""
    rest = int(np.prod(shape[:-1])) * size
    return (*shape[:-1], *(min(n, max(_BYTES // max(rest, 1), 1)) for n in shape[-1:]))


def copy_draws(folder: Path, to: Path) -> Path:
    """The draws of a run beside other files: linked where the system can, else copied; their new path."""
    source = draws_path(folder)
    files = [source] if source.is_file() else [path for path in source.rglob("*") if path.is_file()]
    for path in files:
        new = to / path.relative_to(folder)
        new.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, new)
        except OSError:
            new.write_bytes(path.read_bytes())
    return to / source.name
