"""∂L/∂x_t against the gradient that torch's own layers give their input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from explorer import Experiment, run
from explorer.measures.input_gradient import input_gradient_norms, input_gradients

LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("kind", LAYERS)
def test_equals_the_gradient_of_torchs_layers(kind: str, loss: str) -> None:
    experiment = Experiment(
        cell={"kind": kind},
        hidden_size=5,
        num_steps=9,
        batch_size=3,
        signal={"kind": "noise", "channels": 2},
        loss={"kind": loss},
        weight_scale=1.5,
    )
    trace = run(experiment)
    layer = LAYERS[kind](2, 5, dtype=torch.float64)
    layer.load_state_dict({f"{name}_l0": torch.from_numpy(a) for name, a in trace.weights.items()})
    x = torch.from_numpy(trace.inputs).requires_grad_()
    h, _ = layer(x)
    weights = torch.from_numpy(trace.loss_weights[1:])
    (weights[:, None] * (h @ torch.from_numpy(trace.readout))).sum().backward()
    mantissas, exponents = input_gradients(trace)
    assert mantissas.shape == (9, 2, 3)
    found = np.moveaxis(mantissas * 2.0 ** exponents[:, None], 1, 2)
    np.testing.assert_allclose(found, x.grad.numpy(), atol=1e-12)
    norms = x.grad.norm(dim=2).log10().numpy()
    np.testing.assert_allclose(input_gradient_norms(trace), norms, atol=1e-10)


def zeros(**changes: Any) -> np.ndarray:
    base = {"cell": {"kind": "lstm"}, "hidden_size": 4, "num_steps": 8, "batch_size": 2}
    return np.isneginf(input_gradient_norms(run(Experiment.model_validate(base | changes))))


def test_exact_zeros_are_where_nothing_reads_the_input() -> None:
    assert not zeros().any()
    after = zeros(loss={"kind": "step", "step": 5})
    assert not after[:5].any() and after[5:].all()
    held = zeros(hold="forget=0.5@3; input=0.5@3; cell=0.5@3; output=0.5@3")
    assert held[2].all() and not held[[0, 1, 3, 4, 5, 6, 7]].any()
    assert zeros(input_scale=0.0).all()


def test_it_stays_finite_far_below_the_float_range() -> None:
    experiment = Experiment(cell={"kind": "rnn"}, weight_scale=0.1, num_steps=1000, hidden_size=4)
    norms = input_gradient_norms(run(experiment))
    assert np.isfinite(norms).all()
    assert norms[0].max() < -1000
