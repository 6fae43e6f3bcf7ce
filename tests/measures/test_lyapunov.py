"""Lyapunov exponents: closed forms, determinants, exact zeros, and what SCIENCE.md says of tanh networks."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.cells import CELLS
from explorer.engine.lyapunov import frame_growth, vector_growth
from explorer.engine.partials import partials_between
from explorer.engine.pushforward import Pushforward
from explorer.measures.jacobian import jacobian_products
from explorer.measures.lyapunov import LyapunovSpectrum, gradient_slope, lyapunov_exponents
from explorer.measures.lyapunov_fan import lyapunov_fan
from explorer.measures.orbits import long_orbit
from explorer.trace import Trace

TANH = Experiment(
    hidden_size=200,
    initializer={"kind": "gaussian"},
    signal={"kind": "zeros"},
    bias_scale=0,
    initial_scale=1,
    batch_size=1,
)


def linear(weight: np.ndarray, activation: str = "linear") -> Trace:
    """A network with this recurrent matrix, started at random and not driven."""
    experiment = Experiment(
        cell={"kind": "rnn", "activation": activation},
        hidden_size=len(weight),
        num_steps=5,
        batch_size=1,
        signal={"kind": "zeros"},
        initial_scale=1,
    )
    return run(experiment, weights={"weight_ih": np.zeros((len(weight), 1)), "weight_hh": weight})


def orthogonal(size: int, seed: int = 0) -> np.ndarray:
    return np.asarray(np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0])


# ---- linear maps ----


@pytest.mark.parametrize("gain", [0.9, 1.0, 1.1, 1e-40, 1e40])
def test_orthogonal_times_gain(gain: float) -> None:
    """Every exponent is ln g, whatever the orthogonal matrix."""
    found = lyapunov_exponents(linear(gain * orthogonal(16)), steps=60, settle=0)
    np.testing.assert_allclose(found.exponents, np.log(gain), rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.running, np.log(gain), rtol=0, atol=1e-10)
    assert found.gradient_slope == pytest.approx(np.log(gain), abs=1e-10)
    assert found.total == pytest.approx(16 * np.log(gain), abs=1e-8)
    assert found.num_positive == (16 if gain > 1.05 else 0)
    assert found.kaplan_yorke_dimension == pytest.approx(16 if gain >= 1 else 0, abs=1e-9)


@settings(max_examples=10)
@given(st.integers(0, 100), st.sampled_from([np.array([2.0, -1.2, 0.7, 0.3, 0.1]), np.array([0.5, 0.2])]))
def test_normal_matrix(seed: int, eigenvalues: np.ndarray) -> None:
    """ln |eigenvalue|; the frame turns into the eigenvectors at the rate of their quotients."""
    basis = orthogonal(len(eigenvalues), seed)
    found = lyapunov_exponents(linear(basis @ np.diag(eigenvalues) @ basis.T), steps=40, settle=100)
    np.testing.assert_allclose(found.exponents, np.log(np.abs(eigenvalues)), rtol=0, atol=1e-10)


@settings(max_examples=10)
@given(st.integers(0, 100))
def test_triangular_matrix_whatever_its_non_normality(seed: int) -> None:
    diagonal = np.array([0.3, 1.5, 0.8, 0.1])
    upper = np.diag(diagonal) + np.triu(5 * np.random.default_rng(seed).standard_normal((4, 4)), 1)
    found = lyapunov_exponents(linear(upper), steps=40, settle=150)
    np.testing.assert_allclose(found.exponents, np.sort(np.log(diagonal))[::-1], rtol=0, atol=1e-10)


def test_a_complex_pair_shares_its_exponent() -> None:
    """One of a pair may be more than the other for a while; their sum is ln |λ|² once both have settled."""
    rotation = 0.9 * np.array([[np.cos(1.0), -3 * np.sin(1.0)], [np.sin(1.0) / 3, np.cos(1.0)]])
    weight = np.block([[rotation, np.ones((2, 1))], [np.zeros((1, 2)), np.array([[0.2]])]])
    found = lyapunov_exponents(linear(weight), steps=2000, settle=50)
    np.testing.assert_allclose(found.exponents, [np.log(0.9)] * 2 + [np.log(0.2)], rtol=0, atol=2e-3)
    assert found.exponents[:2].sum() == pytest.approx(2 * np.log(0.9), abs=2e-3)
    assert found.exponents[2] == pytest.approx(np.log(0.2), abs=1e-10)


def test_the_first_exponents_alone_are_those_of_all() -> None:
    weight = orthogonal(6) @ np.diag([1.3, 0.9, 0.6, 0.4, 0.2, 0.1]) @ orthogonal(6).T
    every = lyapunov_exponents(linear(weight), steps=50)
    some = lyapunov_exponents(linear(weight), steps=50, count=3)
    np.testing.assert_allclose(some.exponents, every.exponents[:3], rtol=0, atol=1e-12)
    assert np.isnan(lyapunov_exponents(linear(weight), steps=50, count=1).kaplan_yorke_dimension)
    assert some.kaplan_yorke_dimension == pytest.approx(every.kaplan_yorke_dimension)


# ---- any cell ----


@pytest.mark.parametrize(
    "cell", [*({"kind": kind} for kind in CELLS), {"kind": "gru", "reset": "before"}], ids=str
)
def test_tangent_steps_are_differences_of_runs(cell: dict[str, Any]) -> None:
    """Seven steps, every component of the whole state moved by ±1e-6, for every cell."""
    experiment = Experiment(cell=cell, hidden_size=4, num_steps=7, batch_size=1, weight_scale=2.0)
    start = {name: np.full((1, 4), 0.1) for name in experiment.cell.states}
    trace = run(experiment, initial_state=start)
    names = ["h", *(name for name in start if name != "h")]
    size = 4 * len(names)
    ((_, partials),) = trace.partial_blocks()
    pushforward = Pushforward(trace.system, size)
    pushforward.open(partials)
    found = pushforward.push(0, 7, np.eye(size))
    for column in range(size):
        ends = []
        for move in (1e-6, -1e-6):
            name, unit = names[column // 4], column % 4
            moved = start | {name: start[name] + move * np.eye(4)[unit]}
            states = run(experiment, initial_state=moved).states
            ends.append(np.concatenate([states[name][-1, 0] for name in names]))
        np.testing.assert_allclose(found[:, column], (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-9)
    by_pullback = jacobian_products(trace, output="state")[0]
    np.testing.assert_allclose(found[:, :4], by_pullback, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("kind", CELLS)
def test_the_sum_is_the_mean_log_determinant(kind: str) -> None:
    """Σ λ_i = ⟨ln |det J_t|⟩ exactly, over any window."""
    experiment = Experiment(cell={"kind": kind}, hidden_size=4, batch_size=1, weight_scale=1.5)
    found = lyapunov_exponents(experiment, steps=24, settle=6)
    orbit = long_orbit(experiment, 24, 6, 0)
    size = 4 * len(experiment.cell.states)
    logs = []
    for t in range(6, 30):
        pushforward = Pushforward(orbit.system, size)
        pushforward.open(partials_between(experiment.cell, orbit.forward, t, t + 1))
        logs.append(np.linalg.slogdet(pushforward.push(0, 1, np.eye(size)))[1])
    assert found.total == pytest.approx(np.mean(logs), abs=1e-7)


@pytest.mark.parametrize(("amplitude", "least"), [(1.0, -9), (5.0, -32), (10.0, -61)])
def test_small_directions_have_digits_of_their_own(amplitude: float, least: float) -> None:
    """Saturated units: the QR of the same product in 700 digits, down to factors of e^−61 at every step."""
    experiment = Experiment(
        initializer={"kind": "gaussian"},
        hidden_size=6,
        weight_scale=4.0,
        input_scale=10.0,
        seed=3,
        batch_size=1,
        signal={"kind": "noise", "amplitude": amplitude},
    )
    found = lyapunov_exponents(experiment, steps=12, settle=0)
    orbit = long_orbit(experiment, 12, 0, 0)
    with mpmath.workdps(700):
        product = mpmath.eye(6)
        matrix = mpmath.matrix(orbit.weights["weight_hh"].tolist())
        for slots in orbit.forward.slots[:, 0, :, 0]:
            product = mpmath.diag([1 / mpmath.cosh(float(a)) ** 2 for a in slots]) * matrix * product
        frame = np.linalg.qr(experiment.rng("lyapunov").standard_normal((6, 6)))[0]
        triangle = mpmath.qr(product * mpmath.matrix(frame.tolist()))[1]
        exact = sorted((float(mpmath.log(abs(triangle[i, i]))) / 12 for i in range(6)), reverse=True)
    assert exact[-1] < least
    np.testing.assert_allclose(found.exponents, exact, rtol=0, atol=1e-6)


# ---- exact zeros and no numbers ----


def test_lost_directions_are_minus_infinity() -> None:
    rank_one = lyapunov_exponents(linear(np.ones((3, 3))), steps=20)
    assert rank_one.exponents[0] == pytest.approx(np.log(3), abs=1e-10)
    assert np.isneginf(rank_one.exponents[1:]).all() and rank_one.num_zeros == 2
    assert rank_one.kaplan_yorke_dimension == 1 and rank_one.total == -np.inf
    nothing = lyapunov_exponents(linear(np.zeros((3, 3))), steps=20)
    assert np.isneginf(nothing.exponents).all() and nothing.gradient_slope == -np.inf
    assert nothing.times[-1] == 20


def test_an_lstm_without_matrix_keeps_its_forget_gates() -> None:
    """H directions along c with ⟨ln f⟩ each, and H lost ones: h is a function of c."""
    cell = {"kind": "lstm", "forget_bias": 2.0}
    experiment = Experiment(
        cell=cell, hidden_size=4, weight_scale=0, bias_scale=0, input_scale=0, initial_scale=1, batch_size=1
    )
    found = lyapunov_exponents(experiment, steps=30)
    np.testing.assert_allclose(found.exponents[:4], -np.log1p(np.exp(-2.0)), rtol=0, atol=1e-10)
    assert np.isneginf(found.exponents[4:]).all()
    shut = experiment.changed("hold", "forget=0")
    assert np.isneginf(lyapunov_exponents(shut, steps=30).exponents).all()


def test_dead_relu_units_are_lost() -> None:
    """0.5·I with all but five units dead."""
    experiment = Experiment(
        cell={"kind": "rnn", "activation": "relu"}, hidden_size=8, num_steps=30, batch_size=1
    )
    weights = {"weight_ih": np.where(np.arange(8) < 5, 1.0, -1.0)[:, None], "weight_hh": 0.5 * np.eye(8)}
    found = lyapunov_exponents(
        run(experiment, weights=weights, inputs=np.ones((30, 1, 1))), steps=20, settle=10
    )
    np.testing.assert_allclose(found.exponents[:5], np.log(0.5), rtol=0, atol=1e-10)
    assert np.isneginf(found.exponents[5:]).all() and found.num_unknown == 0


def test_states_that_are_no_numbers_are_not_known() -> None:
    cell = {"kind": "lstm", "candidate_activation": "linear", "cell_activation": "linear"}
    cell |= {"output_activation": "linear", "input_activation": "linear", "forget_activation": "linear"}
    experiment = Experiment(cell=cell, hidden_size=8, weight_scale=4, batch_size=1)
    found = lyapunov_exponents(experiment, steps=200)
    assert np.isnan(found.exponents).all() and found.num_unknown == 16
    assert np.isnan(found.kaplan_yorke_dimension) and np.isnan(found.gradient_slope)
    fan = lyapunov_fan(experiment, [0.1, 4.0], [0])[:, 0]
    assert np.isfinite(fan[0]) and np.isnan(fan[1]), "one column that overflows leaves the others alone"


# ---- nonlinear maps ----


def test_the_scalar_map_at_its_fixed_point() -> None:
    """h = tanh(wh): ln w(1 − h*²), which is 0.394 at w = 1.5 (SCIENCE.md); here in two uncoupled units."""
    found = lyapunov_exponents(linear(1.5 * np.eye(2), "tanh"), steps=50, settle=300)
    np.testing.assert_allclose(found.exponents, np.log(0.394), rtol=0, atol=2e-3)
    star = 0.5
    for _ in range(500):
        star = float(np.tanh(1.5 * star))
    np.testing.assert_allclose(found.exponents, np.log(1.5 * (1 - star**2)), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("gain", "expected", "spread"),
    [(0.5, -0.655, 0.05), (1.0, 0.0, 0.04), (1.5, 0.044, 0.023), (2.0, 0.141, 0.017), (3.0, 0.295, 0.02)],
)
def test_tanh_networks_of_200_units(gain: float, expected: float, spread: float) -> None:
    """SCIENCE.md's values: the mean over seeds lies within the spread of one network."""
    values = lyapunov_fan(TANH, [gain], range(4), steps=400)[0]
    assert values.mean() == pytest.approx(expected, abs=spread)
    found = lyapunov_exponents(TANH.changed("weight_scale", gain), count=1, steps=400)
    assert found.largest == pytest.approx(values[0], abs=max(1e-6, 4 * float(found.standard_errors[0])))
    # The same window, forward and back: what differs is how both ends meet the direction, O(ln N / steps).
    assert found.gradient_slope == pytest.approx(found.largest, abs=np.log(200) / 400)


def test_standard_errors_and_running_means() -> None:
    found = lyapunov_exponents(TANH.changed("weight_scale", 2.0).changed("hidden_size", 50), count=3)
    np.testing.assert_array_equal(found.running[-1], found.exponents)
    assert found.times[-1] == 500 and (np.diff(found.times) <= 5).all()
    assert ((found.standard_errors > 1e-4) & (found.standard_errors < 0.05)).all()
    longer = lyapunov_exponents(
        TANH.changed("weight_scale", 2.0).changed("hidden_size", 50), count=3, steps=2500
    )
    errors = np.hypot(found.standard_errors, longer.standard_errors)
    assert (np.abs(found.exponents - longer.exponents) < 5 * errors).all()
    assert longer.standard_errors.max() < found.standard_errors.max()


def test_kaplan_yorke_of_known_spectra() -> None:
    """The Hénon map's exponents 0.419 and −1.623 give 1.258 (Sprott 2003)."""

    def spectrum(*values: float, dimension: int | None = None) -> LyapunovSpectrum:
        exponents = np.array(values)
        size = dimension or len(values)
        return LyapunovSpectrum(
            exponents, 0 * exponents, exponents[None], np.ones(1), 0.0, steps=1, settle=0, dimension=size
        )

    assert spectrum(0.419, -1.623).kaplan_yorke_dimension == pytest.approx(1.258, abs=5e-4)
    assert spectrum(0.9, 0.0, -14.57).kaplan_yorke_dimension == pytest.approx(2.062, abs=5e-4)
    assert spectrum(-0.1, -0.2).kaplan_yorke_dimension == 0
    assert spectrum(0.2, -0.1).kaplan_yorke_dimension == 2
    assert np.isnan(spectrum(0.2, 0.1, dimension=5).kaplan_yorke_dimension)


# ---- traces ----


def test_a_trace_is_continued_by_its_signal_alone() -> None:
    experiment = Experiment(hidden_size=6, num_steps=20, batch_size=3, signal={"kind": "sine"})
    trace, whole = run(experiment), lyapunov_exponents(experiment, sample=2)
    np.testing.assert_array_equal(lyapunov_exponents(trace, sample=2).exponents, whole.exponents)
    other = run(experiment, inputs=np.ones((20, 3, 1)))
    with pytest.raises(ValueError, match="settle \\+ steps is 600; allowed is 20 or less"):
        lyapunov_exponents(other)
    assert np.isfinite(lyapunov_exponents(other, steps=15, settle=5).exponents).all()


def test_the_slope_is_that_of_the_gradient_curve() -> None:
    trace = linear(0.8 * orthogonal(4))
    assert gradient_slope(trace) == pytest.approx(np.log(0.8), abs=1e-12)
    assert gradient_slope(trace, settle=3) == pytest.approx(np.log(0.8), abs=1e-12)
    assert np.isnan(gradient_slope(trace, settle=5))
    assert gradient_slope(linear(np.zeros((2, 2)))) == -np.inf


# ---- fan ----


def test_the_fan_is_the_exponent_of_each_network() -> None:
    """Columns of one product against one run each, for a cell with a message and one with two states."""
    for cell in ({"kind": "gru", "reset": "before"}, {"kind": "lstm"}, {"kind": "rnn", "activation": "relu"}):
        experiment = Experiment(cell=cell, hidden_size=6, batch_size=2, signal={"kind": "sine"})
        gains, seeds = [0.0, 0.5, 1.2], [3, 4]
        fan = lyapunov_fan(experiment, gains, seeds, steps=40, settle=20, sample=1)
        for i, gain in enumerate(gains):
            for k, seed in enumerate(seeds):
                one = experiment.changed("weight_scale", gain).changed("seed", seed)
                alone = lyapunov_exponents(one, count=1, steps=40, settle=20, sample=1)
                assert fan[i, k] == pytest.approx(alone.largest, abs=1e-9)
                if cell["kind"] == "rnn" and gain == 0:
                    assert fan[i, k] == -np.inf


def test_one_vector_grows_like_the_first_of_a_frame() -> None:
    trace = run(Experiment(cell={"kind": "lstm"}, hidden_size=5, num_steps=50, batch_size=1))
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((10, 4)))[0]
    first = sum(logs[0] for _, logs in frame_growth(trace.system, trace.forward, frame))
    alone = sum(logs[0] for _, logs in vector_growth(trace.system, trace.forward, frame[:, :1]))
    assert first == pytest.approx(alone, abs=1e-10)


def test_mistakes_are_named() -> None:
    experiment = Experiment(hidden_size=4, batch_size=2)
    for arguments, message in (
        ({"count": 5}, "count is 5; allowed are the whole numbers 1 … 4"),
        ({"steps": 0}, "steps is 0; allowed are the whole numbers 1 or more"),
        ({"settle": -1}, "settle is -1"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"sample": 2}, "sample is 2; allowed are the whole numbers 0 … 1"),
        ({"steps": 10**9}, "GB of memory"),
    ):
        with pytest.raises(ValueError, match=message):
            lyapunov_exponents(experiment, **arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="allowed is one cell"):
        lyapunov_exponents(experiment.changed("network", "layers"))
    with pytest.raises(ValueError, match=r"gains contains -1\.0; allowed are finite numbers of 0 or more"):
        lyapunov_fan(experiment, [1, -1], [0])
    with pytest.raises(ValueError, match="gains has shape"):
        lyapunov_fan(experiment, [[1.0]], [0])
    with pytest.raises(ValueError, match="seed"):
        lyapunov_fan(experiment, [1], [-1])
    with pytest.raises(ValueError, match="settle is 6"):
        gradient_slope(linear(np.eye(2)), settle=6)
