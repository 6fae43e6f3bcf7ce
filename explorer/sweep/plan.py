"""Which points of a sweep are computed together, and when: a coarse picture first, then its gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from explorer.experiment import Experiment
from explorer.memory import refuse_too_large
from explorer.sweep.axes import Axis
from explorer.sweep.columns import knobs
from explorer.sweep.jobs import Job, points_at_once

_COARSE = 8  # points that the first picture has along an axis: as many, or up to twice that
_HORIZON, _SEED = "num_steps", "seed"
_HORIZONS = 8  # horizons of one job at most, so that no job takes long


@dataclass(frozen=True)
class Task:
    """A job and the points that it gives.

    Attributes:
        index: position in the plan.
        job: what is computed.
        where: one index array [job.size] for each axis.
        level: of refinement, 0 for the first picture.
    """

    index: int
    job: Job
    where: tuple[np.ndarray, ...]
    level: int


def plan(experiment: Experiment, axes: Sequence[Axis], measures: Sequence[str]) -> Iterator[Task]:
    """All tasks of a sweep, in the order in which they are to be done.

    First every 2^k-th value of each axis, 8 to 15 of them, then every second of those left out, then the
    rest; seeds after the first come last. Order and tasks follow from the arguments alone. So do the numbers
    to the last digit, which depends on what shares a product.
    """
    open_knobs = knobs(experiment)
    inner = [k for k, axis in enumerate(axes) if axis.path in open_knobs]
    outer = [k for k, axis in enumerate(axes) if k not in inner and axis.path != _HORIZON]
    levels = np.maximum.reduce(np.meshgrid(*(_levels(axis) for axis in axes), indexing="ij"))
    index = count()
    for level in range(int(levels.max()) + 1):
        for points in _equal(np.argwhere(levels == level), outer):
            shared = experiment
            for k in outer:
                shared = shared.changed(axes[k].path, axes[k].values[points[0, k]])
            for job, where in _jobs(shared, axes, points, inner, tuple(measures)):
                yield Task(next(index), job, where, level)


def check_memory(experiment: Experiment, axes: Sequence[Axis]) -> None:
    """Raise ``TooLarge`` where the largest point alone would need more memory than a run may take."""
    for axis in axes:
        experiment = experiment.changed(axis.path, max(axis.values))
    refuse_too_large(experiment, experiment.signal.input_size)


def _levels(axis: Axis) -> np.ndarray:
    """Level at which each value of an axis enters."""
    index = np.arange(len(axis.values))
    if axis.path == _SEED:
        return np.where(index == 0, 0, 3)
    step = 2 ** max(0, (len(index) // _COARSE).bit_length() - 1)
    return np.where(index % step == 0, 0, np.where(index % max(1, step // 2) == 0, 1, 2))


def _equal(points: np.ndarray, axes: Sequence[int]) -> list[np.ndarray]:
    """Points [n, axes] in groups with equal indices on some axes; order is kept within a group."""
    if not axes or not len(points):
        return [points] if len(points) else []
    _, group = np.unique(points[:, axes], axis=0, return_inverse=True)
    group = group.ravel()
    order = np.argsort(group, kind="stable")
    return np.split(points[order], np.flatnonzero(np.diff(group[order])) + 1)


def _jobs(
    shared: Experiment,
    axes: Sequence[Axis],
    points: np.ndarray,
    inner: Sequence[int],
    measures: tuple[str, ...],
) -> Iterator[tuple[Job, tuple[np.ndarray, ...]]]:
    """The jobs of points that differ in columns and horizons only, and where their numbers belong."""
    horizon = [k for k, axis in enumerate(axes) if axis.path == _HORIZON]
    alike: dict[bytes, list[np.ndarray]] = {}  # the same columns → their points at each horizon
    for at_one in _equal(points, horizon):
        alike.setdefault(at_one[:, inner].tobytes(), []).append(at_one)
    for blocks in alike.values():
        for first in range(0, len(blocks), _HORIZONS):
            block = np.stack(blocks[first : first + _HORIZONS])  # [horizons, n, axes]
            steps = [int(axes[k].values[i]) for k in horizon for i in block[:, 0, k]] or [shared.num_steps]
            together = points_at_once(shared.changed("num_steps", max(steps)))
            for start in range(0, block.shape[1], together):
                part = block[:, start : start + together]
                values = {axes[k].path: np.array(axes[k].values)[part[0, :, k]] for k in inner}
                where = tuple(np.moveaxis(part, 2, 0).reshape(len(axes), -1))
                yield Job(shared, tuple(steps), measures, values), where
