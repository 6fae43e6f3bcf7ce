"""A network of layers: every layer and direction is an ordinary trace, joined by carried exponents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.engine.backward import Source
from explorer.engine.forward import Forward, System, forward
from explorer.experiment import Experiment
from explorer.layouts import Layers
from explorer.measures.along_time import along_time_norms
from explorer.measures.input_gradient import input_gradients
from explorer.measures.norms import gradient_norms, log10_norms
from explorer.networks.front import Front, draw_front
from explorer.networks.pieces import (
    REVERSE,
    draw_masks,
    layer_experiment,
    layer_weights,
    loss_of_layers,
    network_readout,
    refuse_large_network,
    reversed_holds,
    stream_of,
)
from explorer.networks.scaled import Scaled
from explorer.systems import initial_states, make_system
from explorer.trace import Trace, given_inputs, traced, width_of
from explorer.weights import Weights


@dataclass
class NetworkTrace:
    """One run of a network; layer 0 is the lowest, direction 1 reads from the last step back.

    Behind a convolution the layers take fewer steps than the input has, T' = ⌈T / pooling⌉; all arrays that
    the methods return are on the input's steps all the same: h of the window that a step belongs to.

    Attributes:
        experiment: the settings.
        layers: layers[l][d], ordinary traces; those of direction 1 in the order in which they read, so that
            their step k is step T' + 1 − k of the sequence.
        outputs: y^l, [T', B, D·H] for every layer, after dropout and residual connection.
        arriving: ∂L/∂y^l for every layer, [T', D·H, B] with exponents [T', B].
        to_input: ∂L/∂x, [T, I, B] with exponents [T, B].
        front: the convolution, if there is one.
        inputs: x, [T, B, I]; loss_weights: w_t, [T+1]; notes: as those of a trace.
    """

    experiment: Experiment
    layers: list[list[Trace]]
    outputs: list[np.ndarray]
    arriving: list[Scaled]
    to_input: Scaled
    front: Front | None
    inputs: np.ndarray
    loss_weights: np.ndarray
    notes: list[str]

    @property
    def num_layers(self) -> int:
        """How many layers there are."""
        return len(self.layers)

    @property
    def directions(self) -> int:
        """1, or 2 for a bidirectional network."""
        return len(self.layers[0])

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.inputs)

    def norms(self, layer: int, direction: int = 0, state: str = "h") -> np.ndarray:
        """log10 ‖∂L/∂s_t‖, [T+1, B]; NaN at t = 0 for direction 1, whose initial state lies beyond step T."""
        return self._in_order(gradient_norms(self.layers[layer][direction], state), direction)

    def states(self, layer: int, direction: int = 0, state: str = "h") -> np.ndarray:
        """A state, [T+1, B, H]; NaN at t = 0 for direction 1."""
        return self._in_order(self.layers[layer][direction].states[state], direction)

    def along(self, layer: int, direction: int = 0) -> np.ndarray:
        """log10 of the part of ∂L/∂h_t that comes along time, [T+1, B]; see ``along_time_norms``."""
        return self._in_order(along_time_norms(self.layers[layer][direction]), direction)

    def below(self, layer: int, direction: int = 0) -> np.ndarray:
        """log10 of the gradient that a layer's cell sends to the layer below, [T, B]."""
        mantissas, exponents = input_gradients(self.layers[layer][direction])
        norms = log10_norms(mantissas, exponents)
        return self._spread(norms[::-1] if direction else norms)

    def past(self, layer: int) -> np.ndarray | None:
        """log10 of the gradient that goes past a layer to the one below, [T, B]; None where nothing does."""
        layout = self.experiment.network
        if layer == 0 or not isinstance(layout, Layers) or layout.skip != "residual":
            return None
        arriving = self.arriving[layer]
        return self._spread(log10_norms(arriving.values, arriving.exponents))

    def input_norms(self) -> np.ndarray:
        """log10 ‖∂L/∂x_t‖, [T, B], entry t−1 for step t."""
        return log10_norms(self.to_input.values, self.to_input.exponents)

    def _in_order(self, own: np.ndarray, direction: int) -> np.ndarray:
        """[T'+1, …] in a cell's own order as [T+1, …] in the order of the sequence."""
        if direction == 0:
            return np.concatenate([own[:1], self._spread(own[1:])])
        nothing = np.full_like(own[:1], np.nan, dtype=np.float64)
        return np.concatenate([nothing, self._spread(own[:0:-1])])

    def _spread(self, rows: np.ndarray) -> np.ndarray:
        """[T', …] as [T, …]: every step gets the row of its window."""
        return rows if self.front is None else rows[np.arange(self.num_steps) // self.front.pooling]


def run_network(
    experiment: Experiment,
    *,
    weights: Mapping[str, object] | None = None,
    inputs: object | None = None,
    readout: object | None = None,
) -> NetworkTrace:
    """Forward and backward pass of ``experiment.network``; one cell alone is a network of one layer.

    Args:
        experiment: all settings; the rest replaces what it would draw.
        weights: a ``state_dict`` of ``torch.nn.RNN``, ``LSTM`` or ``GRU`` with as many layers and directions:
            ``weight_ih_l0``, ``weight_hh_l1_reverse`` … The convolution's own weights are drawn.
        inputs: x, [T, B, I], instead of the signal; any I.
        readout: v, [D·H], with L = Σ_t w_t Σ_b v·y_t[b] of the top layer.

    Raises:
        ValueError: an array of the wrong shape, with NaN or infinity, or an unknown name; says which.
        TooLarge: more than 1 GB would be needed.
    """
    layout = experiment.network if isinstance(experiment.network, Layers) else Layers(num_layers=1)
    steps, batch = experiment.num_steps, experiment.batch_size
    width = experiment.signal.input_size if inputs is None else width_of(inputs)
    refuse_large_network(experiment, layout, width)
    x, notes = given_inputs(experiment, inputs, width)
    front = draw_front(experiment, layout, x) if layout.front == "convolution" else None
    network = _Network(experiment, layout, layer_weights(experiment, layout, width, weights))
    network.forward(x if front is None else front.outputs)
    whole, own, loss_notes = loss_of_layers(experiment, layout)
    v = network_readout(experiment, layout, readout)
    to_top = Scaled(
        own[1:, None, None] * np.repeat(v[:, None], batch, axis=1), np.zeros((len(own) - 1, batch), np.int64)
    )
    sent = network.backward(to_top, v, own)
    for row in network.layers:
        notes += [note for trace in row for note in trace.notes if note not in notes]
    return NetworkTrace(
        experiment,
        network.layers,
        network.outputs,
        network.arriving,
        sent if front is None else front.back(sent, steps),
        front,
        x,
        whole,
        list(dict.fromkeys(notes + loss_notes)),
    )


class _Network:
    """The two passes; arrays of a cell of direction 1 are turned round on the way in and out."""

    def __init__(self, experiment: Experiment, layout: Layers, weights: list[list[Weights]]) -> None:
        self.outputs: list[np.ndarray] = []
        self.arriving: list[Scaled] = []
        self.layers: list[list[Trace]] = []
        self._layout, self._weights = layout, weights
        self._experiment = layer_experiment(experiment, layout)
        self._masks = draw_masks(experiment, layout)
        self._passed: list[list[tuple[np.ndarray, System, Forward]]] = []

    def forward(self, below: np.ndarray) -> None:
        """y^1 … y^L from y^0 [T', B, I]."""
        for layer, mask in enumerate(self._masks):
            cells = [self._read(layer, d, below) for d in range(self._layout.directions)]
            hidden = [_states(record)[:: -1 if d else 1] for d, (_, _, record) in enumerate(cells)]
            y = np.concatenate(hidden, axis=2)
            with np.errstate(over="ignore", invalid="ignore"):  # states that overflowed: inf · 0
                y = y if mask is None else y * mask
                below = y + below if self._residual(layer) else y
            self._passed.append(cells)
            self.outputs.append(below)

    def backward(self, arriving: Scaled, readout: np.ndarray, loss_weights: np.ndarray) -> Scaled:
        """∂L/∂y^0 from ∂L/∂y^L; fills ``layers`` and ``arriving``."""
        size, top = self._experiment.hidden_size, len(self._masks) - 1
        for layer in range(top, -1, -1):
            self.arriving.insert(0, arriving)
            mask = self._masks[layer]
            masked = arriving if mask is None else arriving.times(np.moveaxis(mask, 1, 2))
            row, sent = [], Scaled.zeros_like(arriving, self._passed[layer][0][0].shape[2])
            for d, (x, system, record) in enumerate(self._passed[layer]):
                own = masked.rows(d * size, (d + 1) * size)
                losses = np.zeros(len(loss_weights))
                if layer == top:
                    losses[1:] = loss_weights[1:][:: -1 if d else 1]
                source = _source(own.reversed() if d else own, system.matrix.dtype)
                v = readout[d * size : (d + 1) * size]
                weights = self._weights[layer][d]
                trace = traced(self._experiment, weights, x, system, record, source, v, losses)
                trace.of_network = True
                row.append(trace)
                part = Scaled(*input_gradients(trace))
                sent = sent + (part.reversed() if d else part)
            self.layers.insert(0, row)
            arriving = sent + arriving if self._residual(layer) else sent
        return arriving

    def _residual(self, layer: int) -> bool:
        return layer > 0 and self._layout.skip == "residual"

    def _read(self, layer: int, direction: int, below: np.ndarray) -> tuple[np.ndarray, System, Forward]:
        """(what a cell reads in its own order, its system, its forward pass)."""
        x = np.ascontiguousarray(below[:: -1 if direction else 1])
        initial = initial_states(self._experiment, None, stream_of(layer, REVERSE[direction]))
        system = make_system(self._experiment, self._weights[layer][direction], x, initial)
        system = reversed_holds(system) if direction else system
        return x, system, forward(system)


def _states(record: Forward) -> np.ndarray:
    """h of the steps 1 … T', [T', B, H]; infinite beyond the float range."""
    h = record.states["h"]
    with np.errstate(over="ignore", under="ignore"):
        values = h if record.exponents is None else np.ldexp(h, record.exponents[:, None])
    return np.moveaxis(values[1:], 1, 2)


def _source(arriving: Scaled, dtype: np.dtype) -> Source:
    """What enters ∂L/∂h_1 … ∂L/∂h_T'; nothing enters the initial state."""
    part = arriving.normalised()
    _, size, batch = part.values.shape
    values = np.concatenate([np.zeros((1, size, batch)), part.values]).astype(dtype)
    return Source.of_array(values, np.concatenate([np.zeros((1, batch), np.int64), part.exponents]))
