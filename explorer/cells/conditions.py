"""What a step meets besides its slots and the previous states: numbers of the units, and held gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Array = Any  # numpy array or torch tensor


class Record(Protocol):
    """What ``core`` reads its conditions from and puts its results into."""

    def state(self, name: str, value: Array) -> Array:
        """Take a new state; later formulas must use the returned value."""

    def gate(self, name: str, value: Array) -> Array:
        """Take the activation of a gate; later formulas must use the returned value, which may be held."""

    def complement(self, gate: str, value: Array, other: Array) -> Array:
        """1 − gate: ``other``, computed without cancellation, or 1 − ``value`` where the gate is held."""

    def vector(self, name: str) -> Array:
        """One number for each unit, [H, 1]: a drawn vector such as a peephole, or a schedule at this step."""


@dataclass(frozen=True)
class Conditions:
    """The conditions of n steps; falsy when there are none, so that cells may use their fast paths.

    Attributes:
        vectors: name → [1, H, 1], or [n, H, 1] where it follows a schedule.
        held: gate → (where, value), both [n, H, 1]: activations that are constants there.
    """

    vectors: Mapping[str, Array] = field(default_factory=dict)
    held: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.vectors or self.held)

    def rows(self, start: int, stop: int) -> Conditions:
        """The conditions of the steps ``start`` … ``stop - 1``."""
        if not self:
            return self
        return Conditions(
            {name: a if len(a) == 1 else a[start:stop] for name, a in self.vectors.items()},
            {name: (where[start:stop], value[start:stop]) for name, (where, value) in self.held.items()},
        )

    def at(self, t: int) -> Conditions:
        """The conditions of one step, arrays [H, 1]."""
        if not self:
            return self
        return Conditions(
            {name: a[0 if len(a) == 1 else t] for name, a in self.vectors.items()},
            {name: (where[t], value[t]) for name, (where, value) in self.held.items()},
        )

    def astype(self, dtype: np.dtype) -> Conditions:
        """The same with vectors and held values in another float type."""
        return Conditions(
            {name: a.astype(dtype) for name, a in self.vectors.items()},
            {name: (where, value.astype(dtype)) for name, (where, value) in self.held.items()},
        )


class Reading:
    """A record that applies conditions and keeps nothing; ``select`` is ``np.where`` or ``torch.where``."""

    def __init__(self, conditions: Conditions, select: Callable[..., Array] = np.where) -> None:
        self._vectors, self._held, self._select = conditions.vectors, conditions.held, select

    def state(self, name: str, value: Array) -> Array:
        """The value itself."""
        return value

    def gate(self, name: str, value: Array) -> Array:
        """The value, or what the gate is held at."""
        held = self._held.get(name)
        return value if held is None else self._select(held[0], held[1], value)

    def complement(self, gate: str, value: Array, other: Array) -> Array:
        """``other``, or 1 − ``value`` where the gate is held."""
        held = self._held.get(gate)
        return other if held is None else self._select(held[0], 1 - value, other)

    def vector(self, name: str) -> Array:
        """The vector of that name."""
        return self._vectors[name]


class Writing:
    """A record that copies what ``core`` computes into a run's arrays, step after step: set ``t`` first.

    Arrays are cut into views once, because a view costs as much as adding two states.
    """

    def __init__(
        self,
        conditions: Conditions,
        gates: Mapping[str, Sequence[np.ndarray]],
        states: Mapping[str, Sequence[np.ndarray]],
        num_steps: int,
    ) -> None:
        self.t = 0
        self._gates, self._states = gates, states
        self._vectors = {
            name: [array[0]] * num_steps if len(array) == 1 else list(array)
            for name, array in conditions.vectors.items()
        }
        self._held = {name: (list(where), list(value)) for name, (where, value) in conditions.held.items()}

    def state(self, name: str, value: Array) -> Array:
        """Store and return a new state."""
        np.copyto(self._states[name][self.t + 1], value)
        return value

    def gate(self, name: str, value: Array) -> Array:
        """Store and return the activation of a gate."""
        if name in self._held:
            where, held = self._held[name]
            value = np.where(where[self.t], held[self.t], value)
        np.copyto(self._gates[name][self.t], value)
        return value

    def complement(self, gate: str, value: Array, other: Array) -> Array:
        """``other``, or 1 − ``value`` where the gate is held."""
        if gate not in self._held:
            return other
        return np.where(self._held[gate][0][self.t], 1 - value, other)

    def vector(self, name: str) -> Array:
        """The vector of that name at this step."""
        return self._vectors[name][self.t]
