"""∂L/∂W_hh by time step against autograd and against direct sums."""

from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import torch

from explorer import Experiment, run
from explorer.measures import weight_gradient_by_step, weight_gradient_total
from explorer.trace import Trace
from explorer.verify.rows import Rows
from explorer.verify.textbook import step

CELLS = [
    {"kind": "rnn"},
    {"kind": "rnn", "activation": "relu"},
    {"kind": "rnn", "activation": "linear"},
    {"kind": "lstm"},
    {"kind": "gru"},
    {"kind": "gru", "reset": "before"},
    {"kind": "gru", "reset": "before", "update": "renews"},
]


def by_autograd(trace: Trace) -> tuple[np.ndarray, float]:
    """Norms of the gradients of one copy of W_hh for every step, and of their sum."""
    rows = Rows(trace, 1e9)
    copies = [rows.weights.w_hh.clone().requires_grad_() for _ in range(trace.num_steps)]
    states = {name: torch.from_numpy(array[0].T.copy()) for name, array in trace.forward.states.items()}
    loss = torch.zeros((), dtype=torch.float64)
    for t, copy in enumerate(copies):
        rows.weights = replace(rows.weights, w_hh=copy)
        given = rows.weights.from_input(torch.from_numpy(trace.inputs[t]))
        states = step(trace.experiment.cell, rows.moment_at(t, given, states)).new
        loss = loss + (trace.loss_weights[t + 1] * states["h"] @ torch.from_numpy(trace.readout)).sum()
    grads = torch.autograd.grad(loss, copies)
    with np.errstate(divide="ignore"):
        return np.log10([float(g.norm()) for g in grads]), float(np.log10(float(sum(grads).norm())))


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_equals_autograd(cell: dict[str, str], loss: str) -> None:
    trace = run(
        Experiment(cell=cell, hidden_size=5, num_steps=40, batch_size=3, loss={"kind": loss}, initial_scale=1)
    )
    steps, total = by_autograd(trace)
    np.testing.assert_allclose(weight_gradient_by_step(trace), steps, atol=1e-10)
    assert weight_gradient_total(trace) == pytest.approx(total, abs=1e-11)
    np.testing.assert_allclose(weight_gradient_by_step(trace, normalise=True), steps - total, atol=1e-10)


def test_first_step_from_a_zero_state_has_no_part() -> None:
    steps = weight_gradient_by_step(run(Experiment(hidden_size=4, num_steps=6, batch_size=2)))
    assert steps[0] == -np.inf
    assert np.isfinite(steps[1:]).all()


def test_samples_that_nearly_cancel() -> None:
    """Two samples with h_b and h_b(1 + 1e-9), δ and −δ: the Gram sum alone would lose half of the digits."""
    trace = run(
        Experiment(cell={"kind": "rnn", "activation": "linear"}, hidden_size=2, num_steps=2, batch_size=2),
        weights={"weight_ih": np.zeros((2, 1)), "weight_hh": np.eye(2)},
        initial_state={"h": np.array([[1.0, 2.0], [1.0 + 1e-9, 2.0 + 2e-9]])},
    )
    trace.backward.totals["h"][..., 1] *= -1
    difference = np.linalg.norm(trace.forward.states["h"][0, :, 1] - trace.forward.states["h"][0, :, 0])
    np.testing.assert_allclose(weight_gradient_by_step(trace), np.log10(difference), atol=1e-12)


def test_states_beyond_float_range_equal_mpmath() -> None:
    """h = 4^t·h_0 and δ_t = 4^(T−t)·v: every step gives 4^(T−1)·‖h_0‖‖v‖, the total T times that."""
    steps = 1000
    experiment = Experiment(
        cell={"kind": "rnn", "activation": "linear"},
        initializer={"kind": "identity"},
        weight_scale=4,
        input_scale=0,
        bias_scale=0,
        initial_scale=1,
        hidden_size=2,
        num_steps=steps,
        batch_size=1,
    )
    trace = run(experiment)
    assert trace.forward.exponents is not None
    start = np.log10(np.linalg.norm(trace.states["h"][0, 0]))
    truth = float((steps - 1) * mp.log10(4)) + start
    np.testing.assert_allclose(weight_gradient_by_step(trace), truth, atol=1e-11)
    assert weight_gradient_total(trace) == pytest.approx(truth + np.log10(steps), abs=1e-11)


def test_weight_gradient_hides_vanishing() -> None:
    """SCIENCE.md: the last term of ∂L/∂W is always healthy, however far ∂L/∂h has vanished."""
    trace = run(Experiment(initializer={"kind": "orthogonal"}, weight_scale=0.7))
    steps = weight_gradient_by_step(trace)
    assert weight_gradient_total(trace) > 0
    assert steps[-1] > 0 and steps[1] < -14
