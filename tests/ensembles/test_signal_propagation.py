"""Random networks against mean field, against drawn matrices and against autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from explorer import Experiment, run
from explorer.ensembles.signal_propagation import propagation_of, signal_propagation
from explorer.measures import gradient_norms
from explorer.theory.mean_field import mean_field
from explorer.theory.mean_field_of import mean_field_of, mean_field_tolerance

SETTINGS: list[dict[str, Any]] = [
    {"activation": "tanh", "sigma_w": 0.9},
    {"activation": "tanh", "sigma_w": 2.0},
    {"activation": "tanh", "sigma_w": 1.5, "sigma_b": 0.3},
    {"activation": "tanh", "sigma_w": 1.8, "input_variance": 0.4, "bias_mean": -0.5},
    {"activation": "relu", "sigma_w": 1.0, "sigma_b": 0.3},
    {"activation": "relu", "sigma_w": 2.0},
    {"activation": "linear", "sigma_w": 1.1},
    {"activation": "softsign", "sigma_w": 2.0, "sigma_b": 0.3},
    {"activation": "hard_sigmoid", "sigma_w": 12.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_independent_layers_grow_by_chi(settings: dict[str, Any]) -> None:
    """Every one of eight networks of 512 units within 6 %, their mean within 2.5 %."""
    field = mean_field(**settings)
    growth = propagation_of(field, seeds=range(8)).settled_growth
    assert np.abs(growth / field.chi - 1).max() < 0.06
    assert growth.mean() == pytest.approx(field.chi, rel=0.025)


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [(SETTINGS[0], 0.12), (SETTINGS[1], 0.12), (SETTINGS[3], 0.06), (SETTINGS[5], 0.12)],
    ids=str,
)
def test_repeated_layers_grow_by_chi(settings: dict[str, Any], tolerance: float) -> None:
    field = mean_field(**settings)
    growth = propagation_of(field, tied=True).settled_growth
    assert np.abs(growth / field.chi - 1).max() < tolerance


@pytest.mark.parametrize("tied", [False, True])
def test_lengths_and_correlations_settle_where_mean_field_says(tied: bool) -> None:
    field = mean_field("tanh", sigma_w=2.0, sigma_b=0.3, input_variance=0.2)
    found = propagation_of(field, seeds=range(8), tied=tied)
    settled = slice(30, None)
    assert found.lengths[:, settled].mean() == pytest.approx(field.q, rel=0.03)
    assert found.correlations[:, settled].mean() == pytest.approx(field.c, abs=0.05)


def test_each_layer_follows_the_maps() -> None:
    """The first layers, far from the fixed points; spreads over units are of order 1/√N."""
    field = mean_field("tanh", sigma_w=1.5, sigma_b=0.3)
    found = propagation_of(field, width=4096, depth=4, start_length=0.05, seeds=range(4))
    np.testing.assert_allclose(found.lengths[:, 0], 0.05)
    np.testing.assert_allclose(found.lengths[:, 1:], field.next_length(found.lengths[:, :-1]), rtol=0.12)
    settled = propagation_of(field, width=4096, depth=3, start_length=field.q, start_correlation=-0.4)
    np.testing.assert_allclose(settled.correlations[:, 0], -0.4)
    np.testing.assert_allclose(
        settled.correlations[:, 1], field.next_correlation(settled.correlations[:, 0]), atol=0.05
    )


def drawn(seed: int, width: int, depth: int, sigma_w: float, sigma_b: float) -> tuple[float, float, float]:
    """q_L, c_L and ‖δ_0‖²/‖δ_L‖² of independent layers with their matrices written down."""
    rng = np.random.default_rng(seed + 10_000)
    first, _ = np.linalg.qr(rng.standard_normal((width, 2)))
    a = np.sqrt(width) * np.stack([first[:, 0], 0.5 * first[:, 0] + np.sqrt(0.75) * first[:, 1]], axis=1)
    kept = []
    for _ in range(depth):
        matrix = sigma_w / np.sqrt(width) * rng.standard_normal((width, width))
        kept.append((a[:, 0], matrix))
        a = matrix @ np.tanh(a) + sigma_b * rng.standard_normal((width, 1))
    delta = rng.standard_normal(width)
    delta /= np.linalg.norm(delta)
    for before, matrix in reversed(kept):
        delta = matrix.T @ delta / np.cosh(before) ** 2
    product = a.T @ a / width
    return product[0, 0], product[0, 1] / np.sqrt(product[0, 0] * product[1, 1]), float(delta @ delta)


def test_matrices_that_are_not_written_down_have_the_law_of_drawn_ones() -> None:
    """Six layers of 2 units, 1500 times: lengths, correlations and gradients are distributed alike.

    A matrix that is large for the states is large for the gradient too: their logarithms are correlated, as
    they would not be if the gradient went through other matrices.
    """
    count, width, depth, sigma_w = 1500, 2, 6, 0.5
    explicit = np.array([drawn(seed, width, depth, sigma_w, 0.0) for seed in range(count)])
    found = signal_propagation(sigma_w=sigma_w, width=width, depth=depth, seeds=range(count))
    implicit = np.stack([found.lengths[:, -1], found.correlations[:, -1], found.growth.prod(axis=1)], axis=1)
    for k in range(3):
        assert ks_2samp(explicit[:, k], implicit[:, k]).pvalue > 1e-3
    together = [np.corrcoef(np.log(numbers[:, ::2]).T)[0, 1] for numbers in (explicit, implicit)]
    assert together[0] > 0.5 and together[1] == pytest.approx(together[0], abs=0.08)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_gradients_of_repeated_layers_equal_autograd(activation: str) -> None:
    """The network is drawn again from its seed, in the order in which the code draws it."""
    width, depth, sigma_w, sigma_b = 12, 6, 1.3, 0.2
    found = signal_propagation(
        activation, sigma_w=sigma_w, sigma_b=sigma_b, width=width, depth=depth, seeds=[7], tied=True
    )
    rng = np.random.default_rng(7)
    basis, _ = np.linalg.qr(rng.standard_normal((width, 2)))
    matrix = torch.from_numpy(sigma_w / np.sqrt(width) * rng.standard_normal((width, width)))
    bias = torch.from_numpy(sigma_b * rng.standard_normal(width))
    for _ in range(depth):
        rng.standard_normal((width, 1))  # the drive, of variance 0
    states = [torch.from_numpy(np.sqrt(width) * basis[:, 0]).requires_grad_()]
    for _ in range(depth):
        states.append(matrix @ getattr(torch, activation)(states[-1]) + bias)
        states[-1].retain_grad()
    states[-1].backward(torch.from_numpy(rng.standard_normal(width)))
    squares = [float(state.grad.square().sum()) for state in states if state.grad is not None]
    np.testing.assert_allclose(found.growth[0], np.divide(squares[:-1], squares[1:]), rtol=1e-10)
    np.testing.assert_allclose(
        found.lengths[0], [float(state.detach().square().mean()) for state in states], rtol=1e-10
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"weight_scale": 3.5},
        {"weight_scale": 3.5, "signal": {"kind": "zeros"}},
        {"initializer": {"kind": "orthogonal"}, "weight_scale": 1.5, "input_scale": 5.0},
        {"initializer": {"kind": "gaussian"}, "weight_scale": 1.5, "cell": {"kind": "rnn", "bias": 0.5}},
    ],
    ids=str,
)
def test_recurrent_networks_of_experiments_grow_by_chi(settings: dict[str, Any]) -> None:
    experiment = Experiment.model_validate({"hidden_size": 512, "num_steps": 60, "batch_size": 2} | settings)
    field = mean_field_of(experiment)
    norms = gradient_norms(run(experiment))
    growth = 10 ** (2 * (norms[15] - norms[55]) / 40)
    assert field is not None
    np.testing.assert_allclose(growth, field.chi, rtol=mean_field_tolerance(experiment))


def test_a_network_depends_on_its_own_seed_alone() -> None:
    for tied in (False, True):
        both = signal_propagation(sigma_w=1.2, width=16, depth=5, seeds=[3, 8], tied=tied)
        one = signal_propagation(sigma_w=1.2, width=16, depth=5, seeds=[8], tied=tied)
        for name in ("lengths", "correlations", "growth"):
            np.testing.assert_array_equal(getattr(both, name)[1:], getattr(one, name))
        assert (both.lengths[0, 1:] != both.lengths[1, 1:]).all()


def test_what_dies_is_0_and_then_no_number() -> None:
    """With μ far below 0 no ReLU unit is on: no length, no gradient."""
    found = signal_propagation("relu", sigma_w=1.0, bias_mean=-50.0, width=16, depth=3, seeds=[0])
    np.testing.assert_array_equal(found.lengths[0, 1:], 0)
    assert np.isnan(found.correlations[0, 1:]).all()
    assert found.growth[0, 2] == 0 and np.isnan(found.growth[0, :2]).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"activation": "swish"}, "activation='swish' is unknown"),
        ({"sigma_w": -0.1}, "sigma_w is -0.1; allowed is 0 to inf"),
        ({"width": 1}, "width is 1; allowed is 2 to 4096"),
        ({"depth": 0}, "depth is 0"),
        ({"start_correlation": 1.5}, "start_correlation is 1.5; allowed is -1 to 1"),
        ({"input_variance": np.nan}, "input_variance is nan"),
    ],
)
def test_what_is_out_of_range_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        signal_propagation(**{"activation": "tanh", "sigma_w": 1.0} | change)
