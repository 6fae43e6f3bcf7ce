"""A trace as rows for torch: one row for every pair of step and sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.measures.adjoints import complete, slot_adjoints
from explorer.trace import Trace
from explorer.verify.moment import Moment
from explorer.verify.textbook import held_gates, torch_weights

if TYPE_CHECKING:
    import torch


class Rows:
    """A trace's stored states and adjoints as float64 arrays [time, samples, H], for some of the samples."""

    def __init__(self, trace: Trace, max_work: float) -> None:
        self.trace, self.weights = trace, torch_weights(trace)
        steps, _, size, batch = trace.forward.slots.shape
        self.multiplications = 3 * steps * self.weights.w_hh.numel()
        count = int(np.clip(max_work / self.multiplications, 1, batch))
        self.samples = np.unique(np.linspace(0, batch - 1, count).round().astype(int))
        self.steps, self.size = steps, size
        self.states = {name: self.pick(array) for name, array in trace.forward.states.items()}
        self.totals = {name: self.pick(array) for name, array in trace.backward.totals.items()}
        self.powers = trace.backward.exponents[:, self.samples]
        carried = trace.forward.exponents
        self.carried = np.zeros_like(self.powers) if carried is None else carried[:, self.samples]
        self.inputs = trace.inputs[:, self.samples].astype(trace.experiment.dtype).astype(np.float64)
        self._held = held_gates(trace)
        vectors = trace.forward.conditions.vectors
        self._vectors = {name: array[:, :, 0].astype(np.float64) for name, array in vectors.items()}
        with np.errstate(over="ignore", under="ignore"):
            dtype = trace.experiment.dtype
            readout = trace.readout.astype(dtype).astype(np.float64)
            self.injected = np.ldexp(
                trace.loss_weights[:, None, None] * readout, -np.clip(self.powers, -4000, 4000)[..., None]
            )

    def pick(self, array: np.ndarray) -> np.ndarray:
        """[time, H, B] as [time, samples, H] in float64."""
        return np.ascontiguousarray(np.moveaxis(array[:, :, self.samples], 1, 2), np.float64)

    def flat(self, array: np.ndarray) -> torch.Tensor:
        """[T, B, …] as rows [T·B, …]."""
        import torch

        return torch.from_numpy(np.ascontiguousarray(array).reshape(-1, *array.shape[2:]))

    def folded(self, rows: Any) -> np.ndarray:
        """Rows [T·B, H] as [T, B, H]."""
        return np.asarray(rows.detach().numpy()).reshape(self.steps, len(self.samples), -1)

    def moment(self, old: dict[str, torch.Tensor], cut: bool = False) -> Moment:
        """All steps of all samples at once, from the states ``old`` before them (rows)."""
        with np.errstate(over="ignore", under="ignore"):
            scale = self.flat(np.ldexp(1.0, -self.carried[:-1])[..., None])
        given = self.weights.from_input(self.flat(self.inputs), scale)
        return self._moment(given, old, slice(None), len(self.samples), scale, cut)

    def moment_at(self, t: int, given: torch.Tensor, old: dict[str, torch.Tensor]) -> Moment:
        """Step t → t+1 of the first ``len(given)`` samples, without exponents."""
        return self._moment(given, old, slice(t, t + 1), len(given), 1.0, False)

    def _moment(
        self, given: Any, old: dict[str, torch.Tensor], rows: slice, count: int, scale: Any, cut: bool
    ) -> Moment:
        def spread(array: np.ndarray) -> torch.Tensor:
            """[T, …] as one row for each of the ``count`` samples of the chosen steps."""
            return self.flat(np.repeat(array[rows, None], count, axis=1))

        vectors = {
            name: spread(array) if len(array) == self.steps else self.flat(array[:, None])
            for name, array in self._vectors.items()
        }
        held = {name: (spread(where), spread(value)) for name, (where, value) in self._held.items()}
        steps = spread(np.arange(1, self.steps + 1)[:, None])
        return Moment(self.weights, given, old, steps, scale, vectors, held, cut)

    def direct(self) -> dict[str, np.ndarray]:
        """Adjoints of the states other than h with the later states of their step held fixed.

        What the engine sent back through the step from t to t+1, [T, samples, H], with the exponents of
        ``powers[:-1]``.
        """
        others = [name for name in self.states if name != "h"]
        found = {name: np.zeros((self.steps, len(self.samples), self.size)) for name in others}
        if not others:
            return found
        for block in slot_adjoints(self.trace):
            complete(self.trace, block)
            span = slice(block.start, block.start + len(block.delta))
            shift = np.clip(block.exponents[:, self.samples] - self.powers[span], -4000, 4000)
            for name in set(others) & set(block.carried):
                found[name][span] = np.ldexp(self.pick(block.carried[name]), shift[..., None])
        return found
