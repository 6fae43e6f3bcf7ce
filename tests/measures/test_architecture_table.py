"""Sizes and fates of architectures, against torch's parameter counts, closed forms and the other measures."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer import Experiment, gradient_norms, run
from explorer.cells import CELLS
from explorer.measures import verdict
from explorer.measures.along_time import along_time_norms
from explorer.measures.architecture_table import (
    SingleRun,
    fate,
    joint_norms,
    matched_size,
    median_seconds,
    parameter_count,
)
from explorer.measures.input_gradient import input_gradient_norms
from explorer.measures.modules import empty_modules, modules
from explorer.networks import run_network

SMALL = Experiment(hidden_size=6, num_steps=12, batch_size=3)
LAST = np.eye(13)[-1]


# ---- sizes ----


@pytest.mark.parametrize(
    ("cell", "layer"), [("rnn", torch.nn.RNN), ("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)]
)
@pytest.mark.parametrize("channels", [1, 4])
def test_parameters_are_counted_as_torch_does(cell, layer, channels):
    experiment = SMALL.changed("cell", cell).changed("signal.channels", channels)
    wanted = sum(weights.numel() for weights in layer(channels, 6).parameters())
    assert parameter_count(experiment) == wanted


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("direction", ["forward", "both"])
def test_networks_are_counted_as_torch_does(layers, direction):
    network = {"kind": "layers", "num_layers": layers, "direction": direction}
    experiment = SMALL.changed("cell", "gru").changed("network", network)
    torch_network = torch.nn.GRU(1, 6, num_layers=layers, bidirectional=direction == "both")
    assert parameter_count(experiment) == sum(weights.numel() for weights in torch_network.parameters())


def test_the_convolution_in_front_counts():
    network = {"kind": "layers", "num_layers": 1, "front": "convolution", "kernel": 5, "channels": 7}
    experiment = SMALL.changed("signal.channels", 2).changed("network", network)
    parts = (torch.nn.Conv1d(2, 7, 5), torch.nn.RNN(7, 6))
    assert parameter_count(experiment) == sum(w.numel() for part in parts for w in part.parameters())


def test_structure_costs_parameters():
    plain = parameter_count(SMALL)
    antisymmetric = SMALL.changed("cell", "antisymmetric")
    assert parameter_count(antisymmetric) == plain - 36 + 15, "N (N − 1) / 2 of N² numbers are free"
    clockwork = SMALL.changed("cell", "clockwork").changed("cell.periods", "1, 2")
    assert parameter_count(clockwork) == plain - 9, "one of four blocks is 0"
    assert (
        parameter_count(SMALL.changed("cell", "peephole"))
        == parameter_count(SMALL.changed("cell", "lstm")) + 18
    )


@pytest.mark.parametrize("without", ["forget_gate", "input_gate", "output_gate"])
def test_the_block_of_a_missing_gate_does_not_count(without):
    lstm = SMALL.changed("cell", "lstm")
    ablated = SMALL.changed("cell", "ablated").changed("cell.without", without)
    assert 4 * parameter_count(ablated) == 3 * parameter_count(lstm)
    whole = ablated.changed("cell.without", "input_activation")
    assert parameter_count(whole) == parameter_count(lstm)


@given(st.sampled_from(list(CELLS)), st.integers(30, 200_000))
def test_the_matched_size_is_the_nearest(cell, wanted):
    experiment = Experiment().changed("cell", cell)
    size = matched_size(experiment, wanted)

    def off(size):
        return abs(parameter_count(experiment.model_copy(update={"hidden_size": size})) - wanted)

    assert 2 <= size <= 512
    assert off(size) <= min(off(max(size - 1, 2)), off(min(size + 1, 512)))


# ---- fates ----


def test_a_straight_line_gives_its_slope():
    norms = -0.25 * np.arange(12, -1, -1.0)[:, None] * np.ones(3)
    found = fate(norms, LAST)
    assert found.lost == pytest.approx(3) and found.tone == "vanishes" and found.steps == 12
    assert found.half_life == pytest.approx(np.log10(2) / 0.25)
    grown = fate(-norms, LAST)
    assert grown.tone == "explodes" and grown.lost == pytest.approx(-3) and grown.half_life == np.inf
    assert fate(0.1 * norms, LAST).tone == "survives"


def test_a_dead_and_a_wrong_curve_are_named():
    norms = np.zeros((13, 2))
    norms[:4] = -np.inf
    assert fate(norms, LAST).tone == "dead" and fate(norms, LAST).lost == np.inf
    norms[0, 0] = np.nan
    assert fate(norms, LAST).tone == "not_a_number" and np.isnan(fate(norms, LAST).lost)


def test_what_comes_after_the_last_loss_does_not_count():
    norms = np.full((13, 2), -np.inf)
    norms[:6] = -np.arange(5, -1, -1.0)[:, None]
    found = fate(norms, np.eye(13)[5])
    assert found.steps == 5 and found.lost == pytest.approx(5)


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("activation", ["tanh", "relu", "linear"])
def test_the_tone_is_the_verdict_s_where_h_is_the_whole_state(activation, scale):
    experiment = Experiment(hidden_size=16, num_steps=50, batch_size=4, weight_scale=scale)
    trace = run(experiment.changed("cell.activation", activation))
    own = fate(gradient_norms(trace), trace.loss_weights)
    said = verdict(trace)
    assert own.tone == said.tone
    assert own.lost == pytest.approx(said.decades, abs=1e-9, nan_ok=True)


# ---- several layers ----


class Stack:
    """Two layers of given norms."""

    num_layers, directions, loss_weights = 2, 1, LAST

    def __init__(self, *norms):
        self.parts = norms

    def norms(self, layer, direction):
        return self.parts[layer]


def test_joint_norms_are_those_of_one_long_vector():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 4, 5))
    single = [np.log10(np.linalg.norm(part, axis=1))[:, None] for part in (a, b)]
    whole = np.log10(np.linalg.norm(np.hstack([a, b]), axis=1))[:, None]
    np.testing.assert_allclose(joint_norms(Stack(*single)), whole, rtol=0, atol=1e-14)


def test_joint_norms_far_beyond_floats_and_at_exact_zeros():
    a = np.array([[-900.0], [900.0], [-np.inf], [-np.inf], [np.nan]])
    b = np.array([[-900.0], [-900.0], [-5.0], [-np.inf], [0.0]])
    found = joint_norms(Stack(a, b))[:, 0]
    np.testing.assert_allclose(found[:3], [-900 + np.log10(2) / 2, 900, -5])
    assert found[3] == -np.inf and np.isnan(found[4])


def test_the_two_halves_of_a_network_are_joined():
    network = {"kind": "layers", "num_layers": 2, "direction": "both"}
    found = run_network(SMALL.changed("network", network).changed("loss", "step").changed("loss.step", 5))
    joint = joint_norms(found)
    assert np.isfinite(joint).all(), "NaN at t = 0 of the backward halves stands for no state"
    np.testing.assert_array_equal(
        joint[0], 0.5 * np.log10(sum(10 ** (2 * found.norms(k, 0)[0]) for k in range(2)))
    )
    squares = sum(10 ** (2 * found.norms(k, d)[7]) for k in range(2) for d in range(2))
    np.testing.assert_allclose(joint[7], 0.5 * np.log10(squares), rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_single_cell_is_seen_unchanged(cell):
    experiment = SMALL.changed("cell", cell)
    trace = run(experiment)
    found = SingleRun(trace)
    np.testing.assert_array_equal(joint_norms(found), gradient_norms(trace))
    np.testing.assert_array_equal(found.states(0, 0), trace.states["h"])
    np.testing.assert_array_equal(found.below(0, 0), input_gradient_norms(trace))
    np.testing.assert_array_equal(found.loss_weights, trace.loss_weights)
    assert (found.num_layers, found.directions) == (1, 1)


def test_seconds_are_a_median_of_real_runs():
    seconds, runs = median_seconds(lambda: sleep(0.01))
    assert 0.01 <= seconds < 0.2 and runs == 3
    assert median_seconds(lambda: sleep(0.2))[1] == 1, "what takes long is not repeated"


# ---- along time ----


@pytest.mark.parametrize("cell", list(CELLS))
def test_without_a_loss_everything_comes_along_time(cell):
    trace = run(SMALL.changed("cell", cell))
    found = SingleRun(trace).along(0, 0)
    np.testing.assert_allclose(found[:-1], gradient_norms(trace)[:-1], rtol=0, atol=1e-10)
    assert (found[-1] == -np.inf).all()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "residual"])
def test_a_loss_at_every_step_is_taken_out(cell):
    trace = run(SMALL.changed("cell", cell).changed("loss", "every"))
    total = trace.backward.totals["h"] * 2.0 ** trace.backward.exponents[:, None]
    rest = total - trace.loss_weights[:, None, None] * trace.readout[:, None]
    wanted = np.log10(np.linalg.norm(rest[:-1], axis=1))
    np.testing.assert_allclose(along_time_norms(trace)[:-1], wanted, rtol=0, atol=1e-8)


def test_nothing_comes_from_behind_the_loss():
    trace = run(SMALL.changed("loss", "step").changed("loss.step", 7))
    found = along_time_norms(trace)
    assert (found[7:] == -np.inf).all() and np.isfinite(found[:7]).all()
    assert np.isfinite(gradient_norms(trace)[7]).all()


# ---- modules ----


def test_slow_modules_keep_a_to_the_number_of_their_ticks():
    """SCIENCE: a = 0.9 per update over 64 steps: period 1 → 0.00118, 8 → 0.430, 64 → 0.9."""
    experiment = Experiment(hidden_size=3, num_steps=64, batch_size=1).changed("initializer", "identity")
    experiment = experiment.changed("cell", "clockwork").changed("cell.periods", "1, 8, 64")
    trace = run(experiment.changed("cell.activation", "linear").changed("weight_scale", 0.9))
    found = modules(trace)
    assert found.periods == [1, 8, 64]
    assert found.active.sum(axis=1).tolist() == [64, 8, 1]
    kept = [10 ** float(norms[0, 0] - norms[-1, 0]) for norms in found.norms]
    np.testing.assert_allclose(kept, [0.9**64, 0.9**8, 0.9], rtol=1e-10)
    np.testing.assert_allclose(kept, [0.00118, 0.430, 0.9], atol=5e-4)


def test_modules_make_up_the_whole_gradient():
    trace = run(SMALL.changed("cell", "clockwork").changed("cell.periods", "1, 2, 3, 4, 5, 6, 7, 8"))
    found = modules(trace)
    assert found.periods == [1, 2, 3, 4, 5, 6], "two periods have no unit"
    squares = sum(10 ** (2 * norms) for norms in found.norms)
    np.testing.assert_allclose(0.5 * np.log10(squares), gradient_norms(trace), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="cell 'rnn' has no modules"):
        modules(run(SMALL))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (4, ""),
        (3, "There are 3 units for 4 periods: the module of period 8 has no unit and does"),
        (2, "There are 2 units for 4 periods: the modules of the periods 4, 8 have no units and do"),
    ],
)
def test_modules_without_units_are_named(size, said):
    experiment = SMALL.changed("cell", "clockwork").changed("hidden_size", size)
    assert empty_modules(experiment) == ([f"{said} nothing."] if said else [])
    assert len(modules(run(experiment)).periods) == min(size, 4)
    assert empty_modules(experiment.changed("cell", "rnn")) == []


# ---- past a layer ----


def test_what_goes_past_a_layer_is_all_that_arrives_above_it():
    """y² = h² + y¹, so ∂L/∂y¹ has the part ∂L/∂y², and ∂L/∂y² is the readout where the loss reads."""
    network = {"kind": "layers", "num_layers": 3, "skip": "residual"}
    found = run_network(SMALL.changed("network", network))
    assert found.past(0) is None
    top = found.past(2)
    np.testing.assert_allclose(10 ** top[-1], 1, rtol=1e-12)
    assert (top[:-1] == -np.inf).all()
    arriving = found.arriving[1]
    wanted = np.linalg.norm(arriving.values * 2.0 ** arriving.exponents[:, None], axis=1)
    np.testing.assert_allclose(10 ** found.past(1), wanted, rtol=1e-10)
    assert (10 ** found.past(1)[-1] <= 10 ** found.below(2)[-1] + 1 + 1e-12).all()
    assert run_network(SMALL.changed("network", network | {"skip": "none"})).past(2) is None
    assert SingleRun(run(SMALL)).past(0) is None


def test_behind_a_convolution_every_step_has_its_window_s():
    network = {"kind": "layers", "num_layers": 2, "skip": "residual", "front": "convolution", "pooling": 4}
    past = run_network(SMALL.changed("network", network).changed("loss", "every")).past(1)
    assert past.shape == (12, 3)
    np.testing.assert_array_equal(past, np.repeat(past[::4], 4, axis=0))
