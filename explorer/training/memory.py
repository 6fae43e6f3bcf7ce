"""Memory networks in training, each in a process of its own."""

from __future__ import annotations

from explorer.seq2seq.memory import MemoryLearning, MemorySettings
from explorer.training.run import RemoteRun


class MemoryRun(RemoteRun[MemorySettings, MemoryLearning]):
    """One memory network in training."""

    @property
    def learning(self) -> MemoryLearning:
        """What has been told so far."""
        return self.progress
