"""Mean field against known numbers, independent integration, Monte Carlo and its own fixed points."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from explorer import Experiment
from explorer.activations import ACTIVATIONS
from explorer.theory.gaussian_averages import gaussian_averages
from explorer.theory.mean_field import (
    chi_1,
    correlation_map,
    critical_line,
    length_map,
    mean_field,
    mean_field_curve,
)
from explorer.theory.mean_field_of import (
    chi_grid,
    mean_field_of,
    mean_field_tolerance,
    why_no_mean_field,
)
from explorer.weights import draw_weights

KINKS = {"relu": (0.0,), "hard_sigmoid": (-3.0, 3.0), "hard_sigmoid_keras": (-2.5, 2.5), "softsign": (0.0,)}
NETWORKS = st.fixed_dictionaries(
    {
        "activation": st.sampled_from(list(ACTIVATIONS)),
        "sigma_w": st.floats(0, 4),
        "sigma_b": st.sampled_from([0.0]) | st.floats(1e-3, 2),
        "input_variance": st.sampled_from([0.0]) | st.floats(1e-3, 2),
        "bias_mean": st.sampled_from([0.0]) | st.floats(-2, 2),
    }
)


def density(z: float) -> float:
    return float(np.exp(-z * z / 2) / np.sqrt(2 * np.pi))


def integrated(name: str, which: str, q: float, mean: float) -> float:
    """E of the square of φ or φ′ by adaptive quadrature, split at the kinks."""
    function = getattr(ACTIVATIONS[name], which)
    root = np.sqrt(q)
    splits = sorted({0.0, *((kink - mean) / root for kink in KINKS.get(name, ()))})
    edges = [-10.0, *(split for split in splits if -10 < split < 10), 10.0]

    def value(z: float) -> float:
        return float(np.square(function(np.array([mean + root * z]))[0])) * density(z)

    return sum(
        quad(value, low, high, epsabs=1e-12, epsrel=1e-12, limit=200)[0] for low, high in pairwise(edges)
    )


# ---- known numbers ----


@pytest.mark.parametrize(
    ("sigma_w", "sigma_b", "q", "chi"),
    [(0.9, 0.0, 0.0, 0.81), (1.5, 0.3, 0.960844, 1.060981), (2.0, 0.0, 2.121474, 1.362673)],
)
def test_tanh_networks_of_the_literature(sigma_w: float, sigma_b: float, q: float, chi: float) -> None:
    found = mean_field("tanh", sigma_w=sigma_w, sigma_b=sigma_b)
    assert found.q == pytest.approx(q, abs=5e-7)
    assert found.chi == pytest.approx(chi, abs=5e-7)


def test_critical_lines() -> None:
    assert critical_line("tanh", [0.0, np.sqrt(0.05)]) ** 2 == pytest.approx([1, 1.760955], abs=5e-7)
    assert critical_line("relu", [0.0, 0.5]) == pytest.approx(np.sqrt(2), rel=1e-14)
    assert critical_line("linear", 0.3) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "hard_sigmoid", "softsign"])
def test_gradients_keep_their_size_on_the_critical_line(name: str) -> None:
    """Also with a drive and a mean; the line was found without looking at fixed lengths."""
    sigma_b, others = np.array([0.1, 0.5, 2.0]), {"input_variance": 0.2, "bias_mean": 0.3}
    sigma_w = critical_line(name, sigma_b, **others)
    assert chi_1(name, sigma_w=sigma_w, sigma_b=sigma_b, **others) == pytest.approx(1, abs=1e-10)


def test_tanh_equals_mpmath_to_ten_digits() -> None:
    found = mean_field("tanh", sigma_w=1.5, sigma_b=0.3)
    with mp.workdps(20):

        def average(f: Any, q: Any) -> Any:
            return mp.quad(lambda z: f(mp.sqrt(q) * z) * mp.npdf(z), [-10, -4, 0, 4, 10])

        q = mp.findroot(lambda q: 2.25 * average(lambda a: mp.tanh(a) ** 2, q) + 0.09 - q, 0.9)
        chi = 2.25 * average(lambda a: mp.sech(a) ** 4, q)
    assert found.q == pytest.approx(float(q), rel=1e-12)
    assert found.chi == pytest.approx(float(chi), rel=1e-12)


# ---- averages ----


@pytest.mark.parametrize("mean", [0.0, -1.3])
@pytest.mark.parametrize("q", [1e-4, 0.7, 40.0, 256.0])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_averages_equal_adaptive_quadrature(name: str, q: float, mean: float) -> None:
    averages, at = gaussian_averages(name), (np.array(q), np.array(mean))
    assert averages.square(*at) == pytest.approx(integrated(name, "function", q, mean), rel=1e-9, abs=1e-14)
    assert averages.slope_square(*at) == pytest.approx(
        integrated(name, "slope", q, mean), rel=1e-9, abs=1e-14
    )
    step = 1e-4 * q
    rate = np.diff(averages.square(q + np.array([-step, step]), np.array(mean)))[0] / (2 * step)
    assert averages.square_rate(*at) == pytest.approx(rate, rel=1e-6, abs=1e-9)


def arc_cosine(c: np.ndarray) -> np.ndarray:
    """E[ReLU(z)ReLU(z′)] of Cho & Saul (2009)."""
    return np.asarray((np.sqrt(1 - c * c) + c * (np.pi - np.arccos(c))) / (2 * np.pi))


def test_relu_pairs_are_the_arc_cosine_kernel() -> None:
    c = np.linspace(-1, 1, 41)
    product, slope = gaussian_averages("relu").pair(np.array(3.0), np.array(0.0))(c)
    np.testing.assert_allclose(product, 3 * arc_cosine(c), atol=1e-14)
    np.testing.assert_allclose(slope, (np.pi - np.arccos(c)) / (2 * np.pi), atol=1e-14)


@pytest.mark.parametrize("mean", [0.0, 0.8])
@pytest.mark.parametrize("c", [-0.7, 0.4, 0.95])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_pairs_equal_an_integral_over_the_plane(name: str, c: float, mean: float) -> None:
    """E[E[φ(a′) | a] φ(a)], both by Gauss–Legendre panels: not the series and not Price's theorem."""
    q, nodes = 2.5, np.polynomial.legendre.leggauss(16)
    root, sine = np.sqrt(q), np.sqrt(1 - c * c)

    def panels(breaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        edges = np.sort(np.concatenate([np.linspace(-9, 9, 19), np.clip(breaks, -9, 9)]))
        half = np.diff(edges)[:, None] / 2
        z = edges[:-1, None] + half * (1 + nodes[0])
        return z.ravel(), (half * nodes[1] * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)).ravel()

    kinks = (np.array(KINKS.get(name, (0.0,))) - mean) / root
    total = np.zeros(2)
    functions = (ACTIVATIONS[name].function, ACTIVATIONS[name].slope)
    z, weights = panels(kinks)
    inner = [panels((kinks - c * x) / sine) for x in z]
    y, y_weights = (np.array(part) for part in zip(*inner, strict=True))
    for k, function in enumerate(functions):
        given = (y_weights * function(mean + root * (c * z[:, None] + sine * y))).sum(axis=1)
        total[k] = (weights * function(mean + root * z) * given).sum()
    found = gaussian_averages(name).pair(np.array(q), np.array(mean))(np.array(c))
    assert found[0] == pytest.approx(total[0], abs=1e-8)
    assert found[1] == pytest.approx(total[1], abs=1e-5 if name == "softsign" else 1e-8)


def test_averages_equal_those_of_random_numbers() -> None:
    rng, c = np.random.default_rng(0), 0.6
    z = rng.standard_normal((2, 400_000))
    first, second = np.sqrt(1.7) * z[0] + 0.2, np.sqrt(1.7) * (c * z[0] + np.sqrt(1 - c * c) * z[1]) + 0.2
    for name, activation in ACTIVATIONS.items():
        found = gaussian_averages(name).pair(np.array(1.7), np.array(0.2))(np.array(c))
        for value, function in zip(found, (activation.function, activation.slope), strict=True):
            products = function(first) * function(second)
            assert abs(products.mean() - value) <= 5 * products.std() / np.sqrt(products.size) + 1e-15


# ---- fixed points ----


@settings(max_examples=25)
@given(network=NETWORKS)
def test_lengths_and_correlations_are_fixed_points(network: dict[str, Any]) -> None:
    found = mean_field(**network)
    name = network["activation"]
    if not np.isfinite(found.q):
        assert name in ("relu", "linear") and found.chi >= 0.9
        return
    assert found.q >= found.sigma_b**2 + found.input_variance
    assert found.next_length(found.q) == pytest.approx(found.q, rel=1e-10, abs=1e-12)
    assert 0 <= found.c <= 1
    assert found.next_correlation([1.0, found.c]) == pytest.approx([1.0, found.c], abs=1e-10)
    assert found.chi_c <= 1 + 1e-9, "c is stable"
    assert (found.c == 1) == (found.chi <= 1 + 1e-12)
    assert found.xi_c >= 0 and found.xi_q >= 0


@settings(max_examples=12)
@given(network=NETWORKS, c=st.floats(0, 1))
def test_chi_is_the_slope_at_one_and_the_map_is_convex(network: dict[str, Any], c: float) -> None:
    found = mean_field(**network)
    slope = found.chi if np.isfinite(found.q) else found.chi_c
    h = 1e-6
    after, close, at_one = found.next_correlation([c, 1 - h, 1.0])
    assert after >= 1 + slope * (c - 1) - 1e-9, "a convex map lies above its tangent"
    secant = (at_one - close) / h
    assert secant == pytest.approx(slope, abs=5e-3)


@settings(max_examples=12)
@given(network=NETWORKS, start=st.floats(1e-4, 0.1))
def test_a_small_start_comes_to_the_fixed_length(network: dict[str, Any], start: float) -> None:
    found = mean_field(**network)
    q = np.array(found.sigma_b**2 + found.input_variance) + start * (found.q if np.isfinite(found.q) else 1)
    for _ in range(100):
        q = np.minimum(found.next_length(q), 1e200)
    if np.isinf(found.q):
        assert q > 1e3 or found.xi_q == np.inf
    elif np.isfinite(found.q) and found.xi_q < 6:
        assert q == pytest.approx(found.q, rel=1e-5, abs=1e-5)


def test_relu_has_three_fates() -> None:
    below, at = mean_field("relu", sigma_w=1.2, sigma_b=0.5), mean_field("relu", sigma_w=np.sqrt(2))
    assert below.q == pytest.approx(0.25 / (1 - 0.72), rel=1e-14) and below.chi == pytest.approx(0.72)
    assert np.isnan(at.q) and at.chi == pytest.approx(1) and at.xi_c == np.inf
    for sigma_b in (0.0, 0.5):
        beyond = mean_field("relu", sigma_w=2, sigma_b=sigma_b)
        assert beyond.q == np.inf and beyond.chi == 2 and (beyond.c, beyond.xi_c) == (1, np.inf)
    assert mean_field("relu", sigma_w=np.sqrt(2), sigma_b=0.1).q == np.inf
    assert mean_field("relu", sigma_w=1.0).q == 0
    np.testing.assert_allclose(beyond.next_correlation([0.0, 0.5]), 2 * arc_cosine(np.array([0, 0.5])))


def test_linear_networks_keep_correlations_where_lengths_grow() -> None:
    grows, settles = mean_field("linear", sigma_w=1.1), mean_field("linear", sigma_w=0.5, bias_mean=2.0)
    assert grows.q == np.inf and np.isnan(grows.c)
    assert grows.next_correlation(0.3) == pytest.approx(0.3)
    assert settles.q == pytest.approx(0.25 * 4 / 0.75)


def test_chaos_without_biases_forgets_everything() -> None:
    """tanh is odd: c* = 0, and the depth scale is that of E[φ′]²."""
    found = mean_field("tanh", sigma_w=2.0)
    assert found.c == 0
    mean_slope = quad(lambda z: density(z) / np.cosh(np.sqrt(found.q) * z) ** 2, -10, 10, epsabs=1e-13)[0]
    assert found.xi_c == pytest.approx(-1 / np.log(4 * mean_slope**2), rel=1e-9)


def test_just_above_criticality_the_length_is_small() -> None:
    """E[tanh²] = q − 2q² + 17/3 q³ …, so q* = (σ_w² − 1)/2 at first order."""
    for excess in (1e-9, 1e-6, 1e-3):
        found = mean_field("tanh", sigma_w=np.sqrt(1 + excess))
        assert found.q == pytest.approx(excess / 2, rel=2 * excess + 1e-6)
    at = mean_field("tanh", sigma_w=1.0)
    assert at.chi == pytest.approx(1, abs=1e-14)
    assert (at.q, at.xi_q, at.xi_c) == (0, np.inf, np.inf)


def test_without_weights_only_the_drive_is_left() -> None:
    found = mean_field("tanh", sigma_w=0, sigma_b=0.5, input_variance=0.75)
    assert (found.q, found.chi, found.c, found.xi_c, found.xi_q) == (1, 0, 1, 0, 0)
    assert mean_field("tanh", sigma_w=0).q == 0


def test_the_smaller_of_two_lengths_is_found() -> None:
    """A sigmoid with a bias far below 0 and large weights may stay off or be on; a small start stays off."""
    found = mean_field("sigmoid", sigma_w=30, bias_mean=-6)
    large = np.array(300.0)
    for _ in range(200):
        large = length_map("sigmoid", 30, 0, large, bias_mean=-6)
    assert found.q < 1 and large > 100


# ---- arrays ----


def test_curves_equal_single_networks() -> None:
    sigma_w, sigma_b = np.array([0.0, 0.8, 1.3, 2.5]), np.array([[0.0], [0.4]])
    curve = mean_field_curve("tanh", sigma_w=sigma_w, sigma_b=sigma_b, bias_mean=0.2)
    for row, column in np.ndindex(2, 4):
        one = mean_field("tanh", sigma_w=sigma_w[column], sigma_b=float(sigma_b[row, 0]), bias_mean=0.2)
        for name in ("q", "chi", "c", "chi_c", "xi_q", "xi_c"):
            assert getattr(curve, name)[row, column] == pytest.approx(getattr(one, name), rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(
        chi_1("tanh", sigma_w=sigma_w, sigma_b=sigma_b, bias_mean=0.2), curve.chi, rtol=1e-13
    )


def test_maps_take_arrays() -> None:
    q = length_map("tanh", np.array([[1.0], [2.0]]), 0.3, np.array([0.0, 1.0, 5.0]))
    assert q.shape == (2, 3) and q[0, 0] == pytest.approx(0.09)
    assert q[1, 1] == pytest.approx(4 * integrated("tanh", "function", 1.0, 0.0) + 0.09)
    c = correlation_map("tanh", 1.5, 0.3, np.array([0.0, 1.0]))
    found = mean_field("tanh", sigma_w=1.5, sigma_b=0.3)
    assert c == pytest.approx([0.09 / found.q, 1])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"activation": "swish"}, "activation='swish' is unknown; allowed are tanh"),
        ({"sigma_w": -1}, "sigma_w is -1.0; allowed are finite numbers of at least 0"),
        ({"sigma_b": np.nan}, "sigma_b is nan"),
        ({"input_variance": -0.1}, "input_variance is -0.1"),
        ({"bias_mean": np.inf}, "bias_mean is inf; allowed are finite numbers$"),
    ],
)
def test_what_is_out_of_range_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        mean_field(**{"activation": "tanh", "sigma_w": 1.0} | change)


def test_correlations_beyond_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"c is 1\.5; allowed are numbers from −1 to 1"):
        correlation_map("tanh", 1.0, 0.1, [0.2, 1.5])


# ---- experiments ----

DRAWN = [
    {},
    {"initializer": {"kind": "gaussian", "sigma": 1.7}, "weight_scale": 0.6, "bias_scale": 4.0},
    {"initializer": {"kind": "orthogonal"}, "input_scale": 3.0, "cell": {"kind": "rnn", "bias": 0.4}},
    {"signal": {"kind": "noise", "amplitude": 0.5, "channels": 8}},
    {"signal": {"kind": "sine", "amplitude": 2.0}, "input_scale": 2.0},
    {"signal": {"kind": "text"}, "input_scale": 2.0},
    {"signal": {"kind": "zeros"}},
    {"cell": {"kind": "echo", "leak_rate": 1.0}},
]


@pytest.mark.parametrize("settings_", DRAWN, ids=str)
def test_settings_have_the_variances_that_weights_and_inputs_are_drawn_with(
    settings_: dict[str, Any],
) -> None:
    experiment = Experiment.model_validate(
        {"hidden_size": 512, "num_steps": 200, "batch_size": 8} | settings_
    )
    found = mean_field_of(experiment)
    assert found is not None
    weights = draw_weights(experiment)
    bias = weights["bias_ih"] + weights["bias_hh"]
    x, _ = experiment.signal.draw(experiment.rng("any"), experiment.num_steps, experiment.batch_size)
    assert found.sigma_w == pytest.approx(np.linalg.norm(weights["weight_hh"]) / np.sqrt(512), rel=0.01)
    assert found.sigma_b == pytest.approx(bias.std(), rel=0.1)
    assert found.bias_mean == pytest.approx(bias.mean(), abs=5 * bias.std() / np.sqrt(512))
    assert found.input_variance == pytest.approx(np.square(x @ weights["weight_ih"].T).mean(), rel=0.15)


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"cell": {"kind": "lstm"}}, "no gates"),
        ({"cell": {"kind": "echo", "leak_rate": 0.5}}, "nothing of the old state"),
        ({"initializer": {"kind": "identity"}}, "without structure"),
        ({"initializer": {"kind": "triangular"}}, "without structure"),
        ({"signal": {"kind": "digits"}}, "alike at all steps"),
        ({"network": {"kind": "layers"}}, "one cell alone"),
    ],
)
def test_where_mean_field_does_not_apply_the_reason_is_said(settings_: dict[str, Any], words: str) -> None:
    experiment = Experiment.model_validate(settings_)
    assert mean_field_of(experiment) is None and chi_grid(experiment, {"weight_scale": [1.0]}) is None
    assert words in (why_no_mean_field(experiment) or "")


def test_grids_hold_the_chi_of_every_experiment() -> None:
    experiment = Experiment.model_validate({"initializer": {"kind": "gaussian"}, "hidden_size": 32})
    axes = {
        "weight_scale": [0.0, 1.5],
        "cell.bias": [-0.5, 0.0, 1.0],
        "input_scale": [0.0, 5.0],
        "hidden_size": [16, 256],
        "signal.amplitude": [0.0, 2.0],
        "initializer.sigma": [1.0, 2.0],
        "seed": [0, 1],
    }
    grid = chi_grid(experiment, axes)
    assert grid is not None and grid.shape == (2, 3, 2, 2, 2, 2, 2)
    rng = np.random.default_rng(0)
    for place in rng.permutation(list(np.ndindex(grid.shape)))[:12]:
        changed = experiment
        for (path, values), k in zip(axes.items(), place, strict=True):
            changed = changed.changed(path, values[k])
        one = mean_field_of(changed)
        assert one is not None and grid[tuple(place)] == pytest.approx(one.chi, rel=1e-10)


def test_grids_refuse_what_they_cannot_sweep() -> None:
    experiment = Experiment()
    with pytest.raises(ValueError, match="only numbers can be swept"):
        chi_grid(experiment, {"cell.activation": [1.0]})
    with pytest.raises(ValueError, match="less than or equal to 4"):
        chi_grid(experiment, {"weight_scale": [1.0, 5.0]})
    with pytest.raises(ValueError, match=r"'no\.such' is not a setting"):
        chi_grid(experiment, {"no.such": [1.0]})
    leaky = Experiment.model_validate({"cell": {"kind": "echo", "leak_rate": 1.0}})
    assert chi_grid(leaky, {"cell.leak_rate": [0.5, 1.0]}) is None


def test_tolerance_is_wider_for_narrow_and_for_undriven_networks() -> None:
    driven, narrow = Experiment(hidden_size=512), Experiment(hidden_size=128)
    assert mean_field_tolerance(driven) == pytest.approx(0.06)
    assert mean_field_tolerance(driven.changed("signal", "zeros")) == pytest.approx(0.12)
    assert mean_field_tolerance(driven.changed("input_scale", 0)) == pytest.approx(0.12)
    assert mean_field_tolerance(narrow) == pytest.approx(0.12)
