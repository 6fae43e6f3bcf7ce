"""The adjoint loop: derivatives of the loss that was really computed, at any size, for any loss weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.engine.backward import Backward, Source, backward
from explorer.experiment import Experiment
from explorer.measures import gradient_norms
from explorer.measures.norms import log10_norms
from explorer.trace import Trace, run

SMALL: dict[str, Any] = {"hidden_size": 4, "num_steps": 9, "batch_size": 2, "seed": 1}
CELLS: dict[str, dict[str, Any]] = {
    "tanh": {"kind": "rnn"},
    "lstm": {"kind": "lstm"},
    "gru": {"kind": "gru"},
    "gru, reset before": {"kind": "gru", "reset": "before"},
}


def loss_of(trace: Trace) -> float:
    h = trace.states["h"]
    return float(np.einsum("t,tbh,h->", trace.loss_weights, h, trace.readout))


def again(trace: Trace, loss_weights: np.ndarray, readout: np.ndarray, **options: Any) -> Backward:
    return backward(trace.system, trace.forward, Source.of_loss(loss_weights, readout), **options)


def value(found: Backward, state: str = "h") -> np.ndarray:
    return np.ldexp(found.totals[state], found.exponents[:, None])


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_initial_gradient_is_the_slope_of_the_loss(cell: str, loss: str) -> None:
    experiment = Experiment(cell=CELLS[cell], loss={"kind": loss}, **SMALL)
    rng, eps = np.random.default_rng(0), 1e-5
    start = {name: 0.3 * rng.standard_normal((2, 4)) for name in experiment.cell.states}
    trace = run(experiment, initial_state=start)
    for state in start:
        gradient = value(trace.backward, state)[0].T
        for b, unit in [(0, 0), (1, 3)]:
            step = np.zeros((2, 4))
            step[b, unit] = eps
            up, down = (
                loss_of(run(experiment, initial_state=start | {state: start[state] + sign * step}))
                for sign in (1, -1)
            )
            assert gradient[b, unit] == pytest.approx((up - down) / (2 * eps), rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_linear_in_readout_and_loss(cell: str) -> None:
    trace = run(Experiment(cell=CELLS[cell], initial_scale=0.5, **SMALL))
    rng = np.random.default_rng(2)
    one, two = rng.standard_normal((2, 4, 2))
    early, late = np.zeros((2, 10))
    early[3], late[9] = 0.7, -2.0
    both = value(again(trace, early + late, one + two))
    parts = sum(value(again(trace, w, v)) for w in (early, late) for v in (one, two))
    np.testing.assert_allclose(both, parts, rtol=1e-12, atol=1e-15)
    assert (value(again(trace, early, one))[4:] == 0).all()


def test_shared_exponents_change_no_number() -> None:
    trace = run(Experiment(cell={"kind": "gru"}, **SMALL))
    readout = np.diag([1.0, 1e-30, 1e30, 1.0])[:, [0, 2]]
    weights = np.ones(10)
    own, shared = (again(trace, weights, readout, shared=way) for way in (False, True))
    assert (shared.exponents == shared.exponents[:, :1]).all()
    np.testing.assert_allclose(value(own), value(shared), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [1e-3, 3.9])
def test_far_beyond_the_float_range(scale: float, dtype: str) -> None:
    """A linear network with scale · identity multiplies by exactly that number at each step."""
    trace = run(
        Experiment(
            cell={"kind": "rnn", "activation": "linear"},
            initializer={"kind": "identity"},
            weight_scale=scale,
            hidden_size=3,
            num_steps=1000,
            batch_size=1,
            dtype=dtype,
        )
    )
    kept = float(np.dtype(dtype).type(scale))
    norms = gradient_norms(trace, "h")[:, 0]
    digits = 1e-10 if dtype == "float64" else 2e-4
    np.testing.assert_allclose(norms, np.arange(1000, -1, -1) * np.log10(kept), atol=digits, rtol=0)
    assert abs(norms[0]) > 590


def test_a_loss_enters_beside_a_gradient_of_another_size() -> None:
    """Two losses 400 steps apart: the late one has shrunk to 1e-400 before the early one enters."""
    experiment = Experiment(
        cell={"kind": "rnn", "activation": "linear"},
        initializer={"kind": "identity"},
        weight_scale=0.1,
        hidden_size=2,
        num_steps=450,
        batch_size=1,
    )
    trace = run(experiment)
    weights = np.zeros(451)
    weights[[50, 450]] = 1e-200, 1.0
    found = again(trace, weights, trace.readout[:, None])
    norms = np.log10(np.abs(found.totals["h"]).max(axis=(1, 2))) + found.exponents[:, 0] * np.log10(2)
    size = np.log10(np.abs(trace.readout).max())
    assert norms[51] == pytest.approx(-399 + size, abs=1e-9)
    assert norms[50] == pytest.approx(-200 + size, abs=1e-9)
    assert norms[0] == pytest.approx(-250 + size, abs=1e-9)


def test_no_loss_no_gradient() -> None:
    trace = run(Experiment(cell={"kind": "lstm"}, **SMALL))
    found = again(trace, np.zeros(10), np.ones((4, 2)))
    assert all((array == 0).all() for array in found.totals.values())


SHRINKING: dict[str, Any] = {
    "cell": {"kind": "lstm", "forget_bias": -9},
    "weight_scale": 0.05,
    "hidden_size": 4,
    "batch_size": 2,
}


def test_a_gradient_that_shrinks_within_a_block_is_not_lost() -> None:
    """float32 ends at 1e-45: a loss in the middle of a block has left that behind before the block ends."""
    experiment = Experiment(num_steps=100, loss={"kind": "step", "step": 63}, **SHRINKING)
    single, double = (
        gradient_norms(run(experiment.changed("dtype", "float32"))),
        gradient_norms(run(experiment)),
    )
    assert double[1].max() < -100
    np.testing.assert_allclose(single[:64], double[:64], atol=1e-2)
    assert (single[64:] == -np.inf).all()


@pytest.mark.parametrize("beside", [0.0, 1.0])
def test_a_gradient_that_shrinks_between_two_losses_is_not_lost(beside: float) -> None:
    """Nothing enters the first sample for 28 steps: its gradient there is that of the late loss alone."""
    trace = run(Experiment(num_steps=32, dtype="float32", **SHRINKING))
    late, early = np.zeros((2, 33, 4, 2), np.float32)
    late[32], late[4:32, :, 1], early[:4] = 1, beside, 1
    alone, both = (
        backward(trace.system, trace.forward, Source.of_array(values, np.zeros((33, 2), np.int64)))
        for values in (late, late + early)
    )
    norms = [log10_norms(found.totals["h"], found.exponents)[4:] for found in (alone, both)]
    np.testing.assert_allclose(norms[1], norms[0], atol=1e-5)
    assert norms[1][0, 0] < -50
