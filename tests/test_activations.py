"""Activations: values and slopes to the last digits wherever a double can hold them, also when saturated."""

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.activations import ACTIVATIONS

FUNCTIONS = {
    "tanh": mp.tanh,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "relu": lambda a: max(a, mp.mpf(0)),
    "linear": lambda a: a,
    "hard_sigmoid": lambda a: min(max(a / 6 + mp.mpf(1) / 2, mp.mpf(0)), mp.mpf(1)),
    "hard_sigmoid_keras": lambda a: min(max(a / 5 + mp.mpf(1) / 2, mp.mpf(0)), mp.mpf(1)),
    "softsign": lambda a: a / (1 + abs(a)),
}
SLOPES = {
    "tanh": lambda a: 1 / mp.cosh(a) ** 2,
    "sigmoid": lambda a: 1 / (2 * mp.cosh(a / 2)) ** 2,
    "relu": lambda a: mp.mpf(a > 0),
    "linear": lambda a: mp.mpf(1),
    "hard_sigmoid": lambda a: mp.mpf(abs(a) < 3) / 6,
    "hard_sigmoid_keras": lambda a: mp.mpf(abs(a) < 2.5) / 5,
    "softsign": lambda a: 1 / (1 + abs(a)) ** 2,
}
TORCH = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "linear": torch.clone,
    "hard_sigmoid": lambda a: torch.nn.functional.relu6(a + 3) / 6,  # hardsigmoid's slope has 7 digits only
    "hard_sigmoid_keras": lambda a: torch.nn.functional.hardtanh(0.2 * a + 0.5, 0.0, 1.0),
    "softsign": torch.nn.functional.softsign,
}
POINTS = np.concatenate(
    [
        np.linspace(-300, 300, 241),
        np.linspace(-25, 25, 201),
        [1e-8, -1e-8, 1e-300, 18.99, 19.1, -2.9999999, -2.4999999],
    ]
)


def relative_error(found: np.ndarray, points: np.ndarray, exact, digits: int = 60) -> float:
    with mp.workdps(digits):
        errors = [
            abs(mp.mpf(float(f)) - e) / (abs(e) or 1)
            for f, p in zip(found, points, strict=True)
            for e in [exact(mp.mpf(float(p)))]
        ]
    return float(max(errors))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values(name):
    assert relative_error(ACTIVATIONS[name].function(POINTS), POINTS, FUNCTIONS[name]) < 1e-14


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_without_cancellation(name):
    assert relative_error(ACTIVATIONS[name].slope(POINTS), POINTS, SLOPES[name]) <= 1e-14


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(a=st.floats(-300, 300))
@settings(max_examples=60, deadline=None)
def test_slopes_anywhere(name, a):
    point = np.array([a])
    assert relative_error(ACTIVATIONS[name].slope(point), point, SLOPES[name]) <= 1e-14


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_types_are_kept_and_extremes_stay_finite(name, dtype):
    a = np.array([-1e30, -100, 0, 100, 1e30], dtype)
    for found in (ACTIVATIONS[name].function(a), ACTIVATIONS[name].slope(a)):
        assert found.dtype == dtype
        assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_complement_keeps_its_digits_where_the_function_is_almost_one(name):
    exact = FUNCTIONS[name]
    found = ACTIVATIONS[name].complement(POINTS)
    assert relative_error(found, POINTS, lambda a: 1 - exact(a), digits=400) < 1e-14
    on_tensors = ACTIVATIONS[name].complement(torch.tensor(POINTS)).numpy()
    assert np.allclose(on_tensors, found, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_torch_agrees(name):
    """Same function on tensors as torch's own, and torch's own derivative, at 0 too (ReLU: 0)."""
    points = np.concatenate([[0.0], np.linspace(-15, 15, 61)])
    ours, theirs = (torch.tensor(points, requires_grad=True) for _ in range(2))
    value, known = ACTIVATIONS[name].function(ours), TORCH[name](theirs)
    value.sum().backward()
    known.sum().backward()
    assert np.allclose(value.detach(), ACTIVATIONS[name].function(points), rtol=1e-14, atol=0)
    assert np.allclose(value.detach(), known.detach(), rtol=0, atol=1e-15)
    assert np.allclose(ours.grad, theirs.grad, rtol=0, atol=1e-14)
    assert np.allclose(ours.grad, ACTIVATIONS[name].slope(points), rtol=0, atol=1e-14)
    assert ours.grad[0].item() == ACTIVATIONS[name].slope(points)[0]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_autograd_of_saturated_tensors_is_no_false_zero(name, dtype):
    """torch's own 1 − y² is exactly 0 beyond 19, its y (1 − y) beyond 37."""
    points = torch.tensor([-40.0, -30.0, 1.0, 40.0], dtype=dtype, requires_grad=True)
    ACTIVATIONS[name].function(points).sum().backward()
    expected = ACTIVATIONS[name].slope(points.detach().numpy())
    assert points.grad.dtype == dtype
    assert np.allclose(points.grad, expected, rtol=1e-6, atol=0)
    if name in ("tanh", "sigmoid", "softsign"):
        assert (points.grad > 0).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_range_is_reached_and_not_left(name):
    low, high = ACTIVATIONS[name].range
    values = ACTIVATIONS[name].function(np.array([-1e9, -1.0, 0.0, 1.0, 1e9]))
    assert low <= values.min() and values.max() <= high
    assert values.min() < max(low + 1e-8, -1e8) and values.max() > min(high - 1e-8, 1e8)
    assert ACTIVATIONS[name].is_share == (name in ("sigmoid", "hard_sigmoid", "hard_sigmoid_keras"))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_max_slope(name):
    slopes = ACTIVATIONS[name].slope(np.linspace(-5, 5, 1001))
    assert slopes.max() == pytest.approx(ACTIVATIONS[name].max_slope, rel=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_homogeneity_is_what_it_claims(name):
    activation = ACTIVATIONS[name]
    a = np.linspace(-3, 3, 31)
    same = all(np.allclose(activation.function(c * a), c * activation.function(a)) for c in (0.5, 3.0, 1e100))
    assert same == activation.homogeneous


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_saturation_threshold_lies_below_the_largest_slope(name):
    activation = ACTIVATIONS[name]
    saturated = activation.slope(np.array([-10.0, 10.0])) < activation.saturated_below
    assert saturated.all() == (name not in ("relu", "linear"))
    assert activation.saturated_below < activation.max_slope
    assert "b^k" in activation.latex.format(a="b^k")
    assert activation.slope_latex.format(a="b^k", y="f") != activation.slope_latex or name == "linear"
