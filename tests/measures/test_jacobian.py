"""Jacobian products and their singular values: what theory says they must be."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.engine.graded_svd import Graded, condense, log2_singular_values
from explorer.measures import jacobian
from explorer.measures.jacobian import (
    jacobian_products,
    jacobian_singular_values,
    largest_singular_values,
    log_spaced_steps,
    scaled_jacobian_products,
)
from explorer.trace import TooLarge, Trace


def linear(weight: np.ndarray, num_steps: int, activation: str = "linear") -> Trace:
    size = len(weight)
    experiment = Experiment(
        cell=dict(kind="rnn", activation=activation), hidden_size=size, num_steps=num_steps, batch_size=1
    )
    weights = dict(weight_ih=np.ones((size, 1)), weight_hh=weight)
    return run(experiment, weights=weights, inputs=np.ones((num_steps, 1, 1)))


@pytest.mark.parametrize(("gain", "after_50"), [(0.9, 0.00515378), (1.1, 117.3909), (1e-12, 1e-600)])
def test_orthogonal_times_gain(gain: float, after_50: float) -> None:
    """Every singular value of ∂h_T/∂h_t is g^(T−t) (Saxe et al. 2014)."""
    q = np.linalg.qr(np.random.default_rng(0).standard_normal((16, 16)))[0]
    trace = linear(gain * q, 50)
    lags = np.arange(50, -1, -1)
    expected = np.repeat((lags * np.log10(gain))[:, None], 16, axis=1)
    np.testing.assert_allclose(jacobian_singular_values(trace), expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(largest_singular_values(trace), expected[:, 0], rtol=0, atol=1e-11)
    if after_50 > 0:
        np.testing.assert_allclose(np.linalg.norm(jacobian_products(trace)[0], 2), after_50, rtol=1e-6)
    else:
        assert (jacobian_products(trace)[0] == 0).all()


def test_non_normal_matrix_rises_before_it_falls() -> None:
    trace = linear(np.array([[0.9, 5], [0, 0.9]]), 60)
    norms = 10 ** largest_singular_values(trace)[::-1]  # by power k
    assert norms.argmax() == 9
    np.testing.assert_allclose(norms[9], 19.379, rtol=1e-4)
    assert np.flatnonzero(norms[1:] < 1)[0] + 1 == 55
    both = jacobian_singular_values(trace)
    np.testing.assert_allclose(both.sum(axis=1), np.arange(60, -1, -1) * 2 * np.log10(0.9), atol=1e-11)


def test_the_last_entry_is_the_identity_above_zeros() -> None:
    trace = run(Experiment(cell=dict(kind="lstm"), hidden_size=4, num_steps=5, batch_size=2))
    np.testing.assert_array_equal(jacobian_products(trace)[-1], np.eye(4))
    np.testing.assert_array_equal(jacobian_products(trace, 1, "state")[-1], np.eye(8, 4))
    assert (jacobian_singular_values(trace)[-1] == 0).all()
    assert largest_singular_values(trace)[-1] == 0


def test_overflow_in_the_plain_form_only() -> None:
    trace = linear(1e20 * np.eye(2), 40)
    mantissas, exponents = scaled_jacobian_products(trace)
    assert np.isfinite(mantissas).all()
    assert np.isinf(jacobian_products(trace)[0, 0, 0])
    largest = np.log10(mantissas[0].max()) + exponents[0] * np.log10(2)
    np.testing.assert_allclose([largest, largest_singular_values(trace)[0]], 800, rtol=1e-12)


def test_dead_relu_units_give_true_zeros() -> None:
    """Rank falls to the number of units alive at every step when U is the identity, and never comes back."""
    size, alive = 8, 5
    weights = dict(
        weight_ih=np.where(np.arange(size) < alive, 1.0, -1.0)[:, None], weight_hh=0.5 * np.eye(size)
    )
    cell = dict(kind="rnn", activation="relu")
    experiment = Experiment(cell=cell, hidden_size=size, num_steps=30, batch_size=1)
    values = jacobian_singular_values(run(experiment, weights=weights, inputs=np.ones((30, 1, 1))))
    assert not np.isnan(values).any()
    assert (values[:-1, alive:] == -np.inf).all()
    lags = np.arange(30, 0, -1)[:, None]
    np.testing.assert_allclose(
        values[:-1, :alive], np.broadcast_to(lags * np.log10(0.5), (30, alive)), atol=1e-12
    )


def test_random_relu_network_has_the_rank_of_its_narrowest_step() -> None:
    cell = dict(kind="rnn", activation="relu")
    trace = run(Experiment(cell=cell, hidden_size=16, num_steps=40, batch_size=2, weight_scale=2.0, seed=4))
    for sample in (0, 1):
        values = jacobian_singular_values(trace, sample)
        alive = (trace.slots["hidden"][:, sample] > 0).sum(axis=1)
        narrowest = np.minimum.accumulate(np.append(alive, 16)[::-1])[::-1]
        assert not np.isnan(values).any()
        np.testing.assert_array_equal((values > -np.inf).sum(axis=1), narrowest)


def test_matrices_of_lower_rank_and_zero() -> None:
    values = jacobian_singular_values(linear(np.ones((3, 3)), 7))
    np.testing.assert_allclose(values[:-1, 0], np.arange(7, 0, -1) * np.log10(3), atol=1e-12)
    assert (values[:-1, 1:] == -np.inf).all()
    trace = linear(np.zeros((3, 3)), 7)
    assert (jacobian_singular_values(trace)[:-1] == -np.inf).all()
    assert (largest_singular_values(trace)[:-1] == -np.inf).all()
    lstm = run(Experiment(cell=dict(kind="lstm"), hidden_size=4, num_steps=5, batch_size=1, weight_scale=0))
    assert (jacobian_singular_values(lstm)[:-1] == -np.inf).all()


@pytest.mark.parametrize("output", ["h", "state"])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_no_matrix_gives_true_zeros(kind: str, output: Literal["h", "state"]) -> None:
    """Only the GRU's h has a path around the matrix; for a saturated RNN the zero is as true."""
    trace = run(Experiment(cell={"kind": kind}, weight_scale=0, hidden_size=4, num_steps=6, batch_size=2))
    values, products = jacobian_singular_values(trace, output=output), jacobian_products(trace, 0, output)
    assert not np.isnan(values).any()
    np.testing.assert_array_equal(values[:, 0] == -np.inf, ~products.any(axis=(1, 2)))
    assert (values[:-1] == -np.inf).all() == (kind != "gru")
    np.testing.assert_allclose(values[:, 0], largest_singular_values(trace, output=output), atol=1e-12)
    deep = run(Experiment(cell={"kind": "rnn", "bias": 10}, input_scale=10, weight_scale=0, hidden_size=8))
    assert (jacobian_singular_values(deep, output=output)[:-1] == -np.inf).all()


def test_what_is_not_a_number_stays_so() -> None:
    trace = run(Experiment(hidden_size=4, num_steps=10, batch_size=1))
    trace.forward.slots[4] = np.nan
    trace.forward.states["h"][5] = np.nan
    values = jacobian_singular_values(trace)
    assert np.isnan(values[:5]).all() and np.isfinite(values[5:]).all()
    np.testing.assert_array_equal(np.isnan(largest_singular_values(trace)), np.arange(11) < 5)


@pytest.mark.parametrize("size", [32, 130, 300])
def test_windows_agree_with_the_whole(size: int) -> None:
    """Random matrices graded beyond the float range: their log-determinant, and the top by LAPACK."""
    rng = np.random.default_rng(size)
    basis = rng.standard_normal((size, size))
    exponents = -np.sort(rng.integers(0, 3000, size))
    x = condense(Graded(basis, exponents, np.zeros(size)))
    found = log2_singular_values(x.core, x.exponents)
    expected = np.linalg.slogdet(basis)[1] / np.log(2) + exponents.sum()
    np.testing.assert_allclose(found.sum(), expected, rtol=1e-13)
    top = np.linalg.norm(np.ldexp(basis, exponents - exponents[0]), 2)
    np.testing.assert_allclose(found[0], np.log2(top) + exponents[0], rtol=0, atol=1e-12)
    assert (np.diff(found) <= 0).all()


def by_cell() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(
        [dict(kind="rnn"), dict(kind="lstm"), dict(kind="lstm", forget_bias=4), dict(kind="gru")]
    )


@settings(max_examples=15, deadline=None)
@given(by_cell(), st.sampled_from([2, 4, 8]), st.integers(2, 50), st.floats(0.1, 4), st.integers(0, 50))
def test_the_largest_bounds_every_direction(
    cell: dict[str, Any], size: int, num_steps: int, scale: float, seed: int
) -> None:
    """σ_1 ≥ ‖Jᵀv‖/‖v‖, equal to the norm of the plain product; all values descend."""
    steps = min((2, 5, 10, 20, 50), key=lambda n: abs(n - num_steps))
    trace = run(
        Experiment(cell=cell, hidden_size=size, num_steps=steps, batch_size=1, weight_scale=scale, seed=seed)
    )
    mantissas, exponents = scaled_jacobian_products(trace)
    v = np.random.default_rng(seed).standard_normal(size)
    pulled = np.linalg.norm(np.swapaxes(mantissas, 1, 2) @ v, axis=1) / np.linalg.norm(v)
    values = jacobian_singular_values(trace, output="h")
    log_pulled = np.log10(pulled) + exponents * np.log10(2)
    assert (values[:, 0] >= log_pulled - 1e-10).all()
    plain = np.log10(np.linalg.norm(mantissas, 2, axis=(1, 2))) + exponents * np.log10(2)
    np.testing.assert_allclose(values[:, 0], plain, rtol=0, atol=1e-9)
    np.testing.assert_allclose(largest_singular_values(trace, output="h"), plain, rtol=0, atol=1e-9)
    assert (np.diff(values, axis=1) <= 1e-12).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([2, 4, 16]), st.floats(0.1, 4), st.floats(-3, 3), st.integers(0, 50))
def test_sum_of_logs_is_the_log_determinant(size: int, scale: float, bias: float, seed: int) -> None:
    """Σ_i log σ_i = Σ_t log |det J_t|, exactly, for J_t = diag(φ′(a_t)) U."""
    cell = dict(kind="rnn", bias=bias)
    trace = run(
        Experiment(cell=cell, hidden_size=size, num_steps=50, batch_size=1, weight_scale=scale, seed=seed)
    )
    a = np.abs(trace.slots["hidden"][:, 0])
    slopes = (2 * np.log(2) - 2 * a - 2 * np.log1p(np.exp(-2 * a))).sum(axis=1)
    per_step = slopes + np.linalg.slogdet(trace.weights["weight_hh"])[1]
    expected = np.append(np.cumsum(per_step[::-1])[::-1], 0) / np.log(10)
    np.testing.assert_allclose(jacobian_singular_values(trace).sum(axis=1), expected, rtol=1e-11, atol=1e-9)


def test_float32_is_close_to_float64() -> None:
    for kind in ("rnn", "lstm", "gru"):
        double = Experiment(cell=dict(kind=kind), hidden_size=8, num_steps=50, batch_size=1)
        one, other = run(double), run(double.changed("dtype", "float32"))
        np.testing.assert_allclose(
            jacobian_singular_values(one), jacobian_singular_values(other), rtol=0, atol=1e-3
        )
        assert jacobian_products(other).dtype == np.float64


def test_chosen_steps_are_rows_of_all_steps() -> None:
    trace = run(Experiment(cell=dict(kind="lstm"), hidden_size=8, num_steps=50, batch_size=2))
    steps = log_spaced_steps(50, 12)
    for output in ("h", "state"):
        whole = jacobian_singular_values(trace, 1, output=output)
        some = jacobian_singular_values(trace, 1, steps, output)
        np.testing.assert_allclose(some, whole[steps], rtol=0, atol=1e-9)
        np.testing.assert_allclose(largest_singular_values(trace, 1, output), whole[:, 0], rtol=0, atol=1e-10)
    assert jacobian_singular_values(trace, steps=[]).shape == (0, 8)
    assert jacobian_singular_values(trace, steps=[7, 50, 7]).shape == (3, 8)


@given(st.integers(1, 1000), st.integers(2, 200))
def test_log_spaced_steps(num_steps: int, count: int) -> None:
    steps = log_spaced_steps(num_steps, count)
    assert len(steps) == min(count, num_steps + 1)
    assert steps[0] == 0 and steps[-1] == num_steps
    assert (np.diff(steps) > 0).all()
    assert (np.diff(steps, 2) <= 1).all()  # denser towards T, up to rounding


def test_mistakes_are_named() -> None:
    trace = run(Experiment(hidden_size=4, num_steps=5, batch_size=2))
    functions: tuple[Any, ...] = (jacobian_products, scaled_jacobian_products)
    for function in (*functions, jacobian_singular_values, largest_singular_values):
        for sample in (2, -1, 0.5, True):
            with pytest.raises(ValueError, match=r"sample is .*allowed are the whole numbers 0 … 1"):
                function(trace, sample)
        with pytest.raises(ValueError, match=r"output is 'c'; allowed are 'h' and 'state'"):
            function(trace, output="c")
    for steps, message in (([0, 6], "steps contains 6"), ([-1], "contains -1"), ([0.5], "whole numbers")):
        with pytest.raises(ValueError, match=message):
            jacobian_singular_values(trace, steps=steps)
    with pytest.raises(ValueError, match="num_steps is 0"):
        log_spaced_steps(0)
    with pytest.raises(ValueError, match="count is 1"):
        log_spaced_steps(5, 1)


def test_too_large_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = run(Experiment(hidden_size=4, num_steps=500, batch_size=1))
    monkeypatch.setattr(jacobian, "MEMORY_LIMIT", 1e4)
    with pytest.raises(TooLarge, match=r"lower time steps T to 77 or less\.$"):
        jacobian_products(trace)
