"""A sweep part after part: for a page that draws a coarse picture at once and refines it."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.experiment import Experiment
from explorer.sweep.axes import Axis, Over, axes_of
from explorer.sweep.gather import Workers, gather
from explorer.sweep.jobs import Found
from explorer.sweep.measures import measures_of
from explorer.sweep.plan import Task, check_memory, plan
from explorer.sweep.stored import StoredJobs

Parts = Generator["Part", None, None]


@dataclass(frozen=True)
class Part:
    """Some finished points of a sweep.

    Attributes:
        where: one index array [n] for each setting in ``over``: ``grid[part.where] = part.values[name]``.
        values: measure → [n].
        level: of refinement, 0 for the first coarse picture. A level is complete before the next one begins,
            unless workers overtake one another or parts were kept.
        done, total: points that are finished, these included, and all there are.
    """

    where: tuple[np.ndarray, ...]
    values: Found
    level: int
    done: int
    total: int


def sweep_parts(
    experiment: Experiment,
    over: Over,
    measure: str | Sequence[str] = "decades_per_step",
    *,
    executor: Workers | None = None,
    folder: str | Path | None = None,
) -> Parts:
    """As ``sweep``, part after part, each a fraction of a second of work, the coarsest picture first.

    What is not asked for is not computed; closing the generator cancels what was handed to an executor.
    """
    return parts_of(experiment, axes_of(experiment, over), measures_of(measure), executor, folder)


def parts_of(
    experiment: Experiment,
    axes: Sequence[Axis],
    measures: Sequence[str],
    executor: Workers | None,
    folder: str | Path | None,
) -> Parts:
    """As ``sweep_parts``, for axes and measures that were looked at already."""
    if experiment.network.kind != "single":
        raise ValueError("this experiment is a network of layers; experiment.alone() is its cell alone")
    check_memory(experiment, axes)
    tasks = plan(experiment, axes, measures)
    stored = None if folder is None else StoredJobs(Path(folder), experiment, axes, measures)
    return _finished(tasks, math.prod(len(axis.values) for axis in axes), executor, stored)


def _finished(
    tasks: Iterable[Task], total: int, executor: Workers | None, stored: StoredJobs | None
) -> Parts:
    done, missing = 0, []
    if stored:
        for task in tasks:
            kept = stored.load(task.index, task.job)
            if kept is None:
                missing.append(task)
                continue
            done += task.job.size
            yield Part(task.where, kept, task.level, done, total)
    for task, found in gather(missing if stored else tasks, executor):
        if stored:
            stored.save(task.index, found)
        done += task.job.size
        yield Part(task.where, found, task.level, done, total)
