"""Live: the numbers of one step of one sample, as the derivation puts them beside its formulas."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from explorer.cells.cell import HIDDEN, MESSAGE, Partials
from explorer.engine.forward import Forward
from explorer.engine.partials import partials_between
from explorer.engine.pullback import Pullback
from explorer.lessons.magnitudes import log10_norm
from explorer.measures.adjoints import messages
from explorer.trace import Trace

_LOG2 = math.log10(2)


class Live:
    """Step ``t``, which leads from state t − 1 to state t, of one sample of a trace.

    Sizes are log10 of a norm over the hidden units; −inf stands for exactly 0.

    Attributes:
        trace, t, sample: what was asked for.
        lanes: path → its part of ∂L/∂h_{t-1}, [H], times 2^``exponent``; ``keep`` is the direct one.
        delta: ∂L/∂slot of step t, [K, H], times 2^``exponent``.
    """

    def __init__(self, trace: Trace, t: int, sample: int) -> None:
        steps, batch = trace.num_steps, trace.forward.slots.shape[-1]
        if not 1 <= t <= steps:
            raise ValueError(f"t = {t} is no step of this run: allowed are 1 … {steps}")
        if not 0 <= sample < batch:
            raise ValueError(f"sample = {sample} does not exist: allowed are 0 … {batch - 1}")
        self.trace, self.t, self.sample = trace, t, sample
        self.last = int(np.flatnonzero(trace.loss_weights)[-1])
        self._slot = {slot.name: k for k, slot in enumerate(trace.experiment.cell.wiring())}
        self._gate = {name: k for k, name in enumerate(trace.experiment.cell.gates)}
        self.exponent = int(trace.backward.exponents[t, sample])
        if self.partials.exponent is not None:
            self.exponent += int(self.partials.exponent[0, 0, 0])
        self.delta, self.lanes = self._pull()

    @cached_property
    def partials(self) -> Partials:
        """Element-wise derivatives of this step, arrays [1, …, H, 1]."""
        return self._between(self.t - 1, self.t)

    def _between(self, start: int, stop: int) -> Partials:
        """Element-wise derivatives of the steps start + 1 … stop, arrays [stop - start, …, H, 1]."""
        record, one = self.trace.forward, slice(self.sample, self.sample + 1)
        column = Forward(
            {name: array[start : stop + 1, :, one] for name, array in record.states.items()},
            record.slots[start:stop, :, :, one],
            record.gates[start:stop, :, :, one],
            conditions=record.conditions.rows(start, stop),
        )
        return partials_between(self.trace.experiment.cell, column, 0, stop - start)

    def _pull(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        system, partials = self.trace.system, self.partials
        size, lanes = system.hidden_size, {}
        one = slice(self.sample, self.sample + 1)
        after = {name: array[self.t][:, one] for name, array in self.trace.backward.totals.items()}
        delta = Pullback(system, 1).slots(partials, 0, after)[:, :, 0]
        if system.message_matrix is not None:
            message = system.message_matrix.T @ delta[len(system.matrix) // size :].ravel()
            for name, slope in partials.message_slots.items():
                delta[self._slot[name]] += slope[0, :, 0] * message
            lanes["message"] = partials.message_carry["h"][0, :, 0] * message
        for slot in self.trace.experiment.cell.wiring():
            if HIDDEN in slot.reads:
                k = self._slot[slot.name]
                lanes[slot.name] = system.matrix[k * size : (k + 1) * size, :size].T @ delta[k]
        for (state, name), slope in partials.carry.items():
            if name == "h":
                lanes["keep"] = slope[0, :, 0] * self.trace.backward.totals[state][self.t, :, self.sample]
        return delta, lanes

    # ---- values ----

    def state(self, name: str, t: int) -> float:
        """Size of a state."""
        record = self.trace.forward
        exponent = 0 if record.exponents is None else int(record.exponents[t, self.sample])
        return log10_norm(record.states[name][t, :, self.sample], exponent)

    def slot(self, name: str) -> float:
        """Size of a pre-activation of this step."""
        record = self.trace.forward
        exponent = 0 if record.exponents is None else int(record.exponents[self.t - 1, self.sample])
        return log10_norm(record.slots[self.t - 1, self._slot[name], :, self.sample], exponent)

    def gate(self, name: str, t: int | None = None) -> np.ndarray:
        """The values of a gate at a step, [H]; this step unless told otherwise."""
        step = self.t if t is None else t
        return self.trace.forward.gates[step - 1, self._gate[name], :, self.sample]

    def kept(self, name: str, start: int, stop: int) -> np.ndarray:
        """Factors of a state's direct path to its own next value at the steps start + 1 … stop, [n, H]."""
        return self._between(start, stop).carry[name, name][:, :, 0]

    # ---- gradients ----

    def gradient(self, name: str, t: int) -> float:
        """Size of the total ∂L/∂state_t."""
        return self.times(name, t, 1.0)

    def times(self, name: str, t: int, factor: np.ndarray | float) -> float:
        """Size of factor ⊙ (total ∂L/∂state_t)."""
        back = self.trace.backward
        vector = factor * back.totals[name][t, :, self.sample]
        return log10_norm(vector, int(back.exponents[t, self.sample]))

    def delta_size(self, *names: str) -> float:
        """Size of ∂L/∂slot of this step, of the named slots together (all when none is named)."""
        return log10_norm(self.delta[[self._slot[name] for name in names or self._slot]], self.exponent)

    def lane(self, *names: str) -> float:
        """Size of the sum of the named parts of ∂L/∂h_{t-1}."""
        return log10_norm(np.sum([self.lanes[name] for name in names], axis=0), self.exponent)

    def weight_term(self) -> float:
        """Size of what this step adds to ∂L/∂U: ‖δ_t h_{t-1}ᵀ‖ over all blocks (Frobenius norm)."""
        cell, t = self.trace.experiment.cell, self.t
        rows = {source: [s.name for s in cell.wiring() if source in s.reads] for source in (HIDDEN, MESSAGE)}
        term = self.delta_size(*rows[HIDDEN]) + self.state("h", t - 1)
        if not rows[MESSAGE]:
            return term
        message = messages(self.trace, t - 1, t)[0, :, self.sample]
        return add_log10(2 * term, 2 * (self.delta_size(*rows[MESSAGE]) + log10_norm(message))) / 2

    # ---- words ----

    def zero_reason(self, t: int) -> str:
        """Why ∂L/∂h_t is exactly 0, as the end of a sentence."""
        trace = self.trace
        if t > self.last:
            return f"no loss is read at step {t} or later"
        message = trace.system.message_matrix
        recurrent = trace.system.matrix[:, : trace.system.hidden_size]
        if not recurrent.any() and (message is None or not message.any()):
            return "the recurrent matrix is 0"
        if getattr(trace.experiment.cell, "activation", "") == "relu":
            return "every ReLU unit on the way to the loss is off, so its slope is 0"
        return f"no open path leads from step {t} to the loss"


def add_log10(a: float, b: float) -> float:
    """log10(10^a + 10^b)."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log10(1 + 10 ** (low - high))


def log10_mean(values: np.ndarray, exponent: float = 0) -> float:
    """log10 of the mean of non-negative values · 2^exponent."""
    mean = float(values.mean(dtype=np.float64))
    return -math.inf if mean == 0 else math.log10(mean) + _LOG2 * exponent
