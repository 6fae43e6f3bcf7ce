"""``sweep``: measures of many experiments as an array with labelled axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from explorer.experiment import Experiment
from explorer.sweep.axes import Axis, Over, axes_of
from explorer.sweep.gather import Workers
from explorer.sweep.measures import MEASURES, measures_of
from explorer.sweep.parts import parts_of

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[int, int], object]


class Cancelled(Exception):
    """A sweep was cancelled.

    Attributes:
        finished: what ``sweep`` would have returned, NaN where it had not come to.
        done: boolean array, which tells these points from those that are NaN by themselves.
    """

    def __init__(self, finished: xr.DataArray | xr.Dataset, done: xr.DataArray) -> None:
        super().__init__(f"cancelled after {int(done.sum())} of {done.size} points")
        self.finished, self.done = finished, done


@overload
def sweep(
    experiment: Experiment,
    over: Over,
    measure: str = ...,
    *,
    executor: Workers | None = ...,
    progress: Progress | None = ...,
    cancelled: Callable[[], bool] | None = ...,
    folder: str | Path | None = ...,
) -> xr.DataArray: ...


@overload
def sweep(
    experiment: Experiment,
    over: Over,
    measure: list[str] | tuple[str, ...],
    *,
    executor: Workers | None = ...,
    progress: Progress | None = ...,
    cancelled: Callable[[], bool] | None = ...,
    folder: str | Path | None = ...,
) -> xr.Dataset: ...


def sweep(
    experiment: Experiment,
    over: Over,
    measure: str | Sequence[str] = "decades_per_step",
    *,
    executor: Workers | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    folder: str | Path | None = None,
) -> xr.DataArray | xr.Dataset:
    """Measures of an experiment for all combinations of the values of some settings.

    Everything random is the same at all points of one seed. Settings that multiply W_hh, or in which the
    drive is affine (scales, biases), are columns of one matrix product, hundreds of points at once. For all
    others, such as seeds and sizes, there are products of their own; values of ``num_steps`` share a forward
    pass, and each has its own way back. So every number is the one that ``run`` gives with these settings.

    Args:
        experiment: all other settings; one cell, no network of layers.
        over: setting → values, such as ``{"weight_scale": np.linspace(0, 4, 64), "seed": range(8)}``; any
            numeric setting.
        measure: a name in ``MEASURES``, or several.
        executor: any ``concurrent.futures.Executor``, to spread the work over processes or, with that of Dask
            or Ray, over a cluster; or a function that makes one, which is called again when a killed worker
            has broken the last one. The numbers are the same to the last digit.
        progress: called with (finished points, all points) after each part.
        cancelled: asked before each part whether to stop.
        folder: where finished parts are kept; the same sweep with the same folder goes on from them.

    Returns:
        A labelled array with one dimension for each setting; for several measures a dataset of such arrays.
        −inf stands for a gradient that is exactly 0, NaN for what is no number. Attributes hold the
        experiment as JSON, the measure's label and its unit.

    Raises:
        ValueError: a setting, value or measure that is not allowed; names it and what is.
        TooLarge: one point alone would need more than 1 GB.
        Cancelled: ``cancelled()`` was true; holds what was finished.
    """
    axes, measures = axes_of(experiment, over), measures_of(measure)
    shape = tuple(len(axis.values) for axis in axes)
    grids = {name: np.full(shape, np.nan) for name in measures}
    done = np.zeros(shape, bool)
    with closing(parts_of(experiment, axes, measures, executor, folder)) as parts:
        while not (cancelled and cancelled()) and (part := next(parts, None)):
            for name, values in part.values.items():
                grids[name][part.where] = values
            done[part.where] = True
            if progress:
                progress(part.done, part.total)
    whole = _labelled(experiment, axes, grids)
    finished = whole[measure] if isinstance(measure, str) else whole
    if not done.all():
        raise Cancelled(finished, _labelled(experiment, axes, {"done": done})["done"])
    return finished


def _labelled(experiment: Experiment, axes: Sequence[Axis], grids: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Arrays over the axes as one dataset, described so that xarray's own plots are labelled."""
    import xarray as xr  # takes as long to load as everything else together

    paths = [axis.path for axis in axes]
    about = {"experiment": experiment.canonical()}
    dataset = xr.Dataset(
        {name: (paths, grid, about) for name, grid in grids.items()},
        {axis.path: (axis.path, np.array(axis.values), {"long_name": axis.label}) for axis in axes},
        about,
    )
    for name in set(grids) & set(MEASURES):
        measure = MEASURES[name]
        described = {"long_name": measure.label, "units": measure.units, "description": measure.help}
        dataset[name].attrs |= described
    return dataset
