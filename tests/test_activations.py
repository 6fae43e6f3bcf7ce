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
}
SLOPES = {
    "tanh": lambda a: 1 / mp.cosh(a) ** 2,
    "sigmoid": lambda a: 1 / (2 * mp.cosh(a / 2)) ** 2,
    "relu": lambda a: mp.mpf(a > 0),
    "linear": lambda a: mp.mpf(1),
}
POINTS = np.concatenate(
    [np.linspace(-300, 300, 241), np.linspace(-25, 25, 201), [1e-8, -1e-8, 1e-300, 18.99, 19.1]]
)


def relative_error(found: np.ndarray, points: np.ndarray, exact) -> float:
    with mp.workdps(60):
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
def test_torch_agrees(name):
    """Same function on tensors, and torch's own derivative, at 0 too (ReLU: 0)."""
    points = np.concatenate([[0.0], np.linspace(-15, 15, 61)])
    tensor = torch.tensor(points, requires_grad=True)
    value = ACTIVATIONS[name].function(tensor)
    value.sum().backward()
    assert np.allclose(value.detach(), ACTIVATIONS[name].function(points), rtol=1e-14, atol=0)
    assert np.allclose(tensor.grad, ACTIVATIONS[name].slope(points), rtol=0, atol=1e-14)
    assert tensor.grad[0].item() == ACTIVATIONS[name].slope(points)[0]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_max_slope(name):
    slopes = ACTIVATIONS[name].slope(np.linspace(-5, 5, 1001))
    assert slopes.max() == ACTIVATIONS[name].max_slope


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
    assert saturated.all() == (name in ("tanh", "sigmoid"))
    assert activation.saturated_below < activation.max_slope
    assert "{a}" in activation.latex
