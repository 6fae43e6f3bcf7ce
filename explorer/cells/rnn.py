"""The vanilla (Elman) recurrent cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import numpy as np

from explorer import pool
from explorer.activations import ACTIVATIONS, Activation
from explorer.cells.cell import Array, Cell, Partials, Record, Slot
from explorer.parameters import parameter


class RNN(Cell):
    r"""Vanilla recurrent cell, the equations of ``torch.nn.RNNCell`` (Elman 1990).

    .. math::
        a_t = W x_t + b_{ih} + U h_{t-1} + b_{hh}, \qquad h_t = \varphi(a_t)

    Shapes: x [I], h and a [H], W [H, I], U [H, H]. Jacobian: ∂h_t/∂h_{t-1} = diag(φ′(a_t)) U.
    """

    kind: Literal["rnn"] = "rnn"
    activation: Literal["tanh", "relu", "linear"] = parameter(
        "tanh",
        "activation",
        "The function φ applied to every unit; its slope multiplies the gradient at every step.",
        names={"tanh": "tanh", "relu": "ReLU", "linear": "linear"},
    )
    bias: float = parameter(
        0.0, "bias", "A constant added to every unit's pre-activation.", bounds=(-10, 10), step=0.1
    )

    slots: ClassVar[tuple[Slot, ...]] = (Slot("hidden", 0),)
    blocks: ClassVar[int] = 1

    @property
    def function(self) -> Activation:
        """The activation with its slope."""
        return ACTIVATIONS[self.activation]

    @property
    def homogeneous(self) -> bool:
        """True for ReLU and linear."""
        return self.function.homogeneous

    def bias_offsets(self) -> Mapping[int, float]:
        """The ``bias`` field shifts the only block."""
        return {0: self.bias}

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """h_t = φ(a_t)."""
        record.state("h", self.function.function(slots["hidden"]))

    def stepper(
        self, slots: np.ndarray, gates: np.ndarray, states: Mapping[str, np.ndarray]
    ) -> Callable[[int], None]:
        """As ``core``, without temporaries."""
        source, target = list(slots[:, 0]), list(states["h"][1:])
        if self.activation == "tanh":
            tanh = np.tanh
            return lambda t: tanh(source[t], target[t])
        if self.activation == "relu":
            return lambda t: np.maximum(source[t], 0, out=target[t])
        return lambda t: np.copyto(target[t], source[t])

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials:
        """φ′(a_t); for tanh beyond float range with the power of two of the largest slope taken out."""
        if self.activation != "tanh":
            return Partials(slots=[("h", slice(0, 1), self.function.slope(slots))])
        if largest < 2:
            slope = np.square(new["h"], out=pool.empty(new["h"].shape, slots.dtype))
            return Partials(slots=[("h", slice(0, 1), np.subtract(1, slope, out=slope)[:, None])])
        if largest < 25:
            return Partials(slots=[("h", slice(0, 1), self.function.slope(slots))])
        slots, dtype = slots.astype(np.float64), slots.dtype
        mildest = np.abs(slots).min(axis=2, keepdims=True)  # [n, 1, 1, B]: the least saturated unit
        exponent = np.floor(-2 * mildest / np.log(2))
        shifted = np.exp(-2 * np.abs(slots) - exponent * np.log(2))
        slope = 4 * shifted / np.square(1 + np.exp(-2 * np.abs(slots)))
        return Partials(
            slots=[("h", slice(0, 1), slope.astype(dtype))], exponent=exponent[:, 0].astype(np.int64)
        )
