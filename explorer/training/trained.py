"""Trained networks as experiments: what the other pages draw before and after training."""

from __future__ import annotations

from typing import Any

from explorer.experiment import Experiment
from explorer.stored_weights import store_weights
from explorer.tasks import TASKS
from explorer.training.recipe import Recipe
from explorer.training.training import Training
from explorer.weights import Weights

_SHOWN = 16  # sequences that the other pages read


def experiment_before(recipe: Recipe) -> Experiment:
    """The untrained network reading its task's sequences; the loss is the pages' own, at the same steps."""
    task = recipe.task
    several = task.read_steps(recipe.experiment.num_steps) > 1
    signal = {
        "kind": "task",
        "task": task.kind,
        "settings": task.model_dump_json(exclude={"kind"}, exclude_defaults=True),
    }
    changes: dict[str, Any] = {
        "signal": signal,
        "loss": {"kind": "every" if several else "last"},
        "dtype": "float64",
        "batch_size": _SHOWN,
    }
    return Experiment.model_validate(recipe.experiment.model_dump() | changes)


def experiment_after(training: Training, r: int = -1) -> Experiment:
    """The network at ``recorded[r]``; its weights are stored under the name that the experiment gives."""
    return experiment_of(training.recipe, training.weights(r), int(training.recorded[r]))


def experiment_of(recipe: Recipe, weights: Weights, step: int) -> Experiment:
    """The network of a recipe with the weights that it has after ``step`` training steps; they are stored."""
    label = TASKS[recipe.task.kind][0]
    about = f"Trained for {step} steps on the task {label}, T = {recipe.experiment.num_steps}."
    return with_weights(experiment_before(recipe), weights, about)


def with_weights(experiment: Experiment, weights: Weights, about: str) -> Experiment:
    """The experiment with these weights in the place of drawn ones, all scales at 1 and all biases at 0.

    Weights of a readout are left out: the pages have one of their own.
    """
    cell = {name: array for name, array in weights.items() if "." not in name}
    added = [name for name in type(experiment.cell).model_fields if name.endswith("bias") or name == "chrono"]
    plain = {name: 0 if name == "chrono" else 0.0 for name in added}
    changes: dict[str, Any] = {"weight_scale": 1.0, "input_scale": 1.0, "bias_scale": 1.0}
    return experiment.model_copy(
        update=changes
        | {"cell": experiment.cell.model_copy(update=plain), "trained": store_weights(cell, about)}
    )
