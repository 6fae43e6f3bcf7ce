"""Echo-state networks: memory curves with known answers, and who forgets the start."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.measures.reservoir import memory_capacity, memory_curve, state_distances

ESN = Experiment.model_validate(
    {
        "cell": {"kind": "echo", "leak_rate": 1.0},
        "initializer": {"kind": "reservoir", "spectral_radius": 1.1},
        "hidden_size": 100,
        "num_steps": 500,
        "batch_size": 8,
        "bias_scale": 0,
    }
)


def delay_line(units, steps=2000, batch=4, seed=0):
    """x [T, B] and states that hold the last ``units`` inputs, the newest first."""
    inputs = np.random.default_rng(seed).standard_normal((steps, batch))
    states = np.zeros((steps, batch, units))
    for k in range(units):
        states[k:, :, k] = inputs[: steps - k]
    return inputs, states


def test_a_delay_line_recalls_exactly_what_it_holds():
    curve = memory_curve(*delay_line(6), np.arange(1, 13))
    np.testing.assert_allclose(curve.capacity[:5], 1, atol=1e-9)
    assert (curve.capacity[5:] < 0.01).all()
    assert 5 <= curve.total < 5 + 7 * 0.01 < curve.units == 6


def test_any_mixture_of_a_delay_line_recalls_the_same():
    inputs, states = delay_line(6)
    mixed = states @ np.random.default_rng(1).standard_normal((6, 6))
    np.testing.assert_allclose(memory_curve(inputs, mixed, np.arange(1, 6)).capacity, 1, atol=1e-6)


def test_noise_in_the_states_costs_memory_as_theory_says():
    """h = x_{t-1} + n with noise of variance s² recalls 1 / (1 + s²)."""
    inputs = np.random.default_rng(2).standard_normal((20_000, 4))
    states = np.zeros((20_000, 4, 1))
    states[1:, :, 0] = inputs[:-1] + 0.5 * np.random.default_rng(3).standard_normal((19_999, 4))
    assert memory_curve(inputs, states, np.array([1])).capacity[0] == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("leak", [0.3, 1.0])
@pytest.mark.parametrize("radius", [0.5, 0.95, 1.1])
def test_capacity_is_at_most_the_number_of_units(leak, radius):
    experiment = ESN.model_copy(update={"hidden_size": 20}).changed("cell.leak_rate", leak)
    curve = memory_capacity(experiment.changed("initializer.spectral_radius", radius))
    assert curve.units == 20 and len(curve.delays) == 40
    assert 1 < curve.total <= 20
    assert ((curve.capacity >= 0) & (curve.capacity <= 1)).all()


def test_larger_reservoirs_remember_more_and_short_delays_best():
    few, many = (memory_capacity(ESN.model_copy(update={"hidden_size": size})) for size in (5, 50))
    assert many.total > few.total + 3
    assert many.capacity[0] > 0.9 > many.capacity[-1]


def test_a_reservoir_without_connections_recalls_nothing():
    """Spectral radius 0: h_t depends on x_t alone."""
    curve = memory_capacity(ESN.changed("initializer.spectral_radius", 0.0))
    assert curve.total < 0.25 and curve.capacity.max() < 0.01


def test_states_that_never_move_or_are_no_numbers():
    inputs, states = delay_line(3)
    assert memory_curve(inputs, np.ones_like(states), np.arange(1, 4)).total == 0
    states[100] = np.nan
    assert np.isnan(memory_curve(inputs, states, np.arange(1, 4)).capacity).all()


def test_too_little_data_is_refused():
    inputs, states = delay_line(3, steps=20)
    with pytest.raises(ValueError, match="4 sequences of 20 steps are too few for delays up to 30"):
        memory_curve(inputs, states, np.array([30]))
    with pytest.raises(ValueError, match="1 sequences"):
        memory_curve(inputs[:, :1], states[:, :1], np.array([1]))


# ---- who forgets the start ----


@pytest.mark.parametrize("seed", range(3))
def test_an_input_makes_a_reservoir_beyond_radius_one_forget(seed):
    """SCIENCE: ρ = 1.1 undriven does not forget its start, driven it does, to 1e-16 a unit."""
    experiment = ESN.changed("seed", seed).changed("input_scale", 8.0)
    driven, undriven = (np.median(state_distances(experiment, drive), axis=1) for drive in (True, False))
    assert driven[0] == undriven[0] > 1
    assert driven[-1] < -14
    assert undriven[-1] > 0


def test_below_radius_one_half_both_forget():
    experiment = ESN.changed("initializer.spectral_radius", 0.3)
    for drive in (True, False):
        assert (state_distances(experiment, drive)[-1] < -14).all()


def test_a_linear_reservoir_forgets_at_the_rate_of_its_matrix():
    """Orthogonal, linear, 0.9: the distance is 0.9^t times the first one, whatever is read."""
    experiment = Experiment(hidden_size=8, num_steps=30, batch_size=2, weight_scale=0.9)
    experiment = experiment.changed("initializer", "orthogonal").changed("cell.activation", "linear")
    found = state_distances(experiment)
    wanted = found[0] + np.log10(0.9) * np.arange(31)[:, None]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


def test_the_two_runs_are_the_experiment_s_own():
    """Distances of a run to itself would be exactly 0: starts differ, weights and input do not."""
    experiment = ESN.model_copy(update={"num_steps": 5})
    start = experiment.rng("start/1").standard_normal((8, 100))
    trace = run(experiment, initial_state={"h": start})
    other = run(experiment, initial_state={"h": experiment.rng("start/2").standard_normal((8, 100))})
    wanted = np.log10(np.linalg.norm(trace.states["h"] - other.states["h"], axis=2))
    np.testing.assert_array_equal(state_distances(experiment), wanted)
