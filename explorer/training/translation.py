"""Encoder–decoders in training, each in a process of its own."""

from __future__ import annotations

from explorer.seq2seq.learning import Learning
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.training.run import RemoteRun


class TranslationRun(RemoteRun[TranslationRecipe, Learning]):
    """One encoder–decoder in training."""

    @property
    def learning(self) -> Learning:
        """What has been told so far."""
        return self.progress
