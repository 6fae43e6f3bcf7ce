"""Both lanes against autograd, closed forms and Jacobian products; shares against copies of h by slot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.cells import CELLS
from explorer.measures import gradient_norms
from explorer.measures.jacobian import jacobian_products
from explorer.measures.lanes import keeping_factors, lane_derivatives, lane_shares

SMALL = {"hidden_size": 4, "num_steps": 7, "batch_size": 2}


def traced(kind: str = "lstm", **changes: Any) -> Any:
    return run(Experiment.model_validate(SMALL | {"cell": {"kind": kind}} | changes))


class LstmInTorch:
    """The LSTM step by step, with a copy of h for each gate so that its share of the gradient can be read."""

    def __init__(self, trace: Any) -> None:
        w = {name: torch.from_numpy(array) for name, array in trace.weights.items()}
        size = trace.system.hidden_size
        batch = trace.inputs.shape[1]
        h = torch.zeros(batch, size, dtype=torch.float64, requires_grad=True)
        c = torch.zeros(batch, size, dtype=torch.float64, requires_grad=True)
        self.cells, self.copies, self.kept = [c], [], []
        for x in torch.from_numpy(trace.inputs):
            copies = [h.clone() for _ in range(4)]
            a = [
                x @ w["weight_ih"][rows].T
                + w["bias_ih"][rows]
                + copies[k] @ w["weight_hh"][rows].T
                + w["bias_hh"][rows]
                for k, rows in enumerate(slice(k * size, (k + 1) * size) for k in range(4))
            ]
            stored = c.clone()
            self.copies.append(copies)
            self.kept.append(stored)
            c = a[1].sigmoid() * stored + a[0].sigmoid() * a[2].tanh()
            h = a[3].sigmoid() * c.tanh()
            self.cells.append(c)
        self.h = h


# ---- how large the lanes are ----


def test_full_derivative_of_the_cell_equals_autograd() -> None:
    trace = traced(weight_scale=2.0)
    torch_lstm = LstmInTorch(trace)
    found = lane_derivatives(trace, sample=1)
    assert found is not None and found.state == "c" and found.directions == 4
    rows = [
        torch.autograd.grad(torch_lstm.cells[-1][1, k], torch_lstm.cells, retain_graph=True) for k in range(4)
    ]
    for t in range(8):
        jacobian = torch.stack([row[t][1] for row in rows])
        assert found.full[t] == pytest.approx(float(torch.log10(jacobian.norm() / 2)), abs=1e-10)
        kept = trace.gates["forget"][t:, 1].prod(axis=0)
        assert found.direct[t] == pytest.approx(0.5 * np.log10(np.mean(kept**2)), abs=1e-12)
    assert abs(found.full[0] - found.direct[0]) > 0.05  # the two lanes are not the same here


@pytest.mark.parametrize("reset", ["after", "before"])
def test_full_derivative_of_the_gru_is_that_of_the_jacobian_products(reset: str) -> None:
    trace = traced(cell={"kind": "gru", "reset": reset})
    found = lane_derivatives(trace)
    assert found is not None and found.state == "h"
    products = jacobian_products(trace)
    norms = np.log10(np.linalg.norm(products, axis=(1, 2)) / 2)
    np.testing.assert_allclose(found.full, norms, atol=1e-10)


def test_without_recurrent_matrix_the_product_of_the_forget_gates_is_everything() -> None:
    found = lane_derivatives(traced(weight_scale=0.0, num_steps=100))
    assert found is not None
    np.testing.assert_allclose(found.full, found.direct, atol=1e-11)
    assert found.direct[0] < -10


def test_an_open_forget_gate_is_exactly_one_and_a_shut_one_exactly_zero() -> None:
    found = lane_derivatives(traced(hold="forget=1; input=0"))
    assert found is not None
    assert (found.direct == 0).all() and (found.full == 0).all()
    found = lane_derivatives(traced(hold="forget=0@5"))
    assert found is not None
    assert np.isneginf(found.direct[:5]).all() and np.isfinite(found.direct[5:]).all()
    assert np.isfinite(found.full).all()  # through h
    found = lane_derivatives(traced(hold="forget=0@5", weight_scale=0.0))
    assert found is not None
    assert np.isneginf(found.full[:5]).all() and np.isfinite(found.full[5:]).all()


@pytest.mark.parametrize("strength", [0.0, 5.0])
def test_with_peepholes_the_cell_path_is_not_the_product_of_the_forget_gates(strength: float) -> None:
    trace = run(
        Experiment.model_validate(SMALL | {"cell": {"kind": "peephole", "peephole_strength": strength}})
    )
    found = lane_derivatives(trace)
    assert found is not None
    kept = trace.gates["forget"][:, 0].prod(axis=0)
    product = 0.5 * np.log10(np.mean(kept**2))
    if strength == 0:
        assert found.gate is None
        assert found.direct[0] == pytest.approx(product)
    else:
        assert found.gate is not None
        assert found.gate[0] == pytest.approx(product)
        assert abs(found.direct[0] - product) > 0.01


def test_nothing_underflows_in_a_long_run() -> None:
    found = lane_derivatives(traced(num_steps=1000, weight_scale=0.0, hold="forget=0.1"))
    assert found is not None
    np.testing.assert_allclose(found.direct, np.arange(-1000.0, 1.0), atol=1e-9)
    np.testing.assert_allclose(found.full, found.direct, atol=1e-9)


def test_large_networks_are_estimated_from_random_directions() -> None:
    exact = lane_derivatives(traced(hidden_size=64, num_steps=20))
    assert exact is not None and exact.directions == 64
    few = lane_derivatives(traced(hidden_size=256, num_steps=20, hold="forget=0.5"))
    assert few is not None and 4 <= few.directions < 256
    np.testing.assert_allclose(few.direct, np.log10(0.5) * np.arange(20, -1, -1), atol=1e-12)
    assert few.full[-1] == pytest.approx(0, abs=1e-12)
    again = lane_derivatives(traced(hidden_size=256, num_steps=20, hold="forget=0.5"))
    np.testing.assert_array_equal(few.full, again.full)


def test_a_vanilla_cell_has_no_direct_lane() -> None:
    trace = traced("rnn")
    assert lane_derivatives(trace) is None
    assert keeping_factors(trace) is None
    assert (lane_shares(trace).shares["hidden"] == 1).all()


# ---- which lane the gradient takes ----


def test_shares_of_the_lstm_equal_autograd() -> None:
    trace = traced(weight_scale=2.0)
    torch_lstm = LstmInTorch(trace)
    loss = (torch_lstm.h @ torch.from_numpy(trace.readout)).sum()
    found = lane_shares(trace)
    wanted = ["input", "forget", "cell", "output"]
    for t in range(1, 8):
        tensors = [*torch_lstm.copies[t - 1], torch_lstm.kept[t - 1]]
        *parts, kept = torch.autograd.grad(loss, tensors, retain_graph=True)
        total = sum(parts)
        size = (total**2).sum(dim=1) + (kept**2).sum(dim=1)
        for name, part in zip(wanted, parts, strict=True):
            share = (part * total).sum(dim=1) / size
            np.testing.assert_allclose(found.shares[name][t - 1], share.numpy(), atol=1e-12)
            np.testing.assert_allclose(10 ** found.norms[name][t - 1], part.norm(dim=1).numpy(), rtol=1e-9)
        share = (kept**2).sum(dim=1) / size
        np.testing.assert_allclose(found.shares["c"][t - 1], share.numpy(), atol=1e-12)


GATED = [kind for kind, (_, cell) in CELLS.items() if cell.gates]
HOLDS = ["", "forget=1", "forget=0@3", "update=0.5@2-3; reset=0#1", "input=0; output=0.5@2-90"]


@given(
    kind=st.sampled_from(GATED),
    hold=st.sampled_from(HOLDS),
    scale=st.floats(0, 4),
    loss=st.sampled_from(["last", "every"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_shares_sum_to_one_wherever_anything_arrives(
    kind: str, hold: str, scale: float, loss: str, seed: int
) -> None:
    trace = traced(kind, hold=hold, weight_scale=scale, loss={"kind": loss}, seed=seed)
    found = lane_shares(trace)
    total = sum(found.shares.values())
    nothing = np.all([np.isneginf(norm) for norm in found.norms.values()], axis=0)
    assert (np.isnan(total) == nothing).all()
    np.testing.assert_allclose(total[~nothing], 1, atol=1e-9)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_lanes_of_the_gru_add_up_to_its_gradient(reset: str) -> None:
    trace = traced(cell={"kind": "gru", "reset": reset}, batch_size=1, hidden_size=2)
    found = lane_shares(trace)
    assert set(found.shares) == {"h", "reset", "update", "new_hidden"}
    norms = gradient_norms(trace)[:-1]
    along = sum(share * 10**norms for share in found.shares.values())  # lengths along the arriving gradient
    np.testing.assert_allclose(np.log10(along), norms, atol=1e-12)


def test_shares_are_exact_far_below_the_float_range() -> None:
    found = lane_shares(traced(num_steps=1000, cell={"kind": "lstm", "forget_bias": -3}))
    assert found.norms["c"][0].max() < -400
    np.testing.assert_allclose(sum(found.shares.values()), 1, atol=1e-12)
    assert (found.shares["c"] > 0).all()


OVERFLOWING = [
    {
        "cell": {"kind": "peephole", "forget_activation": "relu", "output_bias": -10, "candidate_bias": 10}
        | {
            "candidate_activation": "hard_sigmoid_keras",
            "output_activation": "hard_sigmoid_keras",
            "chrono": 100,
        },
        "dtype": "float32",
        **{"hidden_size": 16, "num_steps": 17, "seed": 157, "bias_scale": 10, "initial_scale": 10},
        **{"input_scale": 0, "weight_scale": 0.5, "loss": {"kind": "every"}, "signal": {"kind": "digits"}},
    },
    {
        "cell": {"kind": "gru", "update": "renews", "update_activation": "linear", "reset_bias": -3}
        | {"candidate_activation": "linear", "candidate_bias": -3},
        **{"hold": "new=10", "hidden_size": 2, "num_steps": 130, "seed": 853, "bias_scale": 10},
        **{"initial_scale": 1, "input_scale": 10, "weight_scale": 2, "loss": {"kind": "every"}},
        "signal": {"kind": "pulse", "step": 7},
    },
]


@pytest.mark.parametrize("settings", OVERFLOWING, ids=["peephole", "gru"])
def test_states_that_overflow_give_no_number_and_no_warning(settings: dict[str, Any]) -> None:
    trace = run(Experiment.model_validate({"batch_size": 2} | settings))
    assert any("is not a finite number" in note for note in trace.notes)
    lanes = lane_derivatives(trace)
    assert lanes is not None and np.isnan(lanes.full[0])
    assert all(np.isnan(share[0]).all() for share in lane_shares(trace).shares.values())
