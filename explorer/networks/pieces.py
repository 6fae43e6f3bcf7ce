"""What a network is made of: the settings, weights and masks of its layers, and where its loss enters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from explorer.cells.cell import Conditions
from explorer.engine.forward import System
from explorer.experiment import Experiment
from explorer.layouts import Layers
from explorer.memory import MEMORY_LIMIT, TooLarge, memory_needed
from explorer.weights import Weights, check_weights, draw_weights, finite_array

REVERSE = ("", "_reverse")  # torch's suffixes of the two directions


def layer_experiment(experiment: Experiment, layout: Layers) -> Experiment:
    """The settings of one layer alone: one cell, with as many steps as are left behind the convolution."""
    steps = layout.steps(experiment.num_steps)
    return experiment.alone().model_copy(update={"num_steps": steps})


def network_memory(experiment: Experiment, layout: Layers, input_size: int) -> int:
    """Bytes that a network takes: the traces of all cells and, always in float64, what joins them.

    8·B·(3·L·T'·D·H + 4·T·(I + C)): outputs, masks and gradients of L layers, then input and convolution.
    """
    own = layer_experiment(experiment, layout)
    widths = layout.widths(input_size, experiment.hidden_size)
    traces = layout.directions * sum(memory_needed(own, input_size=width) for width in widths)
    joints = 3 * layout.num_layers * own.num_steps * layout.directions * own.hidden_size
    channels = 0 if layout.front == "none" else layout.channels
    joints += 4 * experiment.num_steps * (input_size + channels)
    return traces + 8 * experiment.batch_size * joints


def refuse_large_network(experiment: Experiment, layout: Layers, input_size: int) -> None:
    """Raise ``TooLarge`` when the network would not fit, with what to lower."""
    needed = network_memory(experiment, layout, input_size)
    if needed > MEMORY_LIMIT:
        raise TooLarge(
            f"This network of {layout.num_layers * layout.directions} cells would need "
            f"{needed / 1e9:.1f} GB of memory and the limit is {MEMORY_LIMIT / 1e9:.0f} GB: "
            "lower its layers, hidden size, time steps, batch size or input size."
        )


def layer_weights(
    experiment: Experiment, layout: Layers, input_size: int, given: Mapping[str, object] | None
) -> list[list[Weights]]:
    """The weights of every layer and direction, drawn or taken from a ``state_dict`` by torch's names.

    Every layer and direction has random numbers of its own; the input scale multiplies the lowest layer's
    matrix only. Raises ValueError for a name that no layer has, and as ``check_weights`` does.
    """
    upper = experiment.model_copy(update={"input_scale": 1.0})
    result = []
    named: set[str] = set()
    for layer, width in enumerate(layout.widths(input_size, experiment.hidden_size)):
        row = []
        for reverse in REVERSE[: layout.directions]:
            own = upper if layer else experiment
            if given is None:
                row.append(draw_weights(own, width, stream_of(layer, reverse)))
                continue
            suffix = f"_l{layer}{reverse}"
            mine = {str(name): value for name, value in given.items() if str(name).endswith(suffix)}
            named |= set(mine)
            row.append(check_weights(mine, own, width, suffix))
        result.append(row)
    strange = [name for name in map(str, given or {}) if name not in named]
    if strange:
        raise ValueError(
            f"weights[{strange[0]!r}] belongs to no layer: this network has {layout.num_layers} layers and "
            f"{layout.directions} direction{'s' if layout.directions > 1 else ''}, "
            "so names end in " + " or ".join(f"_l0{reverse}" for reverse in REVERSE[: layout.directions])
        )
    return result


def stream_of(layer: int, reverse: str) -> str:
    """What the random numbers of a layer and direction are named after; "" for those of a cell alone."""
    return f"layer{layer}{reverse}/" if layer or reverse else ""


def draw_masks(experiment: Experiment, layout: Layers) -> list[np.ndarray | None]:
    """For every layer the factors [T', B, D·H] of the dropout on its output, or None; none at the top."""
    shape = (
        layout.steps(experiment.num_steps),
        experiment.batch_size,
        layout.directions * experiment.hidden_size,
    )
    masks: list[np.ndarray | None] = [None] * layout.num_layers
    if layout.dropout > 0:
        for layer in range(layout.num_layers - 1):
            kept = experiment.rng(f"layer{layer}/dropout").random(shape) >= layout.dropout
            masks[layer] = kept / (1 - layout.dropout)
    return masks


def loss_of_layers(experiment: Experiment, layout: Layers) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """w_t on the input's steps [T+1] and on those of the layers [T'+1], and what had to be changed."""
    weights, notes = experiment.loss.weights(experiment.num_steps)
    if layout.front == "none":
        return weights, weights, notes
    own = np.zeros(layout.steps(experiment.num_steps) + 1)
    np.maximum.at(own, 1 + np.arange(experiment.num_steps) // layout.pooling, weights[1:])
    return weights, own, notes


def network_readout(experiment: Experiment, layout: Layers, given: object | None) -> np.ndarray:
    """v [D·H], given or a random direction of length 1; for one direction that of a cell alone."""
    size = experiment.hidden_size
    if given is not None:
        reason = f"{layout.directions} × hidden_size={size}"
        return finite_array("readout", given, (layout.directions * size,), reason)
    streams = ("readout", "readout/reverse")[: layout.directions]
    v = np.concatenate([experiment.rng(stream).standard_normal(size) for stream in streams])
    return np.asarray(v / np.linalg.norm(v))


def reversed_holds(system: System) -> System:
    """The same with held gates in the order of a cell that reads from the end."""
    held = {
        gate: (where[::-1].copy(), value[::-1].copy())
        for gate, (where, value) in system.conditions.held.items()
    }
    return replace(system, conditions=Conditions(system.conditions.vectors, held))
