"""Counts of saturated units and of shut and open gates, against direct counting."""

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.measures import gate_sentences, slopes_all_one
from explorer.measures.saturation import saturated_share

SMALL = {"hidden_size": 16, "num_steps": 9, "batch_size": 4}


def test_tanh_units_count_as_saturated_below_a_slope_of_a_tenth() -> None:
    trace = run(Experiment(input_scale=10, **SMALL))
    slopes = 1 / np.cosh(trace.slots["hidden"]) ** 2
    assert saturated_share(trace) == (slopes < 0.1).mean()
    assert 0 < saturated_share(trace) < 1


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_other_activations_do_not_saturate(activation: str) -> None:
    assert saturated_share(run(Experiment(cell={"kind": "rnn", "activation": activation}, **SMALL))) == 0


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gates_are_counted_shut_and_open(cell: str) -> None:
    trace = run(Experiment(cell={"kind": cell}, input_scale=10, **SMALL))
    names = {"lstm": ["input", "forget", "output"], "gru": ["reset", "update"]}[cell]
    assert gate_sentences(trace) == [
        f"{name} gate: {100 * (trace.gates[name] < 0.05).mean():.0f} % shut, "
        f"{100 * (trace.gates[name] > 0.95).mean():.0f} % open"
        for name in names
    ]
    assert gate_sentences(run(Experiment(**SMALL))) == []


def test_undriven_relu_at_zero_is_not_linear() -> None:
    """SCIENCE.md: the slope at exactly 0 is 0, so an undriven start at 0 shows gradient 0."""
    trace = run(
        Experiment(cell={"kind": "rnn", "activation": "relu"}, input_scale=0, bias_scale=0, num_steps=4)
    )
    assert not slopes_all_one(trace).any()


def test_steps_are_linear_where_all_slopes_are_one() -> None:
    small = {"hidden_size": 4, "num_steps": 5, "batch_size": 2}
    still = run(Experiment(input_scale=0, bias_scale=0, **small))
    assert slopes_all_one(still).all()
    assert not slopes_all_one(run(Experiment(**small))).any()
    assert slopes_all_one(run(Experiment(cell={"kind": "rnn", "activation": "linear"}, **small))).all()
    pushed = Experiment(
        cell={"kind": "rnn", "activation": "relu", "bias": 10}, initializer={"kind": "identity"}, **small
    )
    assert slopes_all_one(run(pushed)).all()
