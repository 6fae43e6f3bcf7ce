"""What the section Objectives shows: one network and one example under four objectives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.app import cache
from explorer.app.attention.taught import Pupil
from explorer.app.objective_choices import DRAWS
from explorer.app.view import View
from explorer.figures.objective_logits import OBJECTIVES
from explorer.seq2seq.learning import TranslationMoment, trained_translator
from explorer.seq2seq.objective_gradients import (
    RewardGradient,
    Sent,
    answers_sent,
    expected_reward_gradient,
    likelihood_sent,
)
from explorer.seq2seq.objectives import answer_rewards
from explorer.seq2seq.own_answers import answer_count, ended, every_answer, own_tokens
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import EOS, PAD

DRAWN = 1000
"""Answers whose mean stands for the expectation."""
COUNTED = 2000
"""Most answers that are all counted in the place of draws."""
END = "■"
"""How ``<eos>`` is written."""


@dataclass(frozen=True)
class Objective:
    """What one objective sends back for the example; K are the tokens that can be said.

    Attributes:
        read: tokens that the decoder has read before each step; None after the end of an answer, [Td].
        chances: p of the right token after them, [Td].
        at_logits: ∂L/∂z_j by autograd, [Td, K].
        arrived: ‖∂L/∂h_i‖ of all steps together, [Te].
    """

    read: list[str | None]
    chances: np.ndarray
    at_logits: np.ndarray
    arrived: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """‖∂L/∂z_j‖, [Td]."""
        return np.asarray(np.linalg.norm(self.at_logits, axis=1))


@dataclass(frozen=True)
class Objectives:
    """The example under all objectives.

    Attributes:
        tokens: names of what can be said, [K].
        source: what the encoder reads.
        right: places of what should be said among ``tokens``, [Td].
        drawn: places of the network's own answer; -1 after its end, [Td].
        reward: R of that answer.
        baseline: b.
        parts: one of ``OBJECTIVES`` → what it sends back.
        estimate: the gradient of the expected reward, over all draws.
        mean: ``estimate.at_logits`` of what can be said, [Td, K].
        error: its standard error, [Td, K].
    """

    tokens: list[str]
    source: str
    right: np.ndarray
    drawn: np.ndarray
    reward: float
    baseline: float
    parts: dict[str, Objective]
    estimate: RewardGradient
    mean: np.ndarray
    error: np.ndarray

    @property
    def answer(self) -> str:
        """The network's own answer."""
        return "".join(self.tokens[k] for k in self.drawn if k >= 0)

    @property
    def points(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Objectives that know the right token → its p and the gradient of its logit, [Td] each."""
        steps = np.arange(len(self.right))
        return {
            name: (self.parts[name].chances, self.parts[name].at_logits[steps, self.right])
            for name in OBJECTIVES[:3]
        }


def objectives_of(view: View, pupil: Pupil, moment: TranslationMoment) -> Objectives:
    """The example under the chosen objectives, kept."""
    recipe = pupil.learning.recipe
    chosen = {name: value for name, value in view.model_dump().items() if name.startswith("objective_")}
    del chosen["objective_step"]
    key = f"objectives|{recipe.canonical()}|{moment.step}|{sorted(chosen.items())}"
    return cache.remembered(key, lambda: _measured(view, recipe, moment))


def example_of(view: View, recipe: TranslationRecipe) -> tuple[list[int], list[int]]:
    """The symbols of source and target: the seed's, of the chosen length or the nearest that the task has."""
    low, high = recipe.task.bounds
    length = min(max(view.objective_length, low), high)
    return recipe.task.batch(recipe.model.rng("objective example"), 1, (length, length)).pair(0)


def _measured(view: View, recipe: TranslationRecipe, moment: TranslationMoment) -> Objectives:
    translator, kind = trained_translator(recipe, moment), view.objective_reward
    symbols, wanted = example_of(view, recipe)
    source, target = np.array(symbols), np.array(translator.goal(wanted))
    chances = recipe.model.rng("objective draws").random((DRAWN, len(target))).T
    key = f"expected reward|{recipe.canonical()}|{moment.step}|{symbols}|{kind}"
    estimate = cache.remembered(key, lambda: _estimate(translator, source, target, chances, kind))
    place = view.objective_draw - 1
    coins = recipe.model.rng("objective coins").random((DRAWS, len(target)))[place, :, None]
    chance, teacher = chances[:, [place]], target[:, None]
    mixed = own_tokens(translator, source, target, chance, coins < view.objective_share)
    drawn = ended(own_tokens(translator, source, target, chance, np.ones_like(teacher, bool)))
    reward = float(answer_rewards(drawn, teacher, kind)[0])
    baseline = estimate.expected if view.objective_baseline == "mean" else 0.0
    smoothing, first = view.objective_smoothing, translator.first_said

    def part(sent: Sent, read: np.ndarray, paid: float = 1.0) -> Objective:
        return Objective(
            _prefixes(translator, read[:, 0]),
            np.exp(sent.log_probabilities[np.arange(len(target)), 0, target]),
            paid * sent.at_logits[:, 0, first:],
            np.linalg.norm(paid * sent.at_states[:, 0], axis=1),
        )

    pair = translator, source, target
    parts = (
        part(likelihood_sent(*pair, teacher), teacher),
        part(likelihood_sent(*pair, teacher, smoothing), teacher),
        part(likelihood_sent(*pair, mixed), mixed),
        part(answers_sent(translator, source, drawn), drawn, reward - baseline),
    )
    names = [END if number == EOS else name for number, name in enumerate(translator.target.tokens)]
    return Objectives(
        names[first:],
        "".join(translator.source.decode(symbols)),
        target - first,
        np.where(drawn[:, 0] == PAD, -1, drawn[:, 0] - first),
        reward,
        baseline,
        dict(zip(OBJECTIVES, parts, strict=True)),
        estimate,
        estimate.at_logits[:, first:],
        estimate.error[:, first:],
    )


def _estimate(
    translator: Translator, source: np.ndarray, target: np.ndarray, chances: np.ndarray, reward: str
) -> RewardGradient:
    """Over all answers where they are few, else over draws."""
    counted = answer_count(translator, len(target)) <= COUNTED
    if counted:
        answers = every_answer(translator, len(target))
    else:
        answers = ended(own_tokens(translator, source, target, chances, np.ones(chances.shape, bool)))
    return expected_reward_gradient(translator, source, target, answers, reward, counted=counted)


def _prefixes(translator: Translator, tokens: np.ndarray) -> list[str | None]:
    """What stands before each step; None where that is filling."""
    names = [END if number == EOS else translator.target.tokens[number] for number in tokens.tolist()]
    return [None if tokens[j] == PAD else "".join(names[:j]) for j in range(len(names))]
