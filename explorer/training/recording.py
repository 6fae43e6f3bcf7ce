"""What a network in training is asked at recorded steps: gradients over time, gates, eigenvalues."""

from __future__ import annotations

import numpy as np

from explorer.engine.forward import forward
from explorer.measures import gradient_norms
from explorer.memory import MEMORY_LIMIT, memory_needed
from explorer.systems import initial_states, make_system
from explorer.tasks import Task
from explorer.tasks.batch import Batch
from explorer.trace import Trace, traced
from explorer.training.recipe import PROBE, Recipe
from explorer.training.through_engine import source_of
from explorer.weights import Weights


class Probe:
    """A fixed batch of a recipe's task, on which the network is looked at again and again.

    Attributes:
        recipe: all settings.
        batch: 16 sequences, drawn from the stream ``probe`` of the experiment; fewer where a run of so many
            would take more than 1 GB.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        exact = recipe.experiment.model_copy(update={"dtype": "float64"})
        fitting = MEMORY_LIMIT / memory_needed(exact, 1, recipe.task.input_size)
        count = max(1, min(PROBE, int(fitting)))
        self._experiment = exact.model_copy(update={"batch_size": count})
        self.batch: Batch = recipe.task.batch(exact.rng("probe"), exact.num_steps, count)
        self._initial = initial_states(self._experiment, None)

    def trace(self, weights: Weights) -> Trace:
        """The engine's run in float64 with L = the task's loss of each sequence, through the readout."""
        cell = {name: np.asarray(a, np.float64) for name, a in weights.items() if "." not in name}
        matrix, bias = (np.asarray(weights[f"readout.{name}"], np.float64) for name in ("weight", "bias"))
        experiment, steps = self._experiment, self._experiment.num_steps
        system = make_system(experiment, cell, self.batch.inputs, self._initial)
        record = forward(system)
        read = len(self.batch.targets)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            h = record.states["h"][-read:]
            if record.exponents is not None:
                h = np.ldexp(h, record.exponents[-read:, None])
            outputs = np.moveaxis(h, 1, 2) @ matrix.T + bias
            adjoint = loss_gradient(self.recipe.task, outputs, self.batch.targets) @ matrix
        loss_weights = np.zeros(steps + 1)
        loss_weights[-read:] = 1 / read
        trace = traced(
            experiment,
            cell,
            self.batch.inputs,
            system,
            record,
            source_of(adjoint, steps),
            np.zeros(experiment.hidden_size),
            loss_weights,
        )
        trace.of_network = True  # its gradient comes through the task's readout
        return trace

    def curves(self, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
        """(median over the sequences of log10 ‖∂L/∂h_t‖ [T+1], mean of each gate over time [G, T])."""
        trace = self.trace(weights)
        gates = trace.forward.gates.mean(axis=(2, 3)).T
        with np.errstate(invalid="ignore"):
            return np.asarray(np.median(gradient_norms(trace), axis=1)), gates


def loss_gradient(task: Task, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """∂L/∂o [S, B, O] of each sequence's own loss, the mean over its S answers.

    2·(o − target) for numbers. For classes softmax(o), and at the target minus the sum of all others:
    softmax − 1 would be 0 where the network is sure by 16 digits, and 1e-20 would be drawn as no gradient.
    """
    if task.output == "number":
        return np.asarray(2 * (outputs - targets[..., None]) / len(targets))
    shifted = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    softmax = shifted / shifted.sum(axis=-1, keepdims=True)
    np.put_along_axis(softmax, targets[..., None], 0.0, axis=-1)
    np.put_along_axis(softmax, targets[..., None], -softmax.sum(axis=-1, keepdims=True), axis=-1)
    return np.asarray(softmax / len(targets))


def block_eigenvalues(weights: Weights) -> np.ndarray:
    """Eigenvalues of each block of W_hh, [blocks, H] complex64."""
    matrix = weights["weight_hh"]
    blocks = matrix.reshape(-1, matrix.shape[1], matrix.shape[1])
    with np.errstate(over="ignore"):  # of weights that are about to leave the range of floats
        return np.linalg.eigvals(blocks).astype(np.complex64)
