"""Learner: trains a translator step by step, and records its attention and its gradients on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from explorer.seq2seq.answers import answers
from explorer.seq2seq.descent import Descent
from explorer.seq2seq.gradients import gradient_map
from explorer.seq2seq.noise import Noise
from explorer.seq2seq.objectives import Baseline, Losses, expected_reward, likelihood
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.seq2seq.records import cut
from explorer.seq2seq.tasks import Pairs, exact_match
from explorer.seq2seq.trace import run_translator
from explorer.seq2seq.translator import Translator

_TESTED = 64  # pairs of each bucket


@dataclass(frozen=True)
class TranslationMoment:
    """What was recorded at one training step.

    Attributes:
        step: k, after k updates of the weights.
        exact: share of fixed test pairs that are answered exactly, for each bucket of lengths, [buckets].
        example: token numbers that the decoder had to say in the fixed example, [Td].
        answer: token numbers that it says by itself, [T].
        weights: α of the fixed example with teacher forcing, [Td, Te]; None without attention.
        decades: its gradient map log10 ‖∂L_j/∂h_i‖, [Td, Te].
        state: weights of the network.
        optimizer: "number/key" → state of Adam.
        baseline: moving average for REINFORCE.
    """

    step: int
    exact: np.ndarray
    example: np.ndarray
    answer: np.ndarray
    weights: np.ndarray | None
    decades: np.ndarray
    state: dict[str, np.ndarray]
    optimizer: dict[str, np.ndarray]
    baseline: float


@dataclass
class Learning:
    """One run so far.

    Attributes:
        recipe: all settings.
        losses: of each step, before its update: mean −ln p of a target token in nats; NaN while the expected
            reward is maximised, [step].
        rewards: mean reward of each step; NaN while the likelihood is maximised, [step].
        moments: what was recorded, in order.
        diverged: "" or a sentence: at which step the run had to stop, and why.
    """

    recipe: TranslationRecipe
    losses: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    moments: list[TranslationMoment] = field(default_factory=list)
    diverged: str = ""

    @property
    def step(self) -> int:
        """How many steps are done."""
        return len(self.losses)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.step >= self.recipe.steps or bool(self.diverged)


class Learner:
    """A training run that somebody else drives.

    Batch k, its dropout, drawn positions and drawn tokens come from streams named after k, and nothing else
    is drawn: a run that is resumed or rewound goes on exactly as if it had not been.

    Attributes:
        learning: the run so far.
        translator: the network with its present weights, in float32.
        example: the fixed example, source and target without special tokens.
    """

    def __init__(self, recipe: TranslationRecipe) -> None:
        self.learning = Learning(recipe)
        task = recipe.task
        self.translator = Translator(recipe.model, task.source, task.target, torch.float32)
        self._descent = Descent(self.translator, recipe.learning_rate, recipe.steps)
        self._baseline, self._planned = Baseline(), frozenset(recipe.moments.tolist())
        test = recipe.model.rng("test")
        self._tests = [task.spread(test, _TESTED, bucket) for bucket in task.buckets]
        low, high = task.buckets[-2]
        self.example = task.batch(recipe.model.rng("example"), 1, ((low + high) // 2, high)).pair(0)
        self._record()

    @classmethod
    def resumed(cls, learning: Learning) -> Learner:
        """A learner that goes on from the last recorded moment; what came after it is done again."""
        learner = cls(learning.recipe)
        kept = Learning(
            learning.recipe, list(learning.losses), list(learning.rewards), list(learning.moments)
        )
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
        moment = cut(learning.moments, recorded_step)
        self._descent.restore(moment)
        self._baseline.value = moment.baseline
        del learning.losses[recorded_step:], learning.rewards[recorded_step:]
        learning.diverged = ""

    def test(self, pairs: Pairs) -> float:
        """Share of pairs that are answered exactly."""
        target = self._wanted(pairs).target
        found = answers(self.translator, pairs.source, pairs.lengths, len(target))
        return float(exact_match(found, target).mean())

    def _wanted(self, pairs: Pairs) -> Pairs:
        """Targets as the network has to say them: without ``<eos>`` answers are cut at the wanted length."""
        return pairs if self.translator.settings.eos else pairs.without_eos()

    def _step(self) -> None:
        learning, recipe = self.learning, self.learning.recipe
        step = learning.step
        pairs = self._wanted(recipe.task.batch(recipe.model.rng(f"batch/{step}"), recipe.batch_size))
        noise = Noise(recipe.model.rng(f"noise/{step}"), recipe.model.dropout)
        losses = self._losses(pairs, noise, step)
        learning.diverged = self._descent.step(losses.minimised, step)
        if learning.diverged:
            return
        learning.losses.append(losses.loss)
        learning.rewards.append(losses.reward)
        if learning.step in self._planned:
            self._record()

    def _losses(self, pairs: Pairs, noise: Noise, step: int) -> Losses:
        recipe = self.learning.recipe
        if recipe.objective == "reward" and 2 * step >= recipe.steps:
            if 2 * (step - 1) < recipe.steps:
                self._baseline.value = 0.0  # until now it was a mean loss
            return expected_reward(self.translator, pairs, noise, self._baseline, recipe.reward)
        smoothing = recipe.smoothing if recipe.objective == "smoothing" else 0.0
        sampling = recipe.sampling * step / recipe.steps if recipe.objective == "scheduled" else 0.0
        return likelihood(
            self.translator, pairs, noise, self._baseline, smoothing=smoothing, sampling=sampling
        )

    def _record(self) -> None:
        """Keep what the present weights do, and the weights."""
        source, target = self.example
        settings = self.learning.recipe.model
        trace = run_translator(settings, source, target, translator=self.translator, as_training=False)
        column, count = np.array(source)[:, None], np.array([len(source)])
        longest = 2 * len(target) + 2 if settings.eos else len(target)
        moment = TranslationMoment(
            self.learning.step,
            np.array([self.test(pairs) for pairs in self._tests]),
            trace.target,
            answers(self.translator, column, count, longest)[:, 0],
            trace.weights,
            gradient_map(trace),
            self._descent.weights(),
            self._descent.state(),
            self._baseline.value,
        )
        self.learning.moments.append(moment)


def trained_translator(recipe: TranslationRecipe, moment: TranslationMoment) -> Translator:
    """The network as it was at a recorded step, in float64."""
    translator = Translator(recipe.model, recipe.task.source, recipe.task.target)
    translator.load_state_dict({name: torch.from_numpy(value) for name, value in moment.state.items()})
    return translator
