"""Echo-state networks: does the reservoir forget its start, and how many past inputs can be read off it?

Nothing here uses a gradient: a reservoir is frozen and only its linear readout is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.experiment import Experiment
from explorer.signals import Noise
from explorer.trace import run

_WASHOUT = 100  # steps whose states still remember the start
_STEPS, _SEQUENCES = 1000, 8  # of the input on which memory is measured
_RIDGE = 1e-10  # of the states' variance


def state_distances(experiment: Experiment, driven: bool = True) -> np.ndarray:
    r""":math:`\log_{10}\lVert h_t - h'_t\rVert_2` of two trajectories from different random starts.

    Both have the same weights and, when ``driven``, read the same input; otherwise they read zeros. The
    starts are standard normal. With the echo-state property (Jaeger 2001) the distance falls to 0 whatever
    they are.

    Returns:
        [T+1, B] in decades; −inf where the two are equal to the last digit, NaN where one is no number.
    """
    if not driven:
        experiment = experiment.changed("signal", "zeros")
    shape = (experiment.batch_size, experiment.hidden_size)
    states = [
        run(experiment, initial_state={"h": experiment.rng(f"start/{k}").standard_normal(shape)}).states["h"]
        for k in (1, 2)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log10(np.linalg.norm(states[0] - states[1], axis=2)))


@dataclass(frozen=True)
class MemoryCurve:
    """How well a linear readout recalls the input of k steps ago.

    Attributes:
        delays: k = 1, 2, … [K].
        capacity: MC_k [K], the squared correlation of readout and past input on sequences that it was not
            fitted to: between 0 and 1.
        units: N; the sum over all delays is at most N (Jaeger 2001).
    """

    delays: np.ndarray
    capacity: np.ndarray
    units: int

    @property
    def total(self) -> float:
        """MC = Σ_k MC_k over the delays that were tried."""
        return float(self.capacity.sum())


def memory_curve(inputs: np.ndarray, states: np.ndarray, delays: np.ndarray, washout: int = 0) -> MemoryCurve:
    r"""MC_k of a reservoir: ridge regression from h_t to x_{t-k}, all delays at once.

    Args:
        inputs: x, [T, B], independent random numbers.
        states: h, [T, B, N]; entry t has read inputs[t].
        delays: whole numbers of at least 0.
        washout: first steps that are left out.

    The first half of the sequences fits the readout, the second half is recalled. MC_k is NaN where
    states are not finite.

    Raises:
        ValueError: fewer than two sequences, or none of the steps is left.
    """
    from sklearn.linear_model import Ridge

    steps, batch = inputs.shape
    first = max(washout, int(np.max(delays)))
    if batch < 2 or first >= steps - 1:
        raise ValueError(f"{batch} sequences of {steps} steps are too few for delays up to {np.max(delays)}")
    size = states.shape[2]
    if not np.isfinite(states[first:]).all():
        return MemoryCurve(delays, np.full(len(delays), np.nan), size)
    past = np.stack([inputs[first - k : steps - k] for k in delays], axis=2)  # [T', B, K]
    half = batch // 2
    seen, unseen = (states[first:, part].reshape(-1, size) for part in (slice(half), slice(half, None)))
    wanted, asked = (past[:, part].reshape(-1, len(delays)) for part in (slice(half), slice(half, None)))
    spread = seen.std(axis=0)
    alive = spread > 1e-12 * max(float(spread.max()), 1e-300)
    if not alive.any():
        return MemoryCurve(delays, np.zeros(len(delays)), size)
    scaled = seen[:, alive] / spread[alive]
    readout = Ridge(alpha=_RIDGE * len(scaled), solver="svd").fit(scaled, wanted)
    recalled = readout.predict(unseen[:, alive] / spread[alive]).reshape(len(asked), -1)
    return MemoryCurve(delays, _squared_correlation(recalled, asked), size)


def _squared_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """r² of each column [K]; 0 for a column that does not vary."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    sizes = np.square(a).sum(axis=0) * np.square(b).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sizes > 0, np.square((a * b).sum(axis=0)) / sizes, 0.0)


def memory_capacity(experiment: Experiment) -> MemoryCurve:
    """The memory curve of an experiment's network for delays 1 … 2N (at most 200).

    Memory is defined for independent inputs, so the network reads white noise in place of its signal: 8
    sequences of 1000 steps, of which the first 100 are left out.
    """
    drive = experiment.model_copy(
        update={"signal": Noise(), "num_steps": _STEPS, "batch_size": _SEQUENCES, "hold": ""}
    )
    trace = run(drive)
    delays = np.arange(1, min(2 * experiment.hidden_size, 200) + 1)
    return memory_curve(trace.inputs[:, :, 0], trace.states["h"][1:], delays, _WASHOUT)
