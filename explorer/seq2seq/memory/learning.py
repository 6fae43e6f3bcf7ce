"""MemoryLearner: trains a memory network step by step."""

from __future__ import annotations

import torch

from explorer.seq2seq.memory.network import MemoryNetwork
from explorer.seq2seq.memory.settings import MemorySettings
from explorer.seq2seq.memory.stories import Stories, draw_stories

_CLIP = 1.0
_TESTED = 500
_SIMPLE = 0.5  # of the questions in training take one fact: without them two hops seldom find each other


class MemoryLearner:
    """A training run that somebody else drives: Adam, its learning rate falling in a straight line to 0.

    With two facts half of the questions in training ask for a person, as the paper trains on all bAbI tasks
    at once. Batch k comes from a stream named after it, and nothing else is drawn.

    Attributes:
        settings: all choices.
        network: with its present weights, in float32.
        losses: mean −ln p of the answers of each step, before its update, in nats.
    """

    def __init__(self, settings: MemorySettings) -> None:
        self.settings, self.network = settings, MemoryNetwork(settings, torch.float32)
        self.losses: list[float] = []
        self._optimizer = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate, fused=True)
        self._test = self._draw("test", _TESTED, 0.0)

    def advance(self, count: int) -> None:
        """Up to ``count`` further steps; fewer where the run ends."""
        settings = self.settings
        for _ in range(min(count, settings.steps - len(self.losses))):
            step = len(self.losses)
            stories = self._draw(f"batch/{step}", settings.batch_size, _SIMPLE)
            loss = torch.nn.functional.cross_entropy(self._logits(stories), torch.from_numpy(stories.answer))
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
            for group in self._optimizer.param_groups:
                group["lr"] = settings.learning_rate * (1 - step / settings.steps)
            self._optimizer.step()
            self.losses.append(loss.item())

    def accuracy(self) -> float:
        """Share of 500 fixed questions, all of which take all facts, that are answered rightly."""
        with torch.no_grad():
            found = self._logits(self._test).argmax(dim=1).numpy()
        return float((found == self._test.answer).mean())

    def _draw(self, stream: str, size: int, simple: float) -> Stories:
        settings = self.settings
        return draw_stories(settings.rng(stream), size, settings.sentences, settings.facts, simple)

    def _logits(self, stories: Stories) -> torch.Tensor:
        memories = self.network.memories(torch.from_numpy(stories.sentences))
        logits: torch.Tensor = self.network(memories, torch.from_numpy(stories.question))[0]
        return logits
