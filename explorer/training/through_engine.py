"""The engine's two passes over time as one operation of torch's autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from explorer.engine.backward import Source, backward, partial_blocks
from explorer.engine.forward import forward
from explorer.experiment import Experiment
from explorer.systems import make_system
from explorer.training.weight_gradients import weight_gradients


class ThroughEngine(torch.autograd.Function):
    """(x, weights) → h at the last S steps; ∂L/∂W comes from the engine's adjoints.

    A graph of single torch operations, as a loop over cells makes it, costs several times as much: every one
    of its nodes is more expensive than the arithmetic of a small network.
    """

    @staticmethod
    def forward(
        context: Any,
        experiment: Experiment,
        names: tuple[str, ...],
        initial: dict[str, np.ndarray],
        inputs: torch.Tensor,
        read: int,
        *weights: torch.Tensor,
    ) -> torch.Tensor:
        """h [S, B, H] for x [T, B, I]; beyond the range of floats it is infinite."""
        arrays = {name: tensor.detach().numpy() for name, tensor in zip(names, weights, strict=True)}
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            context.system = make_system(experiment, arrays, inputs.numpy(), initial)
            context.record = forward(context.system)
            h, exponents = context.record.states["h"][-read:], context.record.exponents
            if exponents is not None:
                h = np.ldexp(h, exponents[-read:, None])
        context.names, context.read = names, read
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(h, 1, 2)))

    @staticmethod
    def backward(context: Any, *adjoints: torch.Tensor) -> Any:
        """∂L/∂W for all weights, from ∂L/∂h at the steps that are read."""
        system, record = context.system, context.record
        del context.system, context.record
        source = source_of(adjoints[0].numpy(), len(record.slots))
        # Derivatives of held gates and vectors come from graphs of their own, which torch forbids here.
        with np.errstate(over="ignore", invalid="ignore", under="ignore"), torch.enable_grad():
            blocks = list(partial_blocks(system, record))
            totals = backward(system, record, source, block_partials=iter(blocks))
            found = weight_gradients(system, record, totals, blocks)
        return (None, None, None, None, None, *(torch.from_numpy(found[name]) for name in context.names))


def source_of(adjoint: np.ndarray, num_steps: int) -> Source:
    """∂L/∂h [S, B, H] at the last S of T steps as what enters the way back."""
    count, batch, _ = adjoint.shape
    values = np.ascontiguousarray(np.moveaxis(adjoint, 2, 1))
    first = num_steps + 1 - count
    return Source(
        {first + i: value for i, value in enumerate(values)}, np.zeros((num_steps + 1, batch), np.int64)
    )
