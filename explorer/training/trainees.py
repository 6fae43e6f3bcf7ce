"""What can be trained in a process of its own, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from explorer.seq2seq.learning import Learner, Learning
from explorer.seq2seq.memory import MemoryLearner, MemoryLearning, MemorySettings
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer
from explorer.training.training import Training


class Plan(Protocol):
    """All settings of a run; the same plan gives the same numbers everywhere."""

    @property
    def steps(self) -> int:
        """How many training steps there will be."""
        ...


class Progress(Protocol):
    """What is known of a run: curves of one number a step, and moments, which have a ``step``."""

    moments: list[Any]
    diverged: str

    @property
    def step(self) -> int:
        """How many steps are done."""
        ...

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        ...


class Trainee(Protocol):
    """A run that somebody else drives."""

    def advance(self, count: int) -> None:
        """Up to ``count`` further steps; fewer where the run ends or diverges."""

    def rewind(self, recorded_step: int) -> None:
        """Back to a recorded step; what came after is forgotten."""


@dataclass(frozen=True)
class News:
    """What has happened in a run since something was last told of it.

    Attributes:
        start: training step from which on all this replaces what was told before.
        curves: numbers of the steps from ``start`` on, for each curve of the kind.
        moments: what was recorded since.
        diverged: "" or a sentence: at which step the run had to stop, and why.
    """

    start: int
    curves: Sequence[Sequence[float]]
    moments: list[Any]
    diverged: str


OnePlan = TypeVar("OnePlan", bound=Plan)
OneTrainee = TypeVar("OneTrainee", bound=Trainee)
OneProgress = TypeVar("OneProgress", bound=Progress)


@dataclass(frozen=True)
class Kind(Generic[OnePlan, OneTrainee, OneProgress]):
    """One kind of networks in training.

    Attributes:
        begin: plan → the run at step 0.
        progress_of: the run → what is known of it, always the same object.
        unknown: plan → progress of which nothing is known yet.
        curves_of: progress → its curves; the last one counts the steps.
    """

    begin: Callable[[OnePlan], OneTrainee]
    progress_of: Callable[[OneTrainee], OneProgress]
    unknown: Callable[[OnePlan], OneProgress]
    curves_of: Callable[[OneProgress], Sequence[MutableSequence[float]]]

    def news(self, progress: OneProgress, start: int, moments: int) -> News:
        """What came after the step ``start`` and after so many moments."""
        curves = [curve[start:] for curve in self.curves_of(progress)]
        return News(start, curves, progress.moments[moments:], progress.diverged)

    def take(self, progress: OneProgress, news: News) -> None:
        """Add news; what was told before a rewind and does not fit any more is left out."""
        if news.start > progress.step:
            return
        kept = [moment for moment in progress.moments if moment.step <= news.start]
        known = {moment.step for moment in kept}
        progress.moments = kept + [moment for moment in news.moments if moment.step not in known]
        progress.diverged = news.diverged
        for curve, values in zip(self.curves_of(progress), news.curves, strict=True):
            curve[news.start :] = values  # in one go: the page reads it meanwhile

    def forget(self, progress: OneProgress, step: int) -> None:
        """Leave nothing of what came after a step."""
        for curve in reversed(self.curves_of(progress)):
            del curve[step:]
        progress.moments = [moment for moment in progress.moments if moment.step <= step]
        progress.diverged = ""


KINDS: dict[type, Kind[Any, Any, Any]] = {
    Recipe: Kind(Trainer, lambda run: run.training, Training, lambda one: list(one.curves.values())),
    TranslationRecipe: Kind(
        Learner, lambda run: run.learning, Learning, lambda one: [one.rewards, one.losses]
    ),
    MemorySettings: Kind(MemoryLearner, lambda run: run.learning, MemoryLearning, lambda one: [one.losses]),
}
"""Class of the plan → kind of network."""
