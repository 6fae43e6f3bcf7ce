"""The clockwork recurrent cell: modules that are updated at their own periods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
from pydantic import field_validator

from explorer.activations import ACTIVATIONS, Activation
from explorer.cells.cell import Array, Cell, Partials, Record, Slot
from explorer.cells.integrator import bias_parameter
from explorer.parameters import parameter

LONGEST, MOST = 1000, 16  # steps; modules
_EXAMPLE = "write whole numbers such as 1, 2, 4, 8"


class Clockwork(Cell):
    r"""Clockwork RNN (Koutník, Greff, Gomez & Schmidhuber 2014).

    .. math::
        a_t &= W x_t + b_{ih} + U h_{t-1} + b_{hh}, \qquad m_{t,j} = 1 \text{ if } P_j \text{ divides } t,
        \text{ else } 0 \\
        h_t &= m_t \odot \varphi(a_t) + (1 - m_t) \odot h_{t-1}

    Shapes: x [I]; h, a and m [H]; W [H, I]; U [H, H]; t = 1 … T. The units are cut into modules of equal size
    (up to one unit), one for each period P in ascending order. U_{jk} is exactly 0 where P_j > P_k: slow
    modules feed fast ones, and never the other way. A module that is not due keeps its state, so that its
    gradient meets a slope and a matrix only T/P times. Jacobian:
    ∂h_t/∂h_{t-1} = diag(1 − m_t) + diag(m_t ⊙ φ′(a_t)) U.
    """

    kind: Literal["clockwork"] = "clockwork"
    periods: str = parameter(
        "1, 2, 4, 8",
        "periods",
        "After how many steps each module is updated; with fewer units than periods the slowest have none.",
        max_length=100,
    )
    activation: Literal["tanh", "relu", "linear"] = parameter(
        "tanh",
        "activation",
        "The function φ of a module that is due.",
        names={"tanh": "tanh", "relu": "ReLU", "linear": "linear"},
    )
    bias: float = bias_parameter()

    gates: ClassVar[tuple[str, ...]] = ("active",)
    slots: ClassVar[tuple[Slot, ...]] = (Slot("hidden", 0),)
    blocks: ClassVar[int] = 1

    @field_validator("periods")
    @classmethod
    def _ascending(cls, text: str) -> str:
        """One way to write the same periods."""
        return ", ".join(map(str, parse_periods(text)))

    @property
    def function(self) -> Activation:
        """The activation with its slope."""
        return ACTIVATIONS[self.activation]

    @property
    def homogeneous(self) -> bool:
        """True for ReLU and linear."""
        return self.function.homogeneous

    def modules(self, hidden_size: int) -> dict[int, slice]:
        """Period → its units, ascending; a slice is empty where there are more periods than units."""
        periods = parse_periods(self.periods)
        sizes = np.full(len(periods), hidden_size // len(periods))
        sizes[: hidden_size % len(periods)] += 1
        ends = np.cumsum(sizes).tolist()
        return {
            period: slice(end - size, end) for period, size, end in zip(periods, sizes, ends, strict=True)
        }

    def activity(self, num_steps: int) -> np.ndarray:
        """[modules, T] True where a module is due; column t−1 belongs to step t."""
        steps, periods = np.arange(1, num_steps + 1), np.array(parse_periods(self.periods))
        return np.asarray(steps % periods[:, None] == 0)

    def bias_offsets(self) -> Mapping[int, float]:
        """The ``bias`` field shifts the only block."""
        return {0: self.bias}

    def constrain(self, matrix: np.ndarray) -> np.ndarray:
        """The matrix with exact zeros where a faster module would feed a slower one."""
        period = self._unit_values(list(self.modules(len(matrix))), len(matrix))
        return np.where(period[:, None] <= period, matrix, 0.0)

    def schedule(self, hidden_size: int, num_steps: int) -> Mapping[str, np.ndarray]:
        """``active`` [T, H]: 1 where a unit's module is due, else 0."""
        return {"active": self._unit_values(self.activity(num_steps), hidden_size).T.astype(np.float64)}

    def _unit_values(self, of_modules: object, hidden_size: int) -> np.ndarray:
        """[H, …]: what belongs to a module, for each of its units."""
        sizes = [part.stop - part.start for part in self.modules(hidden_size).values()]
        return np.repeat(np.asarray(of_modules), sizes, axis=0)

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """The equations of the class docstring."""
        m = record.gate("active", record.vector("active"))
        kept = record.complement("active", m, 1 - m)
        record.state("h", m * self.function.function(slots["hidden"]) + kept * previous["h"])

    def partials_with(
        self,
        vectors: Mapping[str, np.ndarray],
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
    ) -> Partials:
        """Hand-derived: φ′ where a module is due, the old state where it is not."""
        m = vectors["active"]
        into_h = self.function.slope(slots)
        into_h *= m[:, None]
        return Partials(
            slots=[("h", slice(0, 1), into_h)],
            carry={("h", "h"): np.broadcast_to(1 - m, new["h"].shape)},
        )


def parse_periods(text: str) -> tuple[int, ...]:
    """The periods of a text, ascending; raises ValueError with a sentence on what is wrong."""
    parts = [part for part in re.split(r"[,;\s]+", text) if part]
    if not parts:
        raise ValueError(f"no period is given; {_EXAMPLE}")
    if len(parts) > MOST:
        raise ValueError(f"{len(parts)} periods are given; at most {MOST} modules are allowed")
    periods = sorted(map(_period, parts))
    for period, following in pairwise(periods):
        if period == following:
            raise ValueError(f"period {period} appears twice; every module needs a period of its own")
    return tuple(periods)


def _period(part: str) -> int:
    shown = part if len(part) <= 20 else part[:19] + "…"
    if not re.fullmatch(r"[+-]?\d+", part, re.ASCII):
        raise ValueError(f"{shown!r} is no whole number; {_EXAMPLE}")
    period = int(part)
    if period < 1:
        raise ValueError(f"period {shown} is below 1, where a module is updated at every step")
    if period > LONGEST:
        raise ValueError(f"period {shown} is above {LONGEST}, the length of the longest sequence")
    return period
