"""The choices of the section Race: the task, how it is trained, and who trains."""

from __future__ import annotations

from typing import Literal

from explorer.lessons.races import RACES
from explorer.parameters import Parameters, parameter
from explorer.tasks import TASKS
from explorer.training.recipe import Recipe

_FIRST = RACES["latch"]
_TRAINING = Recipe.model_fields


class RaceChoices(Parameters):
    """What all racers share, and who they are."""

    race_task: Literal["latch", "adding", "order", "copy", "digits", "text"] = parameter(
        "latch",
        "task",
        "What the networks have to learn.",
        names={kind: row[0] for kind, row in TASKS.items()},
    )
    race_settings: str = parameter(
        "", "settings of the task", "Settings of the task that are not the usual ones.", max_length=20_000
    )
    race_length: int = parameter(
        _FIRST.length,
        "time steps T",
        "Length of every sequence.",
        bounds=(10, 500),
        options=(10, 20, 30, 40, 50, 60, 64, 80, 100, 150, 200, 300, 500),
    )
    race_units: int = parameter(
        _FIRST.units,
        "hidden size N",
        "Units of every network.",
        bounds=(4, 128),
        options=(8, 16, 32, 64, 128),
    )
    race_batch: int = parameter(
        _FIRST.batch,
        "batch size",
        "Sequences of every training step.",
        bounds=(1, 64),
        options=(8, 16, 32, 64),
    )
    race_steps: int = parameter(
        _FIRST.steps,
        "training steps",
        "How many batches every network is trained on.",
        bounds=(20, 5000),
        options=(50, 100, 200, 300, 500, 800, 1000, 1200, 1500, 2000, 3000, 5000),
    )
    race_rate: float = parameter(
        _FIRST.rate,
        "learning rate",
        "Multiplies every step of the weights.",
        bounds=(1e-5, 1),
        options=(1e-5, 1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 3e-2, 0.1, 1.0),
    )
    race_optimizer: Literal["adam", "sgd", "rmsprop"] = parameter(
        "adam",
        "optimiser",
        str(_TRAINING["optimizer"].description),
        names={"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"},
    )
    race_clip: Literal["none", "norm", "value"] = parameter(
        "norm",
        "clipping",
        str(_TRAINING["clip"].description),
        names={"none": "none", "norm": "by norm", "value": "by value"},
    )
    race_clip_at: float = parameter(
        _FIRST.clip_at,
        "clip at",
        str(_TRAINING["clip_at"].description),
        bounds=(1e-3, 1e3),
        options=(1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1e3),
    )
    racers: str = parameter(
        _FIRST.racers,
        "racers",
        "Up to six architectures, with their own settings in parentheses: lstm(clip=norm;clip_at=1).",
        max_length=800,
    )
    race_shown: Literal["score", "loss"] = parameter(
        "score",
        "curve",
        "Whether the task's score or the loss is drawn.",
        names={"score": "score", "loss": "loss"},
    )
