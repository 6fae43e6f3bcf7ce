"""A trace as rows for torch: one row for every pair of step and sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.trace import Trace
from explorer.verify.textbook import Textbook

if TYPE_CHECKING:
    import torch


class Rows:
    """A trace's stored states and adjoints as float64 arrays [time, samples, H], for some of the samples."""

    def __init__(self, trace: Trace, max_work: float) -> None:
        self.trace, self.book = trace, Textbook(trace)
        steps, _, size, batch = trace.forward.slots.shape
        self.multiplications = 3 * steps * self.book.w_hh.numel()
        count = int(np.clip(max_work / self.multiplications, 1, batch))
        self.samples = np.unique(np.linspace(0, batch - 1, count).round().astype(int))
        self.steps, self.size = steps, size
        self.states = {name: self.pick(array) for name, array in trace.forward.states.items()}
        self.totals = {name: self.pick(array) for name, array in trace.backward.totals.items()}
        self.powers = trace.backward.exponents[:, self.samples]
        carried = trace.forward.exponents
        self.carried = np.zeros_like(self.powers) if carried is None else carried[:, self.samples]
        self.inputs = trace.inputs[:, self.samples].astype(trace.experiment.dtype).astype(np.float64)
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

    def scale(self) -> torch.Tensor:
        """2^(−exponent of the stored state) for every row, [T·B, 1]."""
        with np.errstate(over="ignore", under="ignore"):
            return self.flat(np.ldexp(1.0, -self.carried[:-1])[..., None])

    def given(self) -> torch.Tensor:
        """The input part of every row."""
        return self.book.from_input(self.flat(self.inputs), self.scale())
