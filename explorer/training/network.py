"""A cell of the explorer with a linear readout, as a module of PyTorch."""

from __future__ import annotations

import numpy as np
import torch

from explorer.cells import LSTM
from explorer.experiment import Experiment
from explorer.systems import initial_states
from explorer.training.recipe import Recipe
from explorer.training.through_engine import ThroughEngine
from explorer.weights import Weights, draw_weights

READOUT = ("readout.weight", "readout.bias")


class RecurrentNetwork(torch.nn.Module):
    r"""One cell and a linear readout, o_t = V h_t + d, at the last S of T steps.

    The cell's weights start as ``draw_weights`` gives them for the task's inputs; V [O, H] and d [O] are
    drawn as ``torch.nn.Linear`` draws them, uniform in ±1/√H. The standard LSTM in float32 is
    ``torch.nn.LSTM``, whose fused loop is the fastest there is; all other cells, held gates and float64 run
    through the engine, which takes less time than ``torch.nn.RNN``, ``torch.nn.GRU`` and loops of operations.

    What the structure of a cell fixes stays fixed: gradients of W_hh pass through ``Cell.constrain``, so that
    they are with respect to the free entries (the zeros of a clockwork network, the A = M − Mᵀ of an
    antisymmetric one). The reservoir of an echo-state network does not learn.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        experiment, task = recipe.experiment, recipe.task
        drawn = draw_weights(experiment, task.input_size) | draw_linear(experiment, task.output_size)
        dtype = getattr(torch, experiment.dtype)
        self.experiment, self.initial = experiment, initial_states(experiment, None)
        self.names = tuple(drawn)
        self.fused = is_fused(experiment)
        if self.fused:
            # Made without memory first: to be initialised it would draw from torch's global generator.
            empty = torch.nn.LSTM(task.input_size, experiment.hidden_size, dtype=dtype, device="meta")
            self.lstm = empty.to_empty(device="cpu")
        tensors: list[torch.nn.Parameter] = []
        for name, array in drawn.items():
            if self.fused and name not in READOUT:
                parameter = getattr(self.lstm, f"{name}_l0")
                parameter.data.copy_(torch.from_numpy(array))
            else:
                parameter = torch.nn.Parameter(torch.tensor(array, dtype=dtype))
                self.register_parameter(name.replace(".", "_"), parameter)
            parameter.requires_grad_(recipe.trains_cell or name in READOUT)
            tensors.append(parameter)
        self.tensors = dict(zip(self.names, tensors, strict=True))
        self._constrain(recipe)

    def _constrain(self, recipe: Recipe) -> None:
        """Let gradients of W_hh keep the structure of the cell."""
        cell, size = recipe.experiment.cell, recipe.experiment.hidden_size
        probe = np.arange(size * size, dtype=np.float64).reshape(size, size)
        if not recipe.trains_cell or np.array_equal(cell.constrain(probe), probe):
            return

        def kept(gradient: torch.Tensor) -> torch.Tensor:
            blocks = [cell.constrain(block) for block in gradient.numpy().reshape(-1, size, size)]
            return torch.from_numpy(np.concatenate(blocks))

        self.tensors["weight_hh"].register_hook(kept)  # type: ignore[no-untyped-call]

    def forward(self, inputs: torch.Tensor, read: int) -> torch.Tensor:
        """Outputs o [S, B, O] at the last ``read`` = S steps for x [T, B, I]; T is that of the experiment."""
        weight, bias = (self.tensors[name] for name in READOUT)
        return torch.nn.functional.linear(self.hidden(inputs, read), weight, bias)

    def hidden(self, inputs: torch.Tensor, read: int) -> torch.Tensor:
        """h [S, B, H] at the last S steps."""
        initial, count = self.initial, inputs.shape[1]
        if count != self.experiment.batch_size:
            initial = initial_states(self.experiment.model_copy(update={"batch_size": count}), None)
        if self.fused:
            start = [torch.tensor(initial[name].T, dtype=inputs.dtype)[None] for name in ("h", "c")]
            found: torch.Tensor = self.lstm(inputs, tuple(start))[0][-read:]
            return found
        cell = tuple(name for name in self.names if name not in READOUT)
        weights = [self.tensors[name] for name in cell]
        return ThroughEngine.apply(self.experiment, cell, initial, inputs, read, *weights)  # type: ignore[no-any-return, no-untyped-call]

    def weights(self) -> Weights:
        """Copies of all weights: those of the cell, ``readout.weight`` [O, H], ``readout.bias`` [O]."""
        return {name: tensor.detach().numpy().copy() for name, tensor in self.tensors.items()}

    def set_weights(self, weights: Weights) -> None:
        """Take weights that ``weights`` gave."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(torch.from_numpy(weights[name]))


def is_fused(experiment: Experiment) -> bool:
    """Whether ``torch.nn.LSTM`` computes this cell, and faster than the engine: in float32 only."""
    cell = experiment.cell
    return (
        isinstance(cell, LSTM) and cell.is_standard and not experiment.hold and experiment.dtype == "float32"
    )


def draw_linear(experiment: Experiment, outputs: int) -> Weights:
    """``readout.weight`` [O, H] and ``readout.bias`` [O], uniform in ±1/√H as in ``torch.nn.Linear``."""
    size = experiment.hidden_size
    limit = size**-0.5
    shapes = {"readout.weight": (outputs, size), "readout.bias": (outputs,)}
    return {
        name: experiment.rng(name.replace(".", "/")).uniform(-limit, limit, shape)
        for name, shape in shapes.items()
    }
