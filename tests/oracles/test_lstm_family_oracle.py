"""The LSTM, its siblings and all activations of gates against autograd of the equations, written anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from explorer import Experiment, Trace, run
from explorer.cells import CELLS
from explorer.link import choices_of
from tests.oracles.lstm_family import autograd

LOSSES = {"last": {"kind": "last"}, "every": {"kind": "every"}, "step": {"kind": "step", "step": 6}}


def variants() -> list[dict[str, Any]]:
    """Every kind; with each of its choices, one changed at a time."""
    found = []
    for kind in ("lstm", "peephole", "coupled", "ablated", "gru"):
        found.append({"kind": kind})
        for name, field in CELLS[kind][1].model_fields.items():
            others = (
                [] if name == "kind" else [value for value in choices_of(field) if value != field.default]
            )
            # With peepholes and gates without an upper end f grows with c, and c² outgrows every float.
            mild = {"peephole_strength": 0.1} if kind == "peephole" else {}
            found += [{"kind": kind, name: value} | mild for value in others]
    found += [
        {"kind": "gru", "reset": "before", "update": "renews", "update_activation": "tanh"},
        {"kind": "gru", "reset": "before", "reset_activation": "relu"},
        {"kind": "peephole", "peephole_strength": 10.0, "forget_bias": 1.0},
        {"kind": "coupled", "input_bias": -4.0, "input_activation": "softsign"},
        {"kind": "lstm", "forget_bias": 1.0}
        | {f"{name}_activation": "relu" for name in ("input", "forget", "output")},
    ]
    return found


def experiment_of(cell: dict[str, Any], **settings: Any) -> Experiment:
    base = {"signal": {"kind": "noise", "channels": 2}, "hidden_size": 6, "num_steps": 10, "batch_size": 3}
    return Experiment(**base | {"cell": cell, "initial_scale": 1, "seed": 3} | settings)


def gradients(trace: Trace, state: str) -> np.ndarray:
    """∂L/∂s, [T+1, B, H]."""
    return np.moveaxis(np.ldexp(trace.backward.totals[state], trace.backward.exponents[:, None]), 1, 2)


def assert_equal(trace: Trace, record: dict[str, list[torch.Tensor]]) -> None:
    for name in trace.states:
        tensors = record[name]
        states = np.array([tensor.detach().numpy() for tensor in tensors])
        exact = np.array([np.zeros_like(t.detach()) if t.grad is None else t.grad.numpy() for t in tensors])
        assert np.allclose(trace.states[name], states, rtol=1e-11, atol=1e-12), name
        error = np.linalg.norm(gradients(trace, name) - exact, axis=2)
        assert (error <= 1e-10 * np.linalg.norm(exact, axis=2)).all(), name
        assert exact[0].any()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", variants(), ids=lambda cell: "-".join(map(str, cell.values())))
def test_states_and_total_gradients_equal_autograd(cell, loss):
    trace = run(experiment_of(cell, loss=LOSSES[loss]))
    assert_equal(trace, autograd(trace))


@pytest.mark.parametrize("kind", ["lstm", "peephole", "coupled", "ablated", "gru"])
def test_float32_gives_the_same_gradients(kind):
    experiment = experiment_of({"kind": kind}, loss={"kind": "every"})
    double, single = run(experiment), run(experiment.changed("dtype", "float32"))
    for state in experiment.cell.states:
        assert single.backward.totals[state].dtype == np.float32
        exact = gradients(double, state)
        error = np.linalg.norm(gradients(single, state) - exact, axis=2)
        assert (error <= 1e-4 * np.linalg.norm(exact, axis=2)).all()
