"""Trainer: advances a training run step by step, records it, and takes it back to any recorded step."""

from __future__ import annotations

import numpy as np
import torch

from explorer.memory import refuse_too_large
from explorer.tasks.batch import Batch
from explorer.training.divergence import divergence_sentence
from explorer.training.network import RecurrentNetwork
from explorer.training.recipe import Recipe
from explorer.training.recording import Probe, block_eigenvalues
from explorer.training.training import Moment, Snapshot, Training


class Trainer:
    """A training run that somebody else drives.

    Batch k of the run comes from the stream ``batch/k`` of the experiment, and no other random number is
    drawn: a run that is stopped, rewound or loaded goes on exactly as if it had not been. Every step is
    PyTorch's own optimiser and clipping.

    Attributes:
        recipe: all settings.
        training: the run so far.
        network: the network with its present weights.
        whole: False while weights and record do not belong together, where an interrupt may leave them.

    Raises:
        TooLarge: the network would take more than 1 GB; names what to lower.
    """

    def __init__(self, recipe: Recipe) -> None:
        refuse_too_large(recipe.experiment, recipe.task.input_size)
        self.recipe, self.whole = recipe, True
        self.network = RecurrentNetwork(recipe)
        self.training = Training(recipe)
        self._trained = {name: t for name, t in self.network.tensors.items() if t.requires_grad}
        self._optimizer = make_optimizer(recipe, list(self._trained.values()))
        self._dtype = getattr(torch, recipe.experiment.dtype)
        self._probe = Probe(recipe)
        self._planned = frozenset(recipe.moments.tolist())
        self._held_out = recipe.held_out()
        self.record()

    @classmethod
    def resumed(cls, training: Training, snapshot: Snapshot) -> Trainer:
        """A trainer that goes on with a run, from the snapshot of its last step."""
        trainer = cls(training.recipe)
        trainer.training = training
        trainer._restore(snapshot)
        return trainer

    def advance(self, count: int) -> None:
        """Up to ``count`` further steps; fewer where the run ends or diverges."""
        for _ in range(min(count, self.recipe.steps - self.training.step)):
            if self.training.diverged:
                return
            self._step()

    def rewind(self, recorded_step: int) -> None:
        """Back to a recorded step; what came after is forgotten, and advancing gives it once more.

        Raises ValueError for a step that is not recorded; names those that are.
        """
        self._restore(self.training.cut(recorded_step))

    def snapshot(self) -> Snapshot:
        """Weights and state of the optimiser at the present step."""
        state = self._optimizer.state
        found = {
            f"{name}/{key}": value.numpy().copy()
            for name, tensor in self._trained.items()
            for key, value in state.get(tensor, {}).items()
        }
        return Snapshot(self.network.weights(), found)

    def _restore(self, snapshot: Snapshot) -> None:
        self.network.set_weights(snapshot.weights)
        self._optimizer.state.clear()
        for key, array in snapshot.optimizer.items():
            name, _, kind = key.rpartition("/")
            self._optimizer.state[self._trained[name]][kind] = torch.tensor(array)
        self.whole = True

    def _step(self) -> None:
        training, recipe = self.training, self.recipe
        experiment, task = recipe.experiment, recipe.task
        rng = experiment.rng(f"batch/{training.step}")
        batch = task.batch(rng, experiment.num_steps, experiment.batch_size)
        outputs, loss = self._loss(batch)
        value = loss.item()
        if not np.isfinite(value):
            self._diverge("the loss", value)
            return
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        before, after = clip_gradients(recipe, list(self._trained.values()))
        if not np.isfinite(before):
            self._diverge("the gradient's norm", before)
            return
        score = task.score(outputs.detach().numpy(), batch.targets)
        self.whole = False
        self._optimizer.step()
        training.append(loss=value, score=score, norm_before=before, norm_after=after)
        if training.step in self._planned:
            self.record()
        self.whole = True

    def _loss(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs [S, B, O] and their mean loss."""
        functional = torch.nn.functional
        targets = torch.from_numpy(batch.targets)
        outputs = self.network(torch.tensor(batch.inputs, dtype=self._dtype), len(targets))
        if self.recipe.task.output == "number":
            return outputs, functional.mse_loss(outputs[..., 0], targets.to(self._dtype))
        return outputs, functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def _diverge(self, what: str, value: float) -> None:
        """Stop for good; the weights are those before this step, and are recorded."""
        self.whole = False
        self.training.diverged = divergence_sentence(self.training, what, value)
        if self.training.step not in self.training.recorded:
            self.record()
        self.whole = True

    def record(self) -> None:
        """Keep what the present weights do, and the weights; ``advance`` calls it at the planned steps."""
        snapshot = self.snapshot()
        decades, gates = self._probe.curves(snapshot.weights)
        moment = Moment(
            self.training.step,
            decades,
            gates,
            block_eigenvalues(snapshot.weights),
            self._held_out_score(),
            snapshot,
        )
        self.training.moments.append(moment)

    def _held_out_score(self) -> float:
        batch = self._held_out
        if batch is None:
            return float("nan")
        with torch.no_grad():
            outputs, _ = self._loss(batch)
        return self.recipe.task.score(outputs.numpy(), batch.targets)


def make_optimizer(recipe: Recipe, weights: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """PyTorch's optimiser with its defaults, in the variant that is fastest for a few small matrices."""
    rate = recipe.learning_rate
    if recipe.optimizer == "adam":
        return torch.optim.Adam(weights, lr=rate, fused=True)
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, lr=rate, foreach=True)
    return torch.optim.SGD(weights, lr=rate)


def clip_gradients(recipe: Recipe, weights: list[torch.nn.Parameter]) -> tuple[float, float]:
    """Clip all gradients as the recipe says; returns the norm of the whole gradient before and after."""
    norm, limit = torch.nn.utils.get_total_norm, recipe.clip_at
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if recipe.clip == "none":
        return (norm(gradients).item(),) * 2
    if recipe.clip == "norm":
        before = torch.nn.utils.clip_grad_norm_(weights, limit)
    else:
        before = norm(gradients)
        torch.nn.utils.clip_grad_value_(weights, limit)
    return before.item(), norm(gradients).item()
