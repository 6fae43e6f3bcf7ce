"""Fixed points, cycles, bifurcations and gradients of one and two units, each found a second way."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from explorer.activations import ACTIVATIONS
from explorer.theory.fixed_points import approached_from, bifurcation, fixed_points, orbit, two_cycles
from explorer.theory.two_units import (
    direction_field,
    starts_around,
    trajectories,
    two_unit_fixed_points,
    two_unit_matrix,
)

SIGMOIDAL = [name for name, phi in ACTIVATIONS.items() if not phi.homogeneous]
WEIGHTS, BIASES = st.floats(-12, 12), st.floats(-5, 5)


def step(name: str, w: float, b: float, h: np.ndarray) -> np.ndarray:
    return np.asarray(ACTIVATIONS[name].function(np.asarray(w * h + b)))


def sign_changes(values: np.ndarray) -> int:
    signs = np.sign(values)
    return int((signs[1:] * signs[:-1] < 0).sum() + (signs == 0).sum())


# ---- one unit: fixed points ----


def test_larger_weights_vanish_faster() -> None:
    found = fixed_points(np.array([1.5, 2.0, 3.0]))
    np.testing.assert_allclose(found.factors[:, 2], [0.394, 0.166, 0.031], atol=6e-4)  # SCIENCE.md
    for w, h in zip((1.5, 2.0, 3.0), found.states[:, 2], strict=True):
        assert h == pytest.approx(brentq(lambda x, w=w: np.tanh(w * x) - x, 0.1, 1), abs=1e-11)
    np.testing.assert_allclose(found.states[:, 0], -found.states[:, 2], atol=1e-15)
    assert (found.states[:, 1] == 0).all()
    assert found.kinds.tolist() == [["stable", "unstable", "stable"]] * 3


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(SIGMOIDAL), w=WEIGHTS, b=BIASES)
def test_no_fixed_point_is_missed(name: str, w: float, b: float) -> None:
    found = fixed_points(w, b, name)
    h = found.states[np.isfinite(found.states)]
    np.testing.assert_allclose(step(name, w, b, h), h, atol=1e-13)
    assert (np.diff(h) > 0).all()
    a = np.linspace(-18, 18, 20_001)
    others = sign_changes(w * ACTIVATIONS[name].function(a) + b - a)
    assert others <= len(h) or found.continuum
    assume(np.abs(found.growth[: len(h)] - 1).min() > 1e-2)  # two close ones fall between the grid's points
    assert others == len(h)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(list(ACTIVATIONS)), w=WEIGHTS, b=BIASES, offset=st.sampled_from([-1e-7, 1e-7]))
def test_factor_is_the_slope_of_the_map(name: str, w: float, b: float, offset: float) -> None:
    found = fixed_points(w, b, name)
    for h, factor, growth in zip(found.states, found.factors, found.growth, strict=True):
        a = w * h + b
        if np.isnan(h) or min(abs(a), abs(abs(a) - 3), abs(abs(a) - 2.5)) < 1e-4:  # kinks
            continue
        moved = step(name, w, b, np.array([h + offset, h - offset]))
        assert (moved[0] - moved[1]) / (2 * offset) == pytest.approx(factor, abs=1e-6 * (1 + abs(h)))
        assert growth == pytest.approx(abs(factor), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "w", "b", "states", "kinds"),
    [
        ("linear", 0.5, 1.0, [2.0], ["stable"]),
        ("linear", 1.0, 1.0, [], []),
        ("relu", 2.0, -1.0, [0.0, 1.0], ["stable", "unstable"]),
        ("relu", 2.0, 1.0, [], []),
        ("relu", 0.5, 1.0, [2.0], ["stable"]),
        ("relu", 2.0, 0.0, [0.0], ["unstable"]),  # torch's slope at 0 is 0, but 1e-9 is doubled at each step
        ("relu", -2.0, 0.0, [0.0], ["stable"]),
        ("hard_sigmoid", 12.0, -6.0, [0.0, 0.5, 1.0], ["stable", "unstable", "stable"]),
    ],
)
def test_units_with_kinks(name: str, w: float, b: float, states: list[float], kinds: list[str]) -> None:
    found = fixed_points(w, b, name)
    np.testing.assert_allclose(found.states[: len(states)], states, atol=1e-15)
    assert np.isnan(found.states[len(states) :]).all()
    assert found.kinds[: len(kinds)].tolist() == kinds and not found.continuum


@pytest.mark.parametrize(
    ("name", "w", "b"),
    [("relu", 1, 0), ("linear", 1, 0), ("hard_sigmoid", 6, -3), ("hard_sigmoid_keras", 5, -2.5)],
)
def test_whole_intervals_of_fixed_points_are_named(name: str, w: float, b: float) -> None:
    found = fixed_points(w, b, name)
    assert found.continuum
    assert found.kinds[0] == "neutral" and found.factors[0] == pytest.approx(1)
    h = np.linspace(0.2, 0.8, 5)
    np.testing.assert_allclose(step(name, w, b, h), h, atol=1e-15)
    assert not fixed_points(w, b + 1e-6, name).continuum


# ---- one unit: cycles ----


@settings(max_examples=80, deadline=None)
@given(name=st.sampled_from([*SIGMOIDAL, "relu"]), w=WEIGHTS, b=BIASES)
def test_cycles_of_two_exist_where_the_fixed_point_flips(name: str, w: float, b: float) -> None:
    found = two_cycles(w, b, name)
    growth = fixed_points(w, b, name).growth[0]
    assume(np.isnan(growth) or abs(growth - 1) > 1e-2)
    assert np.isfinite(found.factors) == (w < 0 and growth > 1)
    h = np.linspace(max(ACTIVATIONS[name].range[0], -1.01), 6.01, 20_001)
    others = sign_changes(step(name, w, b, step(name, w, b, h)) - h) if w < 0 else 1
    if np.isfinite(found.factors):
        np.testing.assert_allclose(step(name, w, b, found.states), found.states[::-1], atol=1e-12)
        assert found.states[0] < found.states[1] and abs(found.factors) < 1
        assert others == 3 or name == "relu"  # its upper state is the end of an interval
    elif w < 0 and name != "relu":
        assert others == 1


def test_without_bias_the_cycle_is_that_of_the_positive_weight() -> None:
    cycle, points = two_cycles(-2.0), fixed_points(2.0)
    np.testing.assert_allclose(cycle.states, points.states[[0, 2]], atol=1e-14)
    assert cycle.factors == pytest.approx(points.factors[2] ** 2)
    assert np.isnan(two_cycles(-3.0, 0.0, "linear").states).all()


# ---- one unit: along the weight ----


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("bias", [-3.5, 0.0, 0.01, 0.7])
def test_every_point_of_the_curves_is_a_fixed_point_of_its_weight(name: str, bias: float) -> None:
    grid = np.linspace(-4, 9, 66)
    found = bifurcation(grid, bias, name)
    known = np.isfinite(found.weight)
    w, h = found.weight[known], found.state[known]
    np.testing.assert_allclose(step(name, w, bias, h), h, rtol=1e-12, atol=1e-13)
    assert (w >= -4).all() and (w <= 9).all()
    np.testing.assert_array_equal(known, np.isfinite(found.state))
    on_grid = fixed_points(grid, bias, name)
    for weight, states in zip(grid, on_grid.states, strict=True):
        drawn = h[w == weight]
        for state in states[np.isfinite(states)]:
            assert np.abs(drawn - state).min() < 1e-12 * (1 + abs(state))


def test_fold_is_where_the_slope_of_the_map_is_1() -> None:
    bias = 0.3
    found = bifurcation(np.linspace(-1, 4, 201), bias)
    at = brentq(lambda a: a - bias - np.sinh(2 * a) / 2, -3, -0.01)  # w φ′(a) = 1 and w φ(a) + b = a
    fold = (at - bias) / np.tanh(at)
    lower = found.weight[found.state < 0]
    assert fold <= lower.min() < fold + 1e-3
    assert not np.isclose(lower.min(), found.cycle_weight, atol=1e-6).any(), "finer than the grid"
    pieces = np.isnan(found.weight).sum()
    assert pieces >= 1, "the upper branch is a curve of its own"
    jumps = np.abs(np.diff(found.state))
    assert np.nanmax(jumps) < 0.1


def test_cycles_open_without_a_gap() -> None:
    found = bifurcation(np.linspace(-3, 3, 121))
    width = found.cycles.states[:, 1] - found.cycles.states[:, 0]
    assert np.nanmin(width) < 0.01
    assert np.isnan(width[found.cycle_weight > -1]).all()
    assert np.isfinite(width[found.cycle_weight < -1.001]).all()


# ---- one unit: orbits ----


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["tanh", "sigmoid", "softsign", "linear", "relu"]),
    w=st.floats(0.05, 3) | st.floats(-3, -0.05),
    b=st.floats(-1, 1),
    start=st.floats(-1, 1),
)
def test_gradient_of_an_orbit_is_that_of_autograd(name: str, w: float, b: float, start: float) -> None:
    states, logs = orbit(w, b, start, 12, name)
    first = torch.tensor([start], dtype=torch.float64, requires_grad=True)
    h = first
    for _ in range(12):
        h = ACTIVATIONS[name].function(w * h + b)
    h.backward()
    assert states[-1] == pytest.approx(h.item(), rel=1e-12, abs=1e-14)
    assert first.grad is not None
    with np.errstate(divide="ignore"):
        expected = np.log10(abs(first.grad.item()))
    assert logs[-1] == pytest.approx(expected, abs=1e-9)
    assert logs[0] == 0


def test_orbit_settles_at_the_rate_of_its_fixed_point() -> None:
    found = fixed_points(2.0)
    place = approached_from(2.0, start=0.05)
    assert place == 2
    logs = orbit(2.0, start=0.05, steps=1500)[1]
    assert np.diff(logs)[-1] == pytest.approx(np.log10(found.factors[2]), abs=1e-12)
    assert logs[-1] < -1000
    assert approached_from(-2.0, start=0.05) is None, "a cycle"
    assert np.isneginf(orbit(1.0, start=0.0, activation="relu", steps=3)[1][1:]).all()  # torch's slope at 0


# ---- two units: fixed points ----


def test_rotation_and_growth_are_the_eigenvalues() -> None:
    values = np.linalg.eigvals(two_unit_matrix(1.3, 0.7))
    np.testing.assert_allclose(sorted(values, key=lambda z: z.imag), 1.3 * np.exp([-0.7j, 0.7j]), atol=1e-15)


@pytest.mark.parametrize("growth", [0.8, 1.0001, 2.0, 20.0])
def test_uncoupled_units_have_the_pairs_of_one_unit(growth: float) -> None:
    one, found = fixed_points(growth), two_unit_fixed_points(two_unit_matrix(growth, 0))
    states, factors = (part[np.isfinite(one.states)] for part in (one.states, one.factors))
    pairs = np.array([[x, y] for x in states for y in states])
    np.testing.assert_allclose(found.states, pairs, atol=1e-9)
    np.testing.assert_allclose(found.radii, [max(x, y) for x in factors for y in factors], atol=1e-7)
    assert found.complete
    if growth > 1:
        assert found.kinds == (
            *("stable node", "saddle", "stable node"),
            *("saddle", "unstable node", "saddle"),
            *("stable node", "saddle", "stable node"),
        )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), size=st.floats(0.3, 8), shift=st.floats(0, 3))
def test_no_fixed_point_of_two_units_is_missed(seed: int, size: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    w, b = size * rng.standard_normal((2, 2)), shift * rng.standard_normal(2)
    found = two_unit_fixed_points(w, b)
    np.testing.assert_allclose(np.tanh(found.states @ w.T + b), found.states, atol=1e-10)
    assume(np.abs(np.linalg.det(np.eye(2) - (1 - found.states**2)[:, :, None] * w)).min() > 1e-3)
    assert found.complete
    # along a_1: the first equation gives tanh(a_2), and the second one is left over
    reach = np.abs(w).sum(axis=1) + np.abs(b) + 1
    a = np.sort(np.concatenate([np.linspace(-reach[0], reach[0], 100_001), np.linspace(-4, 4, 100_001)]))
    other = (a - b[0] - w[0, 0] * np.tanh(a)) / w[0, 1]
    inside = np.abs(other) < 1
    rest = np.arctanh(np.where(inside, other, 0)) - w[1] @ np.stack([np.tanh(a), other]) - b[1]
    rest = np.where(inside, rest, np.copysign(np.inf, other))
    crossed = (np.sign(rest[1:]) * np.sign(rest[:-1]) < 0) & (inside[1:] | inside[:-1])
    assert crossed.sum() <= len(found.states)


@pytest.mark.parametrize("rotation", [0.0, np.pi / 2, np.pi])
def test_neutral_points_are_one_and_are_named(rotation: float) -> None:
    found = two_unit_fixed_points(two_unit_matrix(1, rotation))
    assert found.kinds == ("neutral",)
    np.testing.assert_allclose(found.states, 0, atol=1e-6)


def test_kinds_of_a_rotation() -> None:
    assert two_unit_fixed_points(two_unit_matrix(0.9, 0.3)).kinds == ("stable spiral",)
    around = two_unit_fixed_points(two_unit_matrix(1.5, 0.3))
    assert around.kinds == ("unstable spiral",)
    assert around.approached_from(np.array([0.5, 0.1])) is None, "an invariant circle"


# ---- two units: trajectories ----


def test_gradient_along_trajectories_is_that_of_autograd() -> None:
    rng = np.random.default_rng(0)
    w, b, starts = 1.5 * rng.standard_normal((2, 2)), rng.standard_normal(2), rng.uniform(-1, 1, (5, 2))
    states, logs = trajectories(w, b, starts, 20)

    def end(h: torch.Tensor) -> torch.Tensor:
        for _ in range(20):
            h = torch.tanh(torch.from_numpy(w) @ h + torch.from_numpy(b))
        return h

    for k, start in enumerate(torch.from_numpy(starts)):
        np.testing.assert_allclose(states[-1, k], end(start), atol=1e-12)
        jacobian = torch.autograd.functional.jacobian(end, start)
        assert logs[-1, k] == pytest.approx(np.log10(np.linalg.norm(jacobian, 2)), abs=1e-9)
    np.testing.assert_allclose(logs[0], 0, atol=1e-15)


def test_far_below_the_range_of_floats_two_units_are_as_exact_as_one() -> None:
    logs = trajectories(np.diag([2.0, 3.0]), 0.0, np.array([[0.3, 0.2]]), 1500)[1][:, 0]
    single = [orbit(w, 0.0, start, 1500)[1] for w, start in ((2.0, 0.3), (3.0, 0.2))]
    assert logs[-1] < -1000
    np.testing.assert_allclose(logs, np.maximum(*single), atol=1e-9)


def test_trajectories_end_at_a_stable_point_at_the_rate_of_its_radius() -> None:
    w = two_unit_matrix(3.0, 0.12)
    found = two_unit_fixed_points(w)
    states, logs = trajectories(w, 0.0, starts_around(8), 300)
    for k in range(8):
        at = found.approached_from(states[0, k])
        assert at is not None and found.kinds[at] == "stable node"
        np.testing.assert_allclose(states[-1, k], found.states[at], atol=1e-10)
        assert np.diff(logs[:, k])[-1] == pytest.approx(np.log10(found.radii[at]), abs=1e-6)


def test_direction_field_is_one_step() -> None:
    w = two_unit_matrix(1.2, 0.5)
    states, change = direction_field(w, 0.1, 5)
    assert states.shape == change.shape == (25, 2)
    np.testing.assert_allclose(states + change, np.tanh(states @ w.T + 0.1), atol=1e-15)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fixed_points(np.nan), "weight is nan; allowed are finite numbers"),
        (lambda: fixed_points(1, np.inf), "bias is inf; allowed are finite numbers"),
        (lambda: fixed_points(1, 0, "gelu"), "activation is 'gelu'; allowed are tanh, relu"),
        (lambda: bifurcation(np.array([2.0, 1.0])), "allowed are two or more, ascending"),
        (lambda: orbit(1, 0, 0.1, -1), "steps is -1; allowed is 0 or more"),
        (lambda: two_unit_matrix(np.nan, 0), "growth is nan"),
        (lambda: two_unit_fixed_points(np.eye(3)), r"shape \[3, 3\]; allowed are finite numbers \[2, 2\]"),
        (lambda: two_unit_fixed_points(np.eye(2), np.ones(3)), r"bias has the shape \[3\]"),
        (lambda: trajectories(np.eye(2), 0, np.ones(2), 3), r"allowed are finite numbers \[S, 2\]"),
        (lambda: trajectories(np.eye(2), 0, np.ones((1, 2)), -1), "steps is -1"),
        (lambda: direction_field(np.eye(2), 0, 1), "points is 1; allowed is 2 or more"),
    ],
)
def test_impossible_settings_are_named(call, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
