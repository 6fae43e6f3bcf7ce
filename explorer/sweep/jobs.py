"""A job: some points of a sweep that are computed together, anywhere; small enough to be sent around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from explorer.experiment import Experiment
from explorer.memory import memory_needed
from explorer.sweep.batch import Batch, Runs
from explorer.sweep.columns import Columns
from explorer.sweep.measures import MEASURES
from explorer.systems import initial_states

Found = dict[str, np.ndarray]  # measure → one number for each point

_MEMORY = 1.5e8  # bytes that the trace of one product may take; measures on top of it take twice as much
_COLUMNS, _FEW = 512, 64  # columns of one product: at most, and unless the memory does not suffice at least
_CACHED = 2**16  # bytes that one state of all columns may take in between


@dataclass(frozen=True)
class Job:
    """n points and some horizons of one experiment.

    Attributes:
        experiment: all settings that these points share.
        knobs: setting → [n] values, those of the points' columns; without any there is one point.
        horizons: values of ``num_steps`` that each of the points is measured at.
        measures: names in ``MEASURES``.
    """

    experiment: Experiment
    horizons: tuple[int, ...]
    measures: tuple[str, ...]
    knobs: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Points times horizons."""
        return len(self.horizons) * (len(next(iter(self.knobs.values()))) if self.knobs else 1)


def points_at_once(experiment: Experiment) -> int:
    """How many points fill one product; decided by the settings alone, so that results are repeatable."""
    per_column = memory_needed(experiment, columns=2) - memory_needed(experiment, columns=1)
    state = experiment.hidden_size * np.dtype(experiment.dtype).itemsize
    columns = min(np.clip(_CACHED // state, _FEW, _COLUMNS), _MEMORY / per_column)
    return max(1, int(columns) // experiment.batch_size)


def compute(job: Job) -> Found:
    """All measures of a job, [horizons · n], points innermost."""
    found = {name: np.empty((len(job.horizons), job.size // len(job.horizons))) for name in job.measures}
    ends_only = all(MEASURES[name].ends for name in job.measures)
    for together in _with_one_input(job.experiment, job.horizons):
        longest = job.experiment.changed("num_steps", together[0])
        columns = _columns(longest.canonical(), tuple(job.knobs))
        batch = Batch(columns.system(job.knobs), ends_only=ends_only)
        for num_steps in together:
            runs = Runs(batch, job.experiment.changed("num_steps", num_steps))
            for name, rows in found.items():
                rows[job.horizons.index(num_steps)] = MEASURES[name].values(runs)
    return {name: rows.ravel() for name, rows in found.items()}


@lru_cache(maxsize=2)
def _columns(canonical: str, knobs: tuple[str, ...]) -> Columns:
    """Jobs that follow one another mostly share their matrices."""
    experiment = Experiment.model_validate_json(canonical)
    return Columns(experiment, knobs, _inputs(experiment), initial_states(experiment, None))


def _inputs(experiment: Experiment) -> np.ndarray:
    """x [T, B, I]."""
    signal, rng = experiment.signal, experiment.rng("signal")
    return signal.draw(rng, experiment.num_steps, experiment.batch_size)[0]


def _with_one_input(experiment: Experiment, horizons: Sequence[int]) -> list[list[int]]:
    """Horizons in groups, the longest first, in which every run is the beginning of the longest one.

    Not so where a pulse comes after the end (it is moved to the last step). Held gates and clocks may depend
    on the end as well, so such runs are not put together.
    """
    if len(horizons) == 1 or experiment.hold or experiment.cell.schedule(experiment.hidden_size, 1):
        return [[steps] for steps in horizons]
    inputs = {steps: _inputs(experiment.changed("num_steps", steps)) for steps in horizons}
    groups, rest = [], sorted(horizons, reverse=True)
    while rest:
        group = [steps for steps in rest if np.array_equal(inputs[steps], inputs[rest[0]][:steps])]
        groups.append(group)
        rest = [steps for steps in rest if steps not in group]
    return groups
