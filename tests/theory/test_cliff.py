"""The cliff of a one-unit network, and clipping: against mpmath, autograd, closed forms and PyTorch."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from explorer.theory.cliff import (
    STEPS,
    cliff_gradient,
    cliff_loss,
    descent,
    edge_bias,
    edge_factor,
    single_steps,
)
from explorer.theory.cliff_grids import cliff_section, loss_plane, sheared_plane
from explorer.theory.clipping import CLIPPINGS, angle_between, clip_by_norm, clip_by_value

EDGE = edge_bias(5.0)
NUMBERS = st.floats(-1e6, 1e6)
GRADIENTS = st.lists(NUMBERS, min_size=1, max_size=6).map(np.array)
THRESHOLDS = st.floats(1e-3, 1e3)


def exact(weight: float, bias: float, num_steps: int = STEPS) -> tuple[mpmath.mpf, list[mpmath.mpf]]:
    """Loss and gradient with 80 digits, by the chain rule forward in time."""
    with mpmath.workdps(80):
        w, b, x = mpmath.mpf(weight), mpmath.mpf(bias), mpmath.mpf("0.5")
        by_w = by_b = mpmath.mpf(0)
        for _ in range(num_steps):
            y = 1 / (1 + mpmath.exp(-x))
            slope = mpmath.exp(-x) * y**2
            by_w, by_b = y + w * slope * by_w, 1 + w * slope * by_b
            x = w * y + b
        y = 1 / (1 + mpmath.exp(-x))
        outer = 2 * (y - mpmath.mpf(0.7)) * mpmath.exp(-x) * y**2
        return (y - mpmath.mpf(0.7)) ** 2, [outer * by_w, outer * by_b]


def autograd(weight: float, bias: float, num_steps: int = STEPS) -> tuple[float, np.ndarray]:
    w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (weight, bias))
    x = torch.tensor(0.5, dtype=torch.float64)
    for _ in range(num_steps):
        x = w * torch.sigmoid(x) + b
    loss = (torch.sigmoid(x) - 0.7) ** 2
    return loss.item(), np.array([part.item() for part in torch.autograd.grad(loss, (w, b))])


# ---- the numbers a lecture leads with ----


def test_science_has_these_numbers() -> None:
    """SCIENCE: the cliff, 0.01 beside it, and where one step of 0.01 lands without and with clipping."""
    assert round(EDGE, 7) == -2.6122967
    assert 10 ** cliff_gradient(5, EDGE).decades == pytest.approx(779.4, abs=0.05)
    beside = 10 ** cliff_gradient(5, EDGE + np.array([-0.01, 0.01])).decades
    np.testing.assert_allclose(beside, 0.2, atol=0.05)
    free = descent(5, EDGE, 0.01).points[1]
    clipped = descent(5, EDGE, 0.01, clip="norm", threshold=1).points[1]
    np.testing.assert_allclose(free, [9.12, 4.00], atol=0.005)
    np.testing.assert_allclose(clipped, [5.005, -2.604], atol=0.0005)
    assert angle_between(np.array([100, 1]), clip_by_value(np.array([100, 1]), 1)) == pytest.approx(
        44.4, abs=0.05
    )


@pytest.mark.parametrize("offset", [-0.01, 0.0, 0.01])
def test_they_are_exact(offset: float) -> None:
    """To 1e-6 and far beyond, by the chain rule with 80 digits."""
    found, (loss, gradient) = cliff_gradient(5, EDGE + offset), exact(5, EDGE + offset)
    np.testing.assert_allclose(found.vector, [float(part) for part in gradient], rtol=1e-10)
    assert found.loss == pytest.approx(float(loss), rel=1e-10)
    for clip, length in (("none", None), ("norm", 1)):
        norm = mpmath.norm(gradient)
        shrunk = 1 if length is None or norm < length else length / norm
        landing = [
            float(at - 0.01 * shrunk * part) for at, part in zip((5, EDGE + offset), gradient, strict=True)
        ]
        path = descent(5, EDGE + offset, 0.01, clip=clip, threshold=1)
        np.testing.assert_allclose(path.points[1], landing, atol=1e-9)


@pytest.mark.parametrize("weight", [0.0, 2.0, 4.0, 5.0, 7.5, 10.0])
@pytest.mark.parametrize("num_steps", [1, 50, 3000])
def test_at_the_edge_the_gradient_is_a_geometric_sum(weight: float, num_steps: int) -> None:
    """x stays at 0.5, so ∂x_T/∂(w, b) = (a^T − 1)/(a − 1) · (σ(½), 1) with a = w σ′(½); beyond 1e308 too."""
    with mpmath.workdps(50):
        y = 1 / (1 + mpmath.exp(mpmath.mpf("-0.5")))
        factor = weight * y * (1 - y)
        total = sum((factor**k for k in range(num_steps)), mpmath.mpf(0))
        norm = abs(2 * (y - mpmath.mpf("0.7"))) * y * (1 - y) * total * mpmath.sqrt(1 + y**2)
        decades, direction = float(mpmath.log10(norm)), np.array([y, 1]) / mpmath.sqrt(1 + y**2)
    assert edge_factor(weight) == pytest.approx(float(factor), rel=1e-14)
    found = cliff_gradient(weight, edge_bias(weight), num_steps)
    assert found.decades == pytest.approx(decades, rel=1e-11, abs=1e-11)
    np.testing.assert_allclose(found.direction, -direction.astype(float), rtol=1e-12)


# ---- loss and gradient anywhere ----


@settings(max_examples=60, deadline=None)
@given(weight=st.floats(-10, 10), bias=st.floats(-8, 8), num_steps=st.integers(1, 60))
@example(weight=0.0, bias=0.0, num_steps=1)
@example(weight=-6.0, bias=3.0, num_steps=50)
def test_loss_and_gradient_are_those_of_autograd(weight: float, bias: float, num_steps: int) -> None:
    found, (loss, gradient) = cliff_gradient(weight, bias, num_steps), autograd(weight, bias, num_steps)
    near = cliff_gradient(weight, bias + 1e-12 * (1 + abs(bias)), num_steps).vector
    rounding = np.abs(near - found.vector).max()  # what a cliff makes of the last digits
    assert found.loss == pytest.approx(loss, rel=1e-9, abs=1e-12 + rounding)
    np.testing.assert_allclose(found.vector, gradient, rtol=1e-9, atol=1e-13 + rounding)
    size = np.linalg.norm(gradient)
    if size > 1e-9 and rounding < 1e-6 * size:
        assert found.decades == pytest.approx(np.log10(size), abs=1e-5)


def test_central_differences_agree() -> None:
    step = 1e-5
    w, b = np.meshgrid(np.linspace(-3, 9, 7), np.linspace(-7, 4, 5))
    vector = cliff_gradient(w, b).vector
    by_w = (cliff_loss(w + step, b)[0] - cliff_loss(w - step, b)[0]) / (2 * step)
    by_b = (cliff_loss(w, b + step)[0] - cliff_loss(w, b - step)[0]) / (2 * step)
    np.testing.assert_allclose(vector, np.stack([by_w, by_b], axis=-1), rtol=1e-6, atol=1e-8)


def test_a_gradient_below_all_floats_has_a_logarithm() -> None:
    found = cliff_gradient(3.0, 2000.0)
    assert (found.vector == 0).all() and np.isfinite(found.decades)
    with mpmath.workdps(2000):
        decades = mpmath.log10(mpmath.norm(exact_far(3, 2000)))
    assert found.decades == pytest.approx(float(decades), rel=1e-12)
    np.testing.assert_array_equal(descent(3.0, 2000.0, 1.0, count=3).points, [[3.0, 2000.0]] * 4)


def exact_far(weight: int, bias: int) -> list[mpmath.mpf]:
    """The gradient where σ is 1 but for e^{−bias}; the terms before the last are a factor of that smaller."""
    x = mpmath.mpf(weight + bias)
    outer = 2 * (1 - mpmath.mpf(0.7)) * mpmath.exp(-x)
    return [outer, outer]


def test_a_gradient_beyond_all_floats_stops_the_descent() -> None:
    """The norm of what is infinite clips nothing, in PyTorch neither; clipping by value does."""
    edge = edge_bias(10.0)
    assert cliff_gradient(10.0, edge, 1000).decades > 309
    for clip, reached in (("none", 1), ("norm", 1), ("value", 6)):
        assert len(descent(10.0, edge, 1.0, clip=clip, count=5, num_steps=1000).points) == reached
    weights = torch.zeros(2, requires_grad=True)
    weights.grad = torch.full((2,), -torch.inf)
    torch.nn.utils.clip_grad_norm_([weights], 1.0)
    assert weights.grad.isnan().all() and np.isnan(clip_by_norm(np.array([-np.inf, 1.0]), 1.0)).all()


def test_the_plane_is_the_loss_at_every_pair() -> None:
    plane = loss_plane(((0.0, 9.0), (-4.0, 2.0)), 20, points=3)
    assert plane.weights.tolist() == [0.0, 4.5, 9.0] and plane.biases.tolist() == [-4.0, -1.0, 2.0]
    expected = [[autograd(w, b, 20)[0] for w in plane.weights] for b in plane.biases]
    np.testing.assert_allclose(plane.loss, expected, rtol=1e-12)


def test_the_sheared_plane_has_the_edge_between_its_middle_rows() -> None:
    window = ((0.0, 10.0), (-8.0, 5.0))
    plane = sheared_plane(window, points=21)
    assert plane.biases.shape == plane.loss.shape and (np.diff(plane.biases, axis=0) > 0).all()
    np.testing.assert_allclose(plane.biases[[0, -1]], [[-8.0] * 21, [5.0] * 21], atol=1e-12)
    middle = len(plane.biases) // 2
    for place, w in enumerate(plane.weights):
        below, above = plane.biases[middle - 1 : middle + 1, place]
        assert below < edge_bias(w) < above and above - below < 2e-5
    np.testing.assert_allclose(plane.loss, cliff_loss(plane.weights, plane.biases)[0])
    with pytest.raises(ValueError, match="window is"):
        sheared_plane(((0.0, 10.0), (-3.0, 5.0)))


@pytest.mark.parametrize("along", ["w", "b"])
def test_a_section_holds_the_point_and_the_edge(along: str) -> None:
    point, span = (6.0, -3.0), (0.0, 10.0) if along == "w" else (-8.0, 5.0)
    found = cliff_section(*point, along, span)
    assert (np.diff(found.values) > 0).all() and found.values[0] >= span[0] and found.values[-1] <= span[1]
    at = int(np.flatnonzero(found.values == point["wb".index(along)])[0])
    loss, gradient = autograd(*point)
    assert found.loss[at] == pytest.approx(loss, rel=1e-9)
    assert found.decades[at] == pytest.approx(np.log10(np.linalg.norm(gradient)), abs=1e-9)
    edge = found.values[int(np.argmax(found.decades))]
    w, b = (edge, point[1]) if along == "w" else (point[0], edge)
    assert b == pytest.approx(edge_bias(w), abs=1e-3) and found.decades.max() > 3


def test_single_steps_are_those_of_the_three_descents() -> None:
    steps = single_steps(5.0, EDGE, 0.1, 2.0, 40)
    assert list(steps) == list(CLIPPINGS)
    for kind, step in steps.items():
        alone = descent(5.0, EDGE, 0.1, clip=kind, threshold=2.0, num_steps=40)
        np.testing.assert_array_equal(step.points, alone.points)


def test_on_the_cliff_both_basins_meet() -> None:
    """Far from the edge on its two sides σ(x_T) is near the two stable fixed points of y = σ(w y + b)."""
    low, high = cliff_loss(6.0, edge_bias(6.0) + np.array([-0.01, 0.01]), 400)[1]
    for y in (low, high):
        assert y == pytest.approx(1 / (1 + math.exp(-(6 * y + edge_bias(6.0)))), abs=0.01)
    assert high - low > 0.5


# ---- clipping ----


@settings(max_examples=200, deadline=None)
@given(gradient=GRADIENTS, threshold=THRESHOLDS)
def test_norm_clipping_keeps_the_direction_and_never_lengthens(
    gradient: np.ndarray, threshold: float
) -> None:
    left = clip_by_norm(gradient, threshold)
    norm, length = np.linalg.norm(gradient), np.linalg.norm(left)
    assert length <= min(norm, threshold) * (1 + 1e-14)
    if norm <= threshold * (1 - 1e-14):
        np.testing.assert_array_equal(left, gradient)
    if norm > threshold:
        assert length == pytest.approx(threshold, rel=1e-12)
        np.testing.assert_allclose(left * norm, gradient * length, rtol=1e-12, atol=1e-12 * threshold)
        assert angle_between(gradient, left) < 1e-6


@settings(max_examples=200, deadline=None)
@given(gradient=GRADIENTS, threshold=THRESHOLDS)
def test_value_clipping_bounds_every_component(gradient: np.ndarray, threshold: float) -> None:
    left = clip_by_value(gradient, threshold)
    assert (np.abs(left) <= threshold).all() and (np.sign(left) == np.sign(gradient)).all()
    inside = np.abs(gradient) <= threshold
    np.testing.assert_array_equal(left[inside], gradient[inside])


@settings(max_examples=100, deadline=None)
@given(gradient=GRADIENTS, threshold=THRESHOLDS)
def test_both_agree_with_pytorch(gradient: np.ndarray, threshold: float) -> None:
    """PyTorch divides by ‖g‖ + 1e-6 where we divide by ‖g‖."""
    for ours, theirs, slack in (
        (clip_by_norm, torch.nn.utils.clip_grad_norm_, 1e-6),
        (clip_by_value, torch.nn.utils.clip_grad_value_, 0.0),
    ):
        weight = torch.zeros(len(gradient), dtype=torch.float64, requires_grad=True)
        weight.grad = torch.tensor(gradient)
        theirs([weight], threshold)
        share = slack / max(float(np.linalg.norm(gradient)), threshold)
        np.testing.assert_allclose(
            ours(gradient, threshold), weight.grad.numpy(), rtol=share + 1e-13, atol=1e-300
        )


def test_a_vanished_gradient_is_not_changed() -> None:
    tiny = np.array([3e-12, -1e-13])
    for clip in CLIPPINGS.values():
        np.testing.assert_array_equal(clip(tiny, 1e-3), tiny)
    plain = [descent(9.12, 4.0, 0.01, clip=kind, count=20) for kind in CLIPPINGS]
    for path in plain:
        np.testing.assert_array_equal(path.points, plain[0].points)
        assert not path.clipped.any()


def test_clipping_holds_where_squares_would_overflow() -> None:
    np.testing.assert_allclose(clip_by_norm(np.array([3e200, 4e200]), 5.0), [3.0, 4.0], rtol=1e-14)
    np.testing.assert_array_equal(clip_by_norm(np.zeros((3, 2)), 1.0), np.zeros((3, 2)))


@given(first=st.floats(0, 360), turn=st.floats(0, 180), size=st.floats(1e-200, 1e200))
def test_angles_are_measured(first: float, turn: float, size: float) -> None:
    one, two = (np.array([math.cos(a), math.sin(a)]) for a in np.radians([first, first + turn]))
    assert angle_between(size * one, two / size) == pytest.approx(turn, abs=1e-12)


def test_a_zero_vector_has_no_angle() -> None:
    assert np.isnan(angle_between(np.zeros(2), np.ones(2)))
    assert angle_between(np.array([[1, 0], [1, 0]]), np.array([[0, 2], [-3, 0]])).tolist() == [90.0, 180.0]


# ---- descent ----


@settings(max_examples=25, deadline=None)
@given(
    weight=st.floats(0, 10),
    bias=st.floats(-8, 5),
    rate=st.floats(1e-3, 1),
    clip=st.sampled_from(["none", "norm", "value"]),
    threshold=st.floats(1e-2, 10),
)
def test_descent_is_sgd_in_pytorch(
    weight: float, bias: float, rate: float, clip: str, threshold: float
) -> None:
    """Step by step from our own points: a cliff would tear two whole paths apart."""
    path = descent(weight, bias, rate, clip=clip, threshold=threshold, count=3)
    assert len(path.points) == 4 and len(path.clipped) == 3
    for before, after, clipped in zip(path.points[:-1], path.points[1:], path.clipped, strict=True):
        gradient = autograd(*before)[1]
        assume(1e-9 < np.linalg.norm(gradient) < 1e3)
        limit = float(np.linalg.norm(gradient) if clip == "norm" else np.abs(gradient).max())
        assume(abs(limit - threshold) > 1e-6)
        assert clipped == (clip != "none" and limit > threshold)
        weights = torch.tensor(before, requires_grad=True)
        weights.grad = torch.tensor(gradient)
        if clip == "norm":
            torch.nn.utils.clip_grad_norm_([weights], threshold)
        if clip == "value":
            torch.nn.utils.clip_grad_value_([weights], threshold)
        torch.optim.SGD([weights], lr=rate).step()
        np.testing.assert_allclose(after, weights.detach().numpy(), rtol=1e-6, atol=2e-6)


def test_descent_knows_the_losses_on_its_way() -> None:
    path = descent(5, EDGE, 0.01, clip="value", threshold=1, count=7, num_steps=30)
    found = cliff_gradient(path.points[:, 0], path.points[:, 1], 30)
    np.testing.assert_allclose(path.losses, found.loss, rtol=1e-12)
    np.testing.assert_allclose(path.decades, found.decades, atol=1e-12)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cliff_loss(np.nan, 0.0), "weight is nan"),
        (lambda: cliff_gradient(1.0, np.inf), "bias is inf"),
        (lambda: cliff_gradient(1.0, 0.0, 0), "num_steps is 0; allowed is 1 or more"),
        (lambda: edge_bias(np.nan), "weight is nan"),
        (lambda: clip_by_norm(np.ones(2), 0.0), "threshold is 0.0; allowed are positive"),
        (lambda: clip_by_value(np.ones(2), np.inf), "threshold is inf"),
        (lambda: cliff_section(1.0, 0.0, "c", (0, 1)), "along is 'c'; allowed are w and b"),
        (lambda: descent(1.0, 0.0, np.nan), "learning_rate is nan"),
        (lambda: descent(1.0, 0.0, 0.1, clip="both"), "clip is 'both'; allowed are none, norm, value"),
    ],
)
def test_what_is_refused_is_named(call, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
