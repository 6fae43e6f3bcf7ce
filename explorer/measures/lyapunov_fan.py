"""The largest Lyapunov exponent against the gain, all gains side by side as columns of one product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explorer.engine.forward import forward
from explorer.engine.lyapunov import vector_growth
from explorer.experiment import Experiment
from explorer.measures.orbits import in_window, orbit_parts
from explorer.memory import memory_needed
from explorer.systems import make_system

_COLUMNS, _MEMORY = 512, 2.5e8  # orbits run side by side, and bytes that they may take


def lyapunov_fan(
    experiment: Experiment,
    gains: Sequence[float] | np.ndarray,
    seeds: Sequence[int] | np.ndarray,
    *,
    steps: int = 300,
    settle: int = 100,
    sample: int = 0,
) -> np.ndarray:
    r"""The largest Lyapunov exponent against the gain of the recurrent matrix, for several seeds.

    All gains are columns of one run, as :math:`(g\,U)\,h = U\,(g\,h)`; each has a vector of its own, whose
    length is set back to 1 every 5 steps at least. Any cell; everything random follows from the seed.

    Args:
        experiment: the network; its ``weight_scale`` and ``seed`` are replaced.
        gains: weight scales, [G].
        seeds: [S].
        steps: length of the window.
        settle: steps before the window.
        sample: which sequence of the batch.

    Returns:
        [G, S] in nats per step; −inf where the vector is lost exactly, NaN where states are no numbers.

    Raises:
        ValueError: a network of layers, or an argument out of range; names what is allowed.
        TooLarge: a single orbit would need more than 1 GB.
    """
    values, numbers = _check_gains(gains), np.asarray(seeds, np.int64).tolist()
    found = np.full((len(values), len(numbers)), np.nan)
    for k, seed in enumerate(numbers):
        chosen = experiment.changed("seed", seed).changed("weight_scale", 1.0)
        orbit = orbit_parts(chosen, steps, settle, sample)
        system = make_system(*orbit)
        dimension = len(chosen.cell.states) * chosen.hidden_size
        vector = chosen.rng("lyapunov").standard_normal((dimension, 1))
        chunk = max(1, int(min(_COLUMNS, _MEMORY / memory_needed(orbit[0], columns=1))))
        for start in range(0, len(values), chunk):
            gain = values[start : start + chunk]
            columns = {name: np.tile(array, (1, len(gain))) for name, array in system.initial.items()}
            drive = np.tile(system.drive, (1, 1, len(gain)))
            many = replace(system, drive=drive, initial=columns, gain=gain)
            vectors = np.tile(vector / np.linalg.norm(vector), (1, len(gain)))
            _, logs = in_window(vector_growth(many, forward(many), vectors, settle), settle)
            found[start : start + chunk, k] = logs.sum(axis=0) / steps
    return found


def undriven(experiment: Experiment) -> Experiment:
    """The same network without input, started from a random state (standard deviation 1 if it had none)."""
    scale = experiment.initial_scale or 1.0
    return experiment.changed("signal", "zeros").changed("initial_scale", scale)


def _check_gains(gains: Sequence[float] | np.ndarray) -> np.ndarray:
    """[G] in float64."""
    values = np.asarray(gains, np.float64)
    if values.ndim != 1:
        raise ValueError(f"gains has shape {values.shape}; allowed is a list of numbers")
    bad = values[~(np.isfinite(values) & (values >= 0))]
    if len(bad):
        raise ValueError(f"gains contains {bad[0]}; allowed are finite numbers of 0 or more")
    return values
