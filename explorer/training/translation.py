"""Training of encoder–decoders in processes of their own."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from explorer.seq2seq.learning import Learner, Learning, TranslationMoment
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.training.nursery import Nursery

TELL_EVERY = 0.3  # seconds between two reports
_SLICE = 0.1  # seconds of training between two looks whether to stop


@dataclass(frozen=True)
class TranslationJob:
    """The recipe's canonical string."""

    recipe: str


@dataclass(frozen=True)
class TranslationReport:
    """What has happened since the last report; see ``Learning``.

    Attributes:
        losses, rewards: of the new steps.
        moments: what was recorded in them.
        diverged: as in ``Learning``.
        seconds: time spent on training so far.
        process: the worker's number.
    """

    losses: list[float]
    rewards: list[float]
    moments: list[TranslationMoment]
    diverged: str
    seconds: float
    process: int


def teach(job: TranslationJob, link: Connection) -> None:
    """Train until the end, or until anything is said."""
    learner = Learner(TranslationRecipe.model_validate_json(job.recipe))
    learning, seconds, count = learner.learning, 0.0, 1
    told, told_moments, last = 0, 0, 0.0
    while True:
        if learning.finished or time.monotonic() - last > TELL_EVERY:
            new = (learning.losses[told:], learning.rewards[told:], learning.moments[told_moments:])
            link.send(TranslationReport(*new, learning.diverged, seconds, os.getpid()))
            told, told_moments, last = learning.step, len(learning.moments), time.monotonic()
        if learning.finished or link.poll():
            return
        began = time.perf_counter()
        learner.advance(count)
        took = time.perf_counter() - began
        seconds += took
        count = max(1, min(2 * count, int(count * _SLICE / max(took, 1e-6))))


class TranslationRun:
    """One encoder–decoder in training, as seen from outside of its process.

    Attributes:
        recipe: all settings.
        learning: what has been told so far.
        seconds: time spent on training so far.
        process: number of the worker, 0 before it said something.
        failed: "" or a sentence: why it ended before its time.
    """

    def __init__(self, recipe: TranslationRecipe) -> None:
        self.recipe, self.learning = recipe, Learning(recipe)
        self.seconds, self.process, self.failed = 0.0, 0, ""
        self._link: Connection | None = None
        self._begun = self._stopped = False

    @property
    def busy(self) -> bool:
        """Whether something may still change."""
        return not (self.learning.finished or self.failed or self._stopped)

    @property
    def has_process(self) -> bool:
        """Whether it takes one of the places."""
        return self._link is not None

    @property
    def wants_process(self) -> bool:
        """Whether it waits in line."""
        return not (self._begun or self._stopped)

    def start(self, nursery: Nursery) -> None:
        """Begin."""
        self._begun = True
        try:
            link = nursery.connect()
            link.send(TranslationJob(self.recipe.canonical()))
        except (OSError, EOFError) as error:
            self.failed = f"No process could be started for it: {error}."
            return
        self._link = link
        threading.Thread(target=self._listen, args=(link,), name="translation", daemon=True).start()

    def stop(self) -> None:
        """End for good; what is known stays."""
        self._stopped = True
        link = self._link
        try:
            if link is not None:
                link.send("stop")
        except OSError:
            pass  # it ended just now

    def _listen(self, link: Connection) -> None:
        try:
            while True:
                self._take(link.recv())
        except (EOFError, OSError):
            link.close()
            self._link = None
        if self.busy:
            self.failed = f"Its process ended unexpectedly at step {self.learning.step}; the others go on."

    def _take(self, report: TranslationReport | str) -> None:
        if isinstance(report, str):
            self.failed = report
            return
        self.learning.moments.extend(report.moments)
        self.learning.rewards.extend(report.rewards)
        self.learning.losses.extend(report.losses)  # last: it is what counts the steps
        self.learning.diverged = report.diverged
        self.seconds, self.process = report.seconds, report.process
