"""TranslationRecipe: every choice that decides how a translator is trained, and nothing else."""

from __future__ import annotations

import json
from typing import Literal

import numpy as np

from explorer.parameters import Parameters, parameter
from explorer.seq2seq.records import recorded_steps
from explorer.seq2seq.settings import Seq2Seq
from explorer.seq2seq.tasks import TRANSLATION_TASKS, AnyTranslationTask, Reverse


class TranslationRecipe(Parameters):
    """One training run, described completely: the same recipe gives the same run everywhere.

    Adam, its learning rate falling in a straight line to 0, with the gradient's norm clipped at 1. Raises
    ``pydantic.ValidationError`` (a ValueError) naming the field, the value and what is allowed.
    """

    model: Seq2Seq = parameter(
        Seq2Seq(cell="gru", bidirectional=True, start="backward"),
        "network",
        "The encoder–decoder before training.",
    )
    task: AnyTranslationTask = parameter(
        Reverse(),
        "task",
        "What the network has to learn.",
        names={kind: label for kind, (label, _) in TRANSLATION_TASKS.items()},
    )
    objective: Literal["likelihood", "smoothing", "scheduled", "reward"] = parameter(
        "likelihood",
        "objective",
        "What is minimised; the expected reward takes the place of the likelihood in the second half.",
        names={
            "likelihood": "likelihood, teacher forcing",
            "smoothing": "label smoothing",
            "scheduled": "scheduled sampling",
            "reward": "expected reward (REINFORCE)",
        },
    )
    smoothing: float = parameter(
        0.1,
        "label smoothing ε",
        "Share of each target's probability that is spread evenly over all tokens.",
        bounds=(0, 0.5),
        step=0.05,
    )
    sampling: float = parameter(
        0.5,
        "sampling at the end",
        "Probability with which the decoder reads its own token at the end of training; it grows from 0.",
        bounds=(0, 1),
        step=0.05,
    )
    reward: Literal["bleu", "exact"] = parameter(
        "bleu",
        "reward",
        "What a drawn answer is paid: its sentence BLEU between 0 and 1, or 1 if it is right.",
        names={"bleu": "sentence BLEU", "exact": "exact match"},
    )
    learning_rate: float = parameter(
        3e-3,
        "learning rate",
        "Multiplies every step of the weights; it falls evenly to 0 during training.",
        bounds=(1e-5, 0.1),
        options=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 3e-2, 0.1),
    )
    batch_size: int = parameter(
        64,
        "batch size",
        "How many pairs a training step reads.",
        bounds=(1, 256),
        options=(8, 16, 32, 64, 128, 256),
    )
    steps: int = parameter(
        1500,
        "training steps",
        "How many batches the network is trained on.",
        bounds=(1, 20000),
        options=(100, 200, 300, 500, 1000, 1500, 2000, 3000, 5000, 10000, 20000),
    )

    @property
    def moments(self) -> np.ndarray:
        """Steps k at which the run is recorded, after k updates of the weights: 0, …, ``steps``, [R ≤ 31]."""
        return recorded_steps(self.steps)

    def canonical(self) -> str:
        """One string per recipe, equal if and only if the recipes are equal; the key of caches."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
