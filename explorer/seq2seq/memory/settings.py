"""MemorySettings: every choice that decides a memory network and what it learns."""

from __future__ import annotations

import json

import numpy as np

from explorer.parameters import Parameters, parameter
from explorer.seq2seq.records import recorded_steps


class MemorySettings(Parameters):
    """An end-to-end memory network, its stories and its training, described completely.

    Raises ``pydantic.ValidationError`` naming the field, the value and what is allowed.
    """

    hops: int = parameter(2, "hops K", "How often the network looks into its memory.", bounds=(1, 3), step=1)
    embedding_size: int = parameter(
        20,
        "embedding size d",
        "How many numbers stand for a sentence.",
        bounds=(2, 64),
        options=(2, 5, 10, 20, 32, 64),
    )
    facts: int = parameter(
        2,
        "facts needed",
        "1: where is a person; 2: where is a thing, so who took it and where that person is.",
        bounds=(1, 2),
        step=1,
    )
    sentences: int = parameter(8, "sentences", "How many sentences a story has.", bounds=(2, 30), step=1)
    learning_rate: float = parameter(
        1e-2,
        "learning rate",
        "Multiplies every step of the weights; it falls evenly to 0 during training.",
        bounds=(1e-4, 0.1),
        options=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1),
    )
    batch_size: int = parameter(
        64,
        "batch size",
        "How many stories a training step reads.",
        bounds=(1, 256),
        options=(16, 32, 64, 128, 256),
    )
    steps: int = parameter(
        1500,
        "training steps",
        "How many batches the network is trained on.",
        bounds=(1, 20000),
        options=(500, 1000, 1500, 2000, 3000, 5000, 10000, 20000),
    )
    seed: int = parameter(0, "seed", "All random numbers follow from it.", bounds=(0, 9999), step=1)

    @property
    def moments(self) -> np.ndarray:
        """Steps k at which the run is recorded, after k updates of the weights: 0, …, ``steps``, [R ≤ 31]."""
        return recorded_steps(self.steps)

    def rng(self, stream: str) -> np.random.Generator:
        """The random numbers of one purpose; different streams are independent of each other."""
        return np.random.default_rng([self.seed, *stream.encode()])

    def canonical(self) -> str:
        """One string per setting, equal if and only if the settings are equal; the key of caches."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
