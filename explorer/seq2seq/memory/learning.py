"""MemoryLearner: trains a memory network step by step, and records it on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from explorer.seq2seq.descent import Descent
from explorer.seq2seq.memory.network import MemoryNetwork
from explorer.seq2seq.memory.settings import MemorySettings
from explorer.seq2seq.memory.stories import Stories, draw_stories
from explorer.seq2seq.records import cut

_TESTED = 500
_SIMPLE = 0.5  # of the questions in training take one fact: without them two hops seldom find each other


@dataclass(frozen=True)
class MemoryMoment:
    """What was recorded at one training step.

    Attributes:
        step: k, after k updates of the weights.
        accuracy: share of ``fixed_questions``, all of which take all facts, that are answered rightly.
        state: weights of the network.
        optimizer: "number/key" → state of Adam.
    """

    step: int
    accuracy: float
    state: dict[str, np.ndarray]
    optimizer: dict[str, np.ndarray]


@dataclass
class MemoryLearning:
    """One run so far.

    Attributes:
        settings: all choices.
        losses: mean −ln p of the answers of each step, before its update, in nats, [step].
        moments: what was recorded, in order.
        diverged: "" or a sentence: at which step the run had to stop, and why.
    """

    settings: MemorySettings
    losses: list[float] = field(default_factory=list)
    moments: list[MemoryMoment] = field(default_factory=list)
    diverged: str = ""

    @property
    def step(self) -> int:
        """How many steps are done."""
        return len(self.losses)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.step >= self.settings.steps or bool(self.diverged)


class MemoryLearner:
    """A training run that somebody else drives; its steps are those of ``Descent``.

    With two facts half of the questions in training ask for a person, as the paper trains on all bAbI tasks
    at once. Batch k comes from a stream named after it, and nothing else is drawn: a run that is resumed or
    rewound goes on exactly as if it had not been.

    Attributes:
        learning: the run so far.
        network: with its present weights, in float32.
    """

    def __init__(self, settings: MemorySettings) -> None:
        self.learning = MemoryLearning(settings)
        self.network = MemoryNetwork(settings, torch.float32)
        self._descent = Descent(self.network, settings.learning_rate, settings.steps)
        self._test, self._planned = fixed_questions(settings), frozenset(settings.moments.tolist())
        self._record()

    @classmethod
    def resumed(cls, learning: MemoryLearning) -> MemoryLearner:
        """A learner that goes on from the last recorded moment; what came after it is done again."""
        learner = cls(learning.settings)
        kept = MemoryLearning(learning.settings, list(learning.losses), list(learning.moments))
        learner.learning = kept
        learner.rewind(kept.moments[-1].step)
        return learner

    def advance(self, count: int) -> None:
        """Up to ``count`` further steps; fewer where the run ends or diverges."""
        for _ in range(count):
            if self.learning.finished:
                return
            self._step()

    def rewind(self, recorded_step: int) -> None:
        """Back to a recorded step; what came after is forgotten, and advancing gives it once more.

        Raises ValueError for a step that is not recorded; names those that are.
        """
        learning = self.learning
        self._descent.restore(cut(learning.moments, recorded_step))
        del learning.losses[recorded_step:]
        learning.diverged = ""

    def _step(self) -> None:
        learning, settings = self.learning, self.learning.settings
        stories = _draw(settings, f"batch/{learning.step}", settings.batch_size, _SIMPLE)
        loss = torch.nn.functional.cross_entropy(self._logits(stories), torch.from_numpy(stories.answer))
        learning.diverged = self._descent.step(loss, learning.step)
        if learning.diverged:
            return
        learning.losses.append(loss.item())
        if learning.step in self._planned:
            self._record()

    def _record(self) -> None:
        """Keep how many questions the present weights answer, and the weights."""
        with torch.no_grad():
            found = self._logits(self._test).argmax(dim=1).numpy()
        right = float((found == self._test.answer).mean())
        weights, adam = self._descent.weights(), self._descent.state()
        self.learning.moments.append(MemoryMoment(self.learning.step, right, weights, adam))

    def _logits(self, stories: Stories) -> torch.Tensor:
        memories = self.network.memories(torch.from_numpy(stories.sentences))
        logits: torch.Tensor = self.network(memories, torch.from_numpy(stories.question))[0]
        return logits


def fixed_questions(settings: MemorySettings) -> Stories:
    """The 500 stories on which ``accuracy`` is measured; the same for every number of hops."""
    return _draw(settings, "test", _TESTED, 0.0)


def _draw(settings: MemorySettings, stream: str, size: int, simple: float) -> Stories:
    return draw_stories(settings.rng(stream), size, settings.sentences, settings.facts, simple)


def trained_memory(settings: MemorySettings, moment: MemoryMoment) -> MemoryNetwork:
    """The network as it was at a recorded step, in float64."""
    network = MemoryNetwork(settings)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in moment.state.items()})
    return network
