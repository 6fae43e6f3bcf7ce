"""What a recurrent cell is: linear slots followed by a pointwise core.

    slot_k = W_k x_t + b_ih,k + U_k h_{t-1} + b_hh,k      (or U_k m_t with a pointwise message m_t)
    states, gates = core(slots, previous states)          element by element

The time loops live in ``explorer.engine``; a cell is one step and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from explorer.cells.conditions import Array, Conditions, Record, Writing
from explorer.parameters import Parameters

__all__ = ["Array", "Cell", "Conditions", "Partials", "Record", "Slot"]

INPUT, BIAS_IH, HIDDEN, BIAS_HH, MESSAGE = "input", "bias_ih", "hidden", "bias_hh", "message"
EVERYTHING = frozenset({INPUT, BIAS_IH, HIDDEN, BIAS_HH})


@dataclass(frozen=True)
class Slot:
    """One pre-activation of a cell.

    Attributes:
        name: its name, used in the trace and by ``core``.
        block: which block of H rows of ``weight_ih``/``weight_hh`` it uses, in torch's order.
        reads: what is summed in it; ``message`` means U_k acts on the cell's message and not on h.
    """

    name: str
    block: int
    reads: frozenset[str] = EVERYTHING


@dataclass
class Partials:
    """Element-wise derivatives of one step, for a stretch of n time steps; arrays [n, …, H, B].

    With a state's total adjoint ḡ_s the engine forms δ_k = Σ_s ∂s/∂slot_k · ḡ_s, sends δ through the
    matrices and adds the direct paths.

    Attributes:
        slots: (state, slice of slots, ∂state_t/∂slot_t) with arrays [n, slots, H, B].
        carry: (state, previous state) → ∂state_t/∂previous_{t-1} with all slots held fixed.
        within: (state, source) → ∂state_t/∂source_t for a state computed earlier in the same step.
        message_slots: slot → ∂message_t/∂slot_t.
        message_carry: previous state → ∂message_t/∂previous_{t-1}.
        exponent: [n, 1, B] powers of two taken out of all arrays of ``slots`` (only with no ``carry``).
    """

    slots: list[tuple[str, slice, np.ndarray]]
    carry: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    within: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    message_slots: dict[str, np.ndarray] = field(default_factory=dict)
    message_carry: dict[str, np.ndarray] = field(default_factory=dict)
    exponent: np.ndarray | None = None


class Cell(Parameters):
    """Base of all cells. Subclasses state their slots and their pointwise core.

    Class attributes:
        states: names in the order in which one step computes them; the last one, ``h``, is the output.
        gates: names of the recorded gates.
        slots: the pre-activations; slots that read the message come last.
        blocks: number of H-row blocks in torch's weights.
        vectors: names of further weights with one number for each unit, read by ``record.vector``; they are
            drawn like biases.
    """

    kind: str
    states: ClassVar[tuple[str, ...]] = ("h",)
    gates: ClassVar[tuple[str, ...]] = ()
    slots: ClassVar[tuple[Slot, ...]]
    blocks: ClassVar[int]
    vectors: ClassVar[tuple[str, ...]] = ()

    @property
    def homogeneous(self) -> bool:
        """True when scaling states, inputs and biases by c > 0 scales the new states by c."""
        return False

    def wiring(self) -> tuple[Slot, ...]:
        """The slots of this setting; override when a field changes what a slot reads."""
        return self.slots

    def bias_offsets(self) -> Mapping[int, float]:
        """Block → constant added to ``bias_ih``: what the bias fields of the cell do."""
        return {}

    def unit_biases(self, rng: np.random.Generator, hidden_size: int) -> Mapping[int, np.ndarray]:
        """Block → numbers [H] drawn for its units and added to ``bias_ih``."""
        return {}

    def vector_scale(self) -> float:
        """What multiplies the drawn ``vectors``."""
        return 1.0

    def constrain(self, matrix: np.ndarray) -> np.ndarray:
        """A drawn block [H, H] of W_hh with the structure that the cell asks for, before any scale."""
        return matrix

    def schedule(self, hidden_size: int, num_steps: int) -> Mapping[str, np.ndarray]:
        """Name → [T, H]: numbers known beforehand for every step and unit, read by ``record.vector``."""
        return {}

    def message(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> Array:
        """The pointwise vector that slots reading ``message`` multiply by their matrix.

        It passes the gates that it uses through ``record.gate``, as ``core`` does once more.
        """
        raise NotImplementedError(f"{type(self).__name__} has slots that read a message but computes none")

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """One step, element by element, in operations that numpy arrays and torch tensors share."""
        raise NotImplementedError

    def stepper(
        self, slots: np.ndarray, gates: np.ndarray, states: Mapping[str, np.ndarray]
    ) -> Callable[[int], None]:
        """A function of t that makes one step in numpy.

        From slots[t] [K, H, B] and states[…][t] it fills gates[t] [G, H, B] and states[…][t+1]. The default
        runs ``core``; cells override it to save temporaries and indexing.
        """
        return core_stepper(self, slots, gates, states, Conditions())

    def refine(self, slots: np.ndarray, gates: np.ndarray, largest: float = np.inf) -> None:
        """Correct digits of gates [T, G, H, B] that a fast ``stepper`` lost; ``largest`` bounds |slots|."""

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials | None:
        """Derivatives of the step for n steps at once, arrays [n, K, H, B]; None: let autograd find them.

        ``largest`` is a bound of |slots|: while it is small, formulas in terms of the gates lose no digits.
        """
        return None

    def vector_readings(
        self, previous: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray]
    ) -> Mapping[str, tuple[str, np.ndarray]] | None:
        """Vector p → (slot, s) where p enters a step only as p ⊙ s beside that slot; None if it may do else.

        Then ∂L/∂p = Σ δ ⊙ s over steps and samples, and no autograd is needed for it.
        """
        return None

    def partials_with(
        self,
        vectors: Mapping[str, np.ndarray],
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
    ) -> Partials | None:
        """As ``partials``, for a cell whose core reads ``vectors`` [1 or n, H, 1]; no gate is held."""
        return None


def core_stepper(
    cell: Cell,
    slots: np.ndarray,
    gates: np.ndarray,
    states: Mapping[str, np.ndarray],
    conditions: Conditions,
) -> Callable[[int], None]:
    """As ``Cell.stepper`` by the cell's ``core``, under conditions."""
    names = [slot.name for slot in cell.wiring()]
    given = [list(slots[:, k]) for k in range(len(names))]
    kept = {name: list(gates[:, k]) for k, name in enumerate(cell.gates)}
    views = {name: list(array) for name, array in states.items()}
    record = Writing(conditions, kept, views, len(slots))

    def step(t: int) -> None:
        record.t = t
        previous = {name: view[t] for name, view in views.items()}
        cell.core({name: view[t] for name, view in zip(names, given, strict=True)}, previous, record)

    return step
