"""What residual, antisymmetric and leaky cells share: a part of the old state plus a bounded push."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from explorer.activations import ACTIVATIONS, Activation
from explorer.cells.cell import Array, Cell, Partials, Record, Slot
from explorer.parameters import parameter

_INTO: dict[str, Callable[..., Any]] = {
    "tanh": np.tanh,
    "relu": partial(np.maximum, 0),
    "linear": np.positive,
}


def bias_parameter() -> Any:
    """The ``bias`` field of a cell with one block."""
    return parameter(
        0.0, "bias", "A constant added to every unit's pre-activation.", bounds=(-10, 10), step=0.1
    )


class Integrator(Cell):
    r"""Base of cells that add a function of one pre-activation to what is left of the old state.

    .. math::
        a_t = W x_t + b_{ih} + U h_{t-1} + b_{hh}, \qquad
        h_t = \kappa\, h_{t-1} + \eta\, \varphi(a_t - \gamma\, h_{t-1})

    Shapes: x [I], h and a [H], W [H, I], U [H, H]; κ, η and γ are numbers. Jacobian, with
    D = diag(φ′(a_t − γ h_{t-1})): ∂h_t/∂h_{t-1} = κ I + η D (U − γ I).
    """

    slots: ClassVar[tuple[Slot, ...]] = (Slot("hidden", 0),)
    blocks: ClassVar[int] = 1
    if TYPE_CHECKING:
        bias: float  # every subclass has this field, after those of its own

    @property
    def function(self) -> Activation:
        """φ with its slope."""
        return ACTIVATIONS["tanh"]

    @property
    def rates(self) -> tuple[float, float, float]:
        """κ, η, γ."""
        raise NotImplementedError

    def bias_offsets(self) -> Mapping[int, float]:
        """The ``bias`` field shifts the only block."""
        return {0: self.bias}

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """h_t = κ h_{t-1} + η φ(a_t − γ h_{t-1})."""
        keep, gain, damping = self.rates
        inner = slots["hidden"] - damping * previous["h"]
        record.state("h", keep * previous["h"] + gain * self.function.function(inner))

    def stepper(
        self, slots: np.ndarray, gates: np.ndarray, states: Mapping[str, np.ndarray]
    ) -> Callable[[int], None]:
        """As ``core``, with one temporary array for all steps."""
        keep, gain, damping = self.rates
        apply, scratch = _INTO[self.function.name], np.empty_like(states["h"][0])
        source, h = list(slots[:, 0]), list(states["h"])

        def step(t: int) -> None:
            old, new, inner = h[t], h[t + 1], source[t]
            if damping:
                inner = np.subtract(inner, np.multiply(old, damping, out=scratch), out=scratch)
            np.multiply(apply(inner, out=scratch), gain, out=scratch)
            np.multiply(old, keep, out=new)
            np.add(new, scratch, out=new)

        return step

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials:
        """∂h_t/∂a_t = η φ′; with a_t held fixed, ∂h_t/∂h_{t-1} = κ − γ η φ′."""
        keep, gain, damping = self.rates
        inner = slots - damping * previous["h"][:, None] if damping else slots
        into_h = gain * self.function.slope(inner)
        kept = keep - damping * into_h[:, 0] if damping else np.full_like(new["h"], keep)
        return Partials(slots=[("h", slice(0, 1), into_h)], carry={("h", "h"): kept})
