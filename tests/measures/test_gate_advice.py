"""Advice for gated cells: it names settings that exist, helps where it is followed, knows what is missing."""

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.activations import ACTIVATIONS
from explorer.cells import CELLS
from explorer.measures import decades_lost, verdict
from explorer.measures.gate_advice import Keeper, keeper

WEAK = {"weight_scale": 0.1, "input_scale": 0.1, "bias_scale": 0.0, "hidden_size": 16, "batch_size": 4}


def followed(experiment: Experiment) -> Experiment:
    for path, value in verdict(run(experiment)).change.items():
        experiment = experiment.changed(path, value)
    return experiment


@pytest.mark.parametrize(
    "cell",
    [
        {"kind": "lstm"},
        {"kind": "peephole"},
        {"kind": "coupled"},
        {"kind": "coupled", "input_activation": "hard_sigmoid"},
        {"kind": "lstm", "forget_activation": "hard_sigmoid"},
        {"kind": "lstm", "forget_activation": "tanh", "forget_bias": 0.5},
        {"kind": "lstm", "forget_activation": "relu", "forget_bias": 0.5},
        {"kind": "ablated", "without": "input_gate"},
        {"kind": "ablated", "without": "output_activation"},
        {"kind": "gru"},
        {"kind": "gru", "update": "renews", "update_activation": "hard_sigmoid_keras"},
    ],
    ids=str,
)
def test_following_the_advice_helps(cell) -> None:
    experiment = Experiment(cell=cell, **WEAK)
    before, after = decades_lost(run(experiment)), decades_lost(run(followed(experiment)))
    assert before > 2
    assert abs(after) < before or cell.get("forget_activation") in ("tanh", "relu")  # first back to a share
    again = followed(followed(experiment))
    assert abs(decades_lost(run(again))) < before


def test_gates_without_an_upper_end_are_to_be_bounded_when_gradients_explode() -> None:
    cell = {"kind": "lstm", "forget_activation": "relu", "forget_bias": 1.5, "cell_activation": "linear"}
    experiment = Experiment(cell=cell, num_steps=30, **WEAK | {"weight_scale": 0.0})
    found = verdict(run(experiment))
    assert found.tone == "explodes"
    assert found.decades == pytest.approx(-30 * np.log10(1.5), abs=0.5)
    assert found.change == {"cell.forget_activation": "sigmoid"}
    assert "as ReLU it exceeds 1 and the cell grows without end" in found.advice
    assert "The forget gate leaves [0, 1]: up to 1.5" in found.text
    assert "|c| reaches" in found.text


def test_states_that_overflow_are_named_with_the_gate_that_is_to_blame() -> None:
    cell = {"kind": "lstm", "forget_activation": "linear", "forget_bias": 10.0, "cell_activation": "linear"}
    trace = run(Experiment(cell=cell, hidden_size=8, num_steps=40))
    assert any(note.startswith("State c is not a finite number from step") for note in trace.notes)
    found = verdict(trace)
    assert found.tone == "not_a_number"
    assert found.change == {"cell.forget_activation": "sigmoid"}
    assert "The forget gate leaves [0, 1]" in found.text and "|c| reaches ∞." in found.text


def test_a_held_gate_is_to_be_released_instead_of_given_another_bias() -> None:
    found = verdict(run(Experiment(cell={"kind": "lstm"}, hold="forget=0.3", **WEAK)))
    assert found.change == {"hold": ""}
    assert found.advice.startswith("Release the forget gate")


def test_without_a_forget_gate_less_is_to_be_written() -> None:
    cell = {"kind": "ablated", "input_bias": 3.0, "candidate_bias": 3.0}
    experiment = Experiment(cell=cell, **WEAK)
    found = verdict(run(experiment))
    assert found.change == {"cell.input_bias": -4.0}
    assert "the cell path" in found.text and "forget gate" not in found.text
    assert decades_lost(run(followed(experiment))) < 0.5 * found.decades


@pytest.mark.parametrize("name", [name for name, function in ACTIVATIONS.items() if function.is_share])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_keeper_keeps_more_with_a_larger_bias(name: str, sign: int) -> None:
    found = Keeper("input", sign, 0.0, ACTIVATIONS[name])
    kept = [found.kept(bias) for bias in np.linspace(-2.4, 2.4, 9)]
    assert (np.diff(kept) > 0).all()
    assert found.kept(1.0) == pytest.approx(float(ACTIVATIONS[name].function(np.array([1.0]))[0]), rel=1e-14)


def test_the_keeping_gate_of_every_cell() -> None:
    gates = {kind: keeper(cell()) for kind, (_, cell) in CELLS.items()}
    assert {kind: found.gate for kind, found in gates.items() if found} == {
        "lstm": "forget",
        "peephole": "forget",
        "coupled": "input",
        "gru": "update",
        "mgu": "forget",
    }
