"""A convolution over time with ReLU and maximum pooling, in front of the first layer (CNN-LSTM)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.experiment import Experiment
from explorer.layouts import Layers
from explorer.networks.scaled import Scaled


@dataclass(frozen=True)
class Front:
    r"""y_s = max over the steps t of window s of relu(Σ_j K_j x_{t+j−⌊k/2⌋} + b); zeros beyond the ends.

    Attributes:
        kernel: [C, I, k], the layout of ``torch.nn.Conv1d``; bias: [C].
        pooling: steps of a window; the last window may be shorter.
        outputs: y, [T', B, C] with T' = ⌈T / pooling⌉.
        chosen: [T', C, B] which step of x each maximum was taken from.
    """

    kernel: np.ndarray
    bias: np.ndarray
    pooling: int
    outputs: np.ndarray
    chosen: np.ndarray

    def back(self, arriving: Scaled, num_steps: int) -> Scaled:
        """∂L/∂x [T, I, B] from ∂L/∂y [T', C, B]; ReLU's slope at 0 is 0, ties go to the first step."""
        alive = np.moveaxis(self.outputs, 1, 2) > 0
        window = np.arange(num_steps) // self.pooling
        taken = self.chosen[window] == np.arange(num_steps)[:, None, None]
        before = np.where(taken, (arriving.values * alive)[window], 0.0)
        spread = Scaled(before, arriving.exponents[window])
        width = self.kernel.shape[2]
        total: Scaled | None = None
        for j in range(width):
            # x_t is read by the output at t − j + ⌊k/2⌋ through K_j.
            moved = _shifted(spread, width // 2 - j)
            part = Scaled(np.matmul(self.kernel[:, :, j].T, moved.values), moved.exponents)
            total = part if total is None else total + part
        assert total is not None
        return total


def _shifted(array: Scaled, offset: int) -> Scaled:
    """Row t holds what stood at t + offset, zeros beyond the ends."""
    values, exponents = np.zeros_like(array.values), np.zeros_like(array.exponents)
    steps = len(values)
    if abs(offset) < steps:
        rows = slice(max(-offset, 0), steps - max(offset, 0))
        source = slice(max(offset, 0), steps + min(offset, 0))
        values[rows], exponents[rows] = array.values[source], array.exponents[source]
    return Scaled(values, exponents)


def draw_front(experiment: Experiment, layout: Layers, x: np.ndarray) -> Front:
    """The front for x [T, B, I] with weights drawn as ``torch.nn.Conv1d`` does, uniform in ±1/√(I·k)."""
    width, inputs = layout.kernel, x.shape[2]
    limit = (inputs * width) ** -0.5
    kernel = experiment.rng("front/kernel").uniform(-limit, limit, (layout.channels, inputs, width))
    bias = experiment.rng("front/bias").uniform(-limit, limit, layout.channels)
    return apply_front(kernel, bias, layout.pooling, x)


def apply_front(kernel: np.ndarray, bias: np.ndarray, pooling: int, x: np.ndarray) -> Front:
    """The front for given weights."""
    steps, batch, _ = x.shape
    width = kernel.shape[2]
    padded = np.concatenate([np.zeros((width // 2, *x.shape[1:])), x, np.zeros((width, *x.shape[1:]))])
    features = bias + sum(padded[j : j + steps] @ kernel[:, :, j].T for j in range(width))
    windows = -(-steps // pooling)
    full = np.full((windows * pooling, batch, len(bias)), -np.inf)
    full[:steps] = np.maximum(features, 0)
    split = full.reshape(windows, pooling, batch, len(bias))
    first = split.argmax(axis=1)
    chosen = np.moveaxis(first + pooling * np.arange(windows)[:, None, None], 1, 2)
    return Front(kernel, bias, pooling, split.max(axis=1), chosen)
