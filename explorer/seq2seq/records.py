"""At which steps a run is recorded, and how what came after a record is forgotten."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

RECORDS = 30
"""Gaps between two records of a run, at most."""


class Record(Protocol):
    """What every record has, so that a run can go on from it: see ``Descent``."""

    @property
    def step(self) -> int:
        """After how many updates of the weights it was made."""
        ...

    @property
    def state(self) -> dict[str, np.ndarray]:
        """Weights of the network."""
        ...

    @property
    def optimizer(self) -> dict[str, np.ndarray]:
        """State of Adam: number/key → value."""
        ...


OneRecord = TypeVar("OneRecord", bound=Record)


def recorded_steps(steps: int) -> np.ndarray:
    """Steps at which a run of ``steps`` is recorded: 0, …, ``steps``, evenly spaced, [R ≤ 31]."""
    return np.unique(np.append(np.arange(0, steps, -(-steps // RECORDS)), steps))


def cut(records: list[OneRecord], step: int) -> OneRecord:
    """Forget all records after that of ``step``, which is returned.

    Raises ValueError for a step that is not recorded; names those that are.
    """
    known = [record.step for record in records]
    if step not in known:
        raise ValueError(f"step {step} is not recorded; recorded are {', '.join(map(str, known))}")
    del records[known.index(step) + 1 :]
    return records[-1]
