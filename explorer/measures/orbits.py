"""Orbits as long as Lyapunov exponents need them: one sample of a network, run on beyond its last step."""

from __future__ import annotations

import numpy as np

from explorer.engine.backward import Source
from explorer.engine.forward import forward
from explorer.engine.lyapunov import Growth
from explorer.experiment import Experiment
from explorer.memory import MEMORY_LIMIT, TooLarge, memory_needed
from explorer.systems import draw_readout, initial_states, make_system
from explorer.trace import Trace, traced
from explorer.weights import Weights, draw_weights

Parts = tuple[Experiment, Weights, np.ndarray, dict[str, np.ndarray]]  # the arguments of make_system


def long_orbit(subject: Trace | Experiment, steps: int, settle: int, sample: int) -> Trace:
    """A run of settle + steps steps in float64 of one sample, with a loss at its last step."""
    experiment, weights, x, initial = orbit_parts(subject, steps, settle, sample)
    system = make_system(experiment, weights, x, initial)
    loss_weights = np.zeros(settle + steps + 1)
    loss_weights[-1] = 1.0
    readout = draw_readout(experiment)
    source = Source.of_loss(loss_weights, readout[:, None])
    return traced(experiment, weights, x, system, forward(system), source, readout, loss_weights)


def orbit_parts(subject: Trace | Experiment, steps: int, settle: int, sample: int) -> Parts:
    """Settings with one sample and settle + steps steps, weights, inputs and the initial state."""
    given = subject.experiment if isinstance(subject, Trace) else subject
    check_whole("steps", steps, 1)
    check_whole("settle", settle, 0)
    check_whole("sample", sample, 0, given.batch_size - 1)
    if not isinstance(subject, Trace) and given.network.kind != "single":
        raise ValueError("the experiment is a network of layers; allowed is one cell: experiment.alone()")
    total, column = settle + steps, slice(sample, sample + 1)
    one = {"num_steps": total, "batch_size": 1, "dtype": "float64"}
    experiment = given.model_copy(update=one)
    _refuse_too_large(experiment, given.batch_size)
    x = given.signal.draw(given.rng("signal"), total, given.batch_size)[0][:, column]
    if not isinstance(subject, Trace):
        initial = {name: array[:, column] for name, array in initial_states(given, None).items()}
        return experiment, draw_weights(experiment), x, initial
    own = subject.inputs[:, column]
    if total <= len(own):
        x = own[:total]
    elif subject.of_network or not np.array_equal(own, x[: len(own)]):
        raise ValueError(
            f"settle + steps is {total}; allowed is {len(own)} or less for a trace with inputs of its own"
        )
    return experiment, subject.weights, x, {n: a[:, column] for n, a in subject.system.initial.items()}


def _refuse_too_large(experiment: Experiment, batch_size: int) -> None:
    """Raise ``TooLarge`` when the orbit, or the inputs it is cut from, would not fit; say what would."""
    total = experiment.num_steps
    fixed = memory_needed(experiment.model_copy(update={"num_steps": 0}))
    moving = memory_needed(experiment) - fixed + 8 * total * batch_size * experiment.signal.input_size
    if fixed + moving <= MEMORY_LIMIT:
        return
    longest = int((MEMORY_LIMIT - fixed) * total / moving)
    raise TooLarge(
        f"This orbit would need {(fixed + moving) / 1e9:.1f} GB of memory and the limit is "
        f"{MEMORY_LIMIT / 1e9:.0f} GB: lower settle + steps to {longest} or less."
    )


def in_window(growth: Growth, settle: int) -> tuple[np.ndarray, np.ndarray]:
    """(times [n], logs [n, M]) of the window: steps after settling, and growth since the time before."""
    window = [(t - settle, logs) for t, logs in growth if t > settle]
    return np.array([t for t, _ in window]), np.stack([logs for _, logs in window])


def check_whole(name: str, value: float, low: int, high: int | None = None) -> None:
    """Refuse what is no whole number from ``low`` to ``high``."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        bounds = f"{low} or more" if high is None else f"{low} … {high}"
        raise ValueError(f"{name} is {value!r}; allowed are the whole numbers {bounds}")
