"""The ledger is exact: its parts add up to the change, and for the RNN they are diag(φ′) and Uᵀ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.measures import ledger, state_norms
from tests.strategies import alone

SMALL = {
    "hidden_size": st.integers(2, 6),
    "num_steps": st.integers(2, 40),
    "batch_size": st.integers(1, 3),
}


@settings(max_examples=60, deadline=None)
@given(experiment=alone(**SMALL))
def test_parts_add_up_to_the_change_of_the_norm(experiment: Experiment) -> None:
    trace = run(experiment)
    entries = ledger(trace)
    np.testing.assert_array_equal(entries.norms, state_norms(trace))
    norms = entries.norms
    alive = np.isfinite(norms[1:]) & np.isfinite(norms[:-1])
    total = entries.slope + entries.matrix + entries.loss
    started = np.isneginf(entries.slope) | np.isneginf(entries.matrix)  # a gradient died where a loss enters
    alive &= ~started
    change = norms[:-1][alive] - norms[1:][alive]
    np.testing.assert_allclose(total[alive], change, atol=1e-9)
    dead = np.isneginf(norms[1:])
    assert np.isnan(entries.slope[dead]).all()
    no_loss = trace.loss_weights[:-1] == 0
    assert (np.nan_to_num(entries.loss[no_loss]) == 0).all()


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "linear"])
def test_rnn_parts_are_the_slope_then_the_matrix(activation: str, loss: str) -> None:
    trace = run(
        Experiment(
            cell={"kind": "rnn", "activation": activation},
            hidden_size=6,
            num_steps=12,
            batch_size=2,
            loss={"kind": loss},
        )
    )
    entries = ledger(trace)
    adjoints = trace.backward.totals["h"] * np.exp2(trace.backward.exponents)[:, None]
    a = trace.forward.slots[:, 0]
    slope = {"tanh": 1 / np.cosh(a) ** 2, "relu": (a > 0) * 1.0, "linear": np.ones_like(a)}[activation]
    delta = slope * adjoints[1:]
    back = np.einsum("ij,tib->tjb", trace.weights["weight_hh"], delta)

    def norm(array: np.ndarray) -> np.ndarray:
        return np.log10(np.linalg.norm(array, axis=1))

    np.testing.assert_allclose(entries.slope, norm(delta) - norm(adjoints[1:]), atol=1e-12)
    np.testing.assert_allclose(entries.matrix, norm(back) - norm(delta), atol=1e-12)
    np.testing.assert_allclose(entries.loss, norm(adjoints[:-1]) - norm(back), atol=1e-12)


def test_orthogonal_matrix_costs_nothing() -> None:
    entries = ledger(run(Experiment(initializer={"kind": "orthogonal"}, hidden_size=16, batch_size=2)))
    np.testing.assert_allclose(entries.matrix, 0, atol=1e-13)
    assert (entries.slope < 0).all()


def test_constant_forget_gate_costs_its_logarithm() -> None:
    """U = 0 and no input: behind the first step only f = σ(2) is left on the way back."""
    trace = run(
        Experiment(
            cell={"kind": "lstm", "forget_bias": 2},
            weight_scale=0,
            input_scale=0,
            bias_scale=0,
            hidden_size=3,
            num_steps=30,
            batch_size=1,
        )
    )
    entries = ledger(trace)
    gone = np.log10(1 / (1 + np.exp(-2.0)))
    assert entries.keeping is not None
    np.testing.assert_allclose(entries.keeping, gone, atol=1e-12)
    np.testing.assert_allclose(entries.slope[:-1], gone, atol=1e-12)
    np.testing.assert_allclose(entries.slope[-1], gone + np.log10(0.5), atol=1e-12)  # o = σ(0), c = 0
    np.testing.assert_allclose(entries.matrix, 0, atol=1e-12)


GATED = [{"kind": "lstm"}, {"kind": "gru"}, {"kind": "gru", "update": "renews", "reset": "before"}]


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("cell", GATED, ids=str)
def test_without_a_matrix_the_gates_cost_exactly_their_product(cell: dict[str, str], loss: str) -> None:
    trace = run(Experiment(cell=cell, weight_scale=0, hidden_size=5, num_steps=20, loss={"kind": loss}))
    entries = ledger(trace)
    np.testing.assert_allclose(entries.matrix, 0, atol=1e-12)
    if loss == "every":
        return
    lstm = cell["kind"] == "lstm"
    keep = np.moveaxis(trace.gates["forget" if lstm else "update"], 1, 2)
    path = np.prod(1 - keep if cell.get("update") == "renews" else keep, axis=0)
    if lstm:
        path = path * trace.gates["output"][-1].T * (1 - np.tanh(trace.states["c"][-1].T) ** 2)
    wanted = np.log10(np.linalg.norm(path * trace.readout[:, None], axis=0))
    np.testing.assert_allclose(entries.slope.sum(axis=0), wanted, atol=1e-12)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("cell", GATED, ids=str)
def test_gates_cost_what_their_path_takes_from_the_state(cell: dict[str, str], scale: float) -> None:
    """At steps without a loss: log10(‖f ⊙ ∂L/∂c‖ / ‖∂L/∂c‖), close to the mean of log10 f."""
    trace = run(Experiment(cell=cell, weight_scale=scale, hidden_size=16, num_steps=30, batch_size=2))
    entries = ledger(trace)
    lstm = cell["kind"] == "lstm"
    adjoint = trace.backward.totals["c" if lstm else "h"][1:]
    keep = np.moveaxis(trace.gates["forget" if lstm else "update"], 1, 2)
    keep = 1 - keep if cell.get("update") == "renews" else keep
    wanted = np.log10(np.linalg.norm(keep * adjoint, axis=1) / np.linalg.norm(adjoint, axis=1))
    np.testing.assert_allclose(entries.slope[:-1], wanted[:-1], atol=1e-12)
    assert abs(entries.slope[:-1].mean() - np.log10(keep).mean()) < 0.05


def test_a_closed_gate_leaves_the_split_of_the_plain_network() -> None:
    """f = 0 in float32: nothing is carried, and what arrives is not called a gain from nothing."""
    trace = run(Experiment(cell={"kind": "lstm"}, hidden_size=4, num_steps=5, batch_size=2, dtype="float32"))
    trace.forward.gates[2, trace.experiment.cell.gates.index("forget")] = 0
    trace.forward.slots[2, 2] = -1000
    entries = ledger(trace)
    assert np.isfinite(entries.slope[2]).all() and np.isfinite(entries.matrix[2]).all()
    assert (np.abs(entries.slope[2]) < 3).all()


def test_who_killed_the_gradient() -> None:
    """Dead units: −inf in slope; no matrix: −inf in matrix; before that there is nothing to split."""
    small = {"hidden_size": 4, "num_steps": 5, "batch_size": 2}
    dead = ledger(run(Experiment(cell={"kind": "rnn", "activation": "relu", "bias": -10}, **small)))
    assert np.isneginf(dead.slope[-1]).all()
    assert np.isnan(dead.slope[:-1]).all() and np.isnan(dead.matrix).all()
    cut = ledger(run(Experiment(weight_scale=0, **small)))
    assert np.isneginf(cut.matrix[-1]).all()
    assert np.isfinite(cut.slope[-1]).all() and np.isnan(cut.slope[:-1]).all()
