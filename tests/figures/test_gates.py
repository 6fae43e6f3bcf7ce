"""The colour range of the gates' heat map holds what is drawn, whatever the activation."""

import numpy as np
import pytest

from explorer import Experiment, figures, run

SMALL = {"hidden_size": 6, "num_steps": 12, "batch_size": 2}


def gates_of(cell: dict[str, object]) -> dict[str, np.ndarray]:
    return {name: values[:, 0] for name, values in run(Experiment(cell=cell, **SMALL)).gates.items()}


@pytest.mark.parametrize(
    ("cell", "low"),
    [
        ({"kind": "lstm"}, 0),
        ({"kind": "lstm", "forget_activation": "relu", "forget_bias": 2.0}, 0),
        ({"kind": "lstm", "forget_activation": "tanh"}, -1),
        ({"kind": "lstm", "forget_activation": "linear", "forget_bias": -2.0}, -2),
        ({"kind": "ablated"}, 0),
        ({"kind": "coupled"}, 0),
    ],
    ids=str,
)
def test_no_activation_lies_outside_the_colours_and_the_axis(cell, low) -> None:
    values = gates_of(cell)
    figure = figures.gates(values, "forget")
    heat, axis = figure["data"][0], figure["layout"]["yaxis2"]["range"]
    assert heat["zmin"] <= np.min(heat["z"]) and np.max(heat["z"]) <= heat["zmax"]
    assert heat["zmin"] <= low and heat["zmax"] >= 1
    assert heat["zmin"] in (0, -heat["zmax"])
    assert (
        heat["colorbar"]["tickvals"][0] == heat["zmin"] and heat["colorbar"]["tickvals"][-1] == heat["zmax"]
    )
    for line in figure["data"][1:]:
        assert axis[0] <= np.min(line["y"]) and np.max(line["y"]) <= axis[1]


def test_what_overflowed_is_grey_and_what_is_huge_keeps_its_value() -> None:
    heat = np.full((4, 3), 0.5)
    heat[1, 1], heat[2, 0], heat[2, 2] = np.inf, np.nan, 1e90
    figure = figures.gates({"forget": heat}, "forget")
    z = figure["data"][0]["z"]
    assert np.isnan(z[1, 1]) and np.isnan(z[0, 2])
    assert z[2, 2] == 1e90 == figure["data"][0]["zmax"]
    assert any("not a number" in note["text"] for note in figure["layout"]["annotations"])


@pytest.mark.parametrize(
    ("cell", "gate", "saturation"),
    [
        ({"kind": "lstm"}, "forget", True),
        ({"kind": "lstm", "forget_activation": "relu", "forget_bias": 2.0}, "forget", False),
        ({"kind": "lstm", "forget_activation": "tanh"}, "forget", False),
        ({"kind": "gru", "candidate_activation": "linear", "candidate_bias": 3.0}, "new", False),
        ({"kind": "lstm"}, None, True),
        (
            {"kind": "lstm", "cell_activation": "linear", "candidate_bias": 9.0, "forget_bias": 9.0},
            None,
            False,
        ),
    ],
    ids=str,
)
def test_no_histogram_calls_a_value_saturated_that_no_sigmoid_or_tanh_gave(cell, gate, saturation) -> None:
    drawn = figures.plot_activations(run(Experiment(cell=cell, **SMALL)), gate)
    said = " ".join(note.text for note in drawn.layout.annotations)
    assert ("saturated" in said) == saturation
