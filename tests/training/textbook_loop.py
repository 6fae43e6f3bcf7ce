"""A recurrent network with a readout as one autograd graph of the textbook's steps, and small recipes."""

from typing import Any

import torch

from explorer import Experiment
from explorer.holds import hold_masks, parse_holds
from explorer.training import Recipe
from explorer.verify.moment import Moment, Weights
from explorer.verify.textbook import step

VARIANTS: dict[str, dict[str, Any]] = {
    "rnn": {"kind": "rnn", "bias": 0.1},
    "rnn-relu": {"kind": "rnn", "activation": "relu", "bias": 0.3},
    "rnn-linear": {"kind": "rnn", "activation": "linear"},
    "lstm": {"kind": "lstm", "forget_bias": 1},
    "lstm-softsign": {"kind": "lstm", "cell_activation": "softsign", "forget_activation": "hard_sigmoid"},
    "gru": {"kind": "gru"},
    "gru-before": {"kind": "gru", "reset": "before", "update": "renews"},
    "peephole": {"kind": "peephole", "peephole_strength": 2},
    "coupled": {"kind": "coupled"},
    "ablated": {"kind": "ablated"},
    "ablated-output": {"kind": "ablated", "without": "output_gate"},
    "mgu": {"kind": "mgu"},
    "residual": {"kind": "residual", "step_size": 0.3},
    "antisymmetric": {"kind": "antisymmetric", "step_size": 0.4, "diffusion": 0.2},
    "clockwork": {"kind": "clockwork", "periods": "1, 2, 5"},
    "echo": {"kind": "echo", "leak_rate": 0.4},
}
HOLDS = {
    "lstm": "forget=0.9@3-8; input=0.5#2",
    "gru": "update=0.3#1",
    "gru-before": "reset=0@2-5",
    "peephole": "forget=1@4-9",
    "clockwork": "active=1@1-3",
}


def small(cell: dict[str, Any] | None = None, **settings: Any) -> Recipe:
    """A recipe of 6 units and 12 time steps; settings of the recipe, ``experiment`` is merged."""
    experiment = {"hidden_size": 6, "num_steps": 12, "batch_size": 5, "seed": 2}
    given = {"steps": 40, "learning_rate": 0.01} | settings
    merged = experiment | {"cell": cell or {"kind": "rnn"}} | settings.get("experiment", {})
    return Recipe(**given | {"experiment": Experiment(**merged)})


def explosive(**settings: Any) -> Recipe:
    """An IRNN whose first step with this learning rate moves it out of the range of float32."""
    experiment = {"initializer": {"kind": "identity"}, "num_steps": 100, "dtype": "float32"}
    cell = {"kind": "rnn", "activation": "relu"}
    return small(cell, optimizer="sgd", learning_rate=0.2, experiment=experiment, **settings)


def hidden_states(
    experiment: Experiment,
    weights: dict[str, torch.Tensor],
    inputs: torch.Tensor,
    initial: dict[str, torch.Tensor],
) -> list[torch.Tensor]:
    """h_0 … h_T, each [B, H], from the equations of the papers as ``explorer.verify`` writes them."""
    cell, size, steps = experiment.cell, experiment.hidden_size, experiment.num_steps
    of = Weights(*(weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")), mild=True)
    masks, _ = hold_masks(parse_holds(experiment.hold), cell.gates, steps, size)
    schedule = {name: torch.tensor(rows) for name, rows in cell.schedule(size, steps).items()}
    states, path = dict(initial), [initial["h"]]
    for t, x in enumerate(inputs):
        now = Moment(
            of,
            of.from_input(x),
            states,
            torch.full((len(x), 1), t + 1),
            vectors={name: weights[name][None] for name in cell.vectors}
            | {name: rows[t][None] for name, rows in schedule.items()},
            held={
                gate: (torch.tensor(where[t, :, 0])[None], torch.tensor(value[t, :, 0])[None])
                for gate, (where, value) in masks.items()
            },
        )
        states = step(cell, now).new
        path.append(states["h"])
    return path
