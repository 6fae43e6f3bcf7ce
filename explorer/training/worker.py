"""A process that trains one network, tells what happens, and takes orders."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

import numpy as np

from explorer.training.recipe import Recipe
from explorer.training.training import CURVES, Moment
from explorer.training.translation import TranslationJob, teach

TELL_EVERY = 0.15  # seconds between two reports
IDLE = 60.0  # seconds that a worker waits for orders when its run is over
_SLICE = 0.05  # seconds of training between two looks for orders
_NICE = 5  # the page goes first


@dataclass(frozen=True)
class Job:
    """What a worker has to train.

    Attributes:
        recipe: the recipe's canonical string.
        known: up to this step nothing is told: it gives an earlier run once more.
        goal: the step at which it rests.
    """

    recipe: str
    known: int
    goal: int


@dataclass(frozen=True)
class Order:
    """What a run is told: ``go`` on to step ``count``, ``rewind`` to it, or ``stop`` for good."""

    name: Literal["go", "rewind", "stop"]
    count: int = 0


@dataclass(frozen=True)
class Report:
    """What has happened since the last report.

    Attributes:
        start: training step from which on ``curves`` and ``moments`` replace what was told before.
        curves: name → numbers of the steps from ``start`` on.
        moments: what was recorded since; what is known of steps after ``start`` is forgotten.
        runs: whether it goes on by itself.
        diverged: as in ``Training``.
        seconds: time spent on training so far.
        process: the worker's number.
    """

    start: int
    curves: dict[str, np.ndarray]
    moments: list[Moment]
    runs: bool
    diverged: str
    seconds: float
    process: int


def work(link: Connection) -> None:
    """Wait for a job and do it, then do as told.

    Ends when it is told to, when nobody listens, or after a minute without orders.
    """
    if hasattr(os, "nice"):
        os.nice(_NICE)
    import torch

    torch.set_num_threads(1)
    try:
        job: Job | TranslationJob = link.recv()
        if isinstance(job, TranslationJob):
            teach(job, link)
        else:
            _Worker(Recipe.model_validate_json(job.recipe), job.goal, link).run(job.known)
    except (EOFError, OSError):
        return  # nobody is interested any more
    except Exception as error:
        link.send(f"{type(error).__name__}: {error}")


class _Worker:
    def __init__(self, recipe: Recipe, goal: int, link: Connection) -> None:
        from explorer.training.trainer import Trainer

        self._trainer, self._link = Trainer(recipe), link
        self._seconds = 0.0
        self._told, self._moments_told = 0, 0
        self._goal = goal

    def run(self, known: int) -> None:
        self._trainer.advance(known)
        self._tell()
        last, count = time.monotonic(), 1
        while True:
            runs = self._runs
            if self._link.poll(0 if runs else IDLE):
                order: Order = self._link.recv()
                if order.name == "stop":
                    return
                self._obey(order)
                self._tell()
                continue
            if not runs:
                return
            began = time.perf_counter()
            self._trainer.advance(min(count, self._goal - self._trainer.training.step))
            took = time.perf_counter() - began
            self._seconds += took
            count = max(1, min(2 * count, int(count * _SLICE / max(took, 1e-6))))
            if not self._runs or time.monotonic() - last > TELL_EVERY:
                self._tell()
                last = time.monotonic()

    @property
    def _runs(self) -> bool:
        training = self._trainer.training
        return not training.finished and training.step < self._goal

    def _obey(self, order: Order) -> None:
        if order.name == "rewind":
            self._trainer.rewind(order.count)
            self._told = order.count
            self._moments_told = len(self._trainer.training.moments)
        self._goal = order.count

    def _tell(self) -> None:
        training = self._trainer.training
        curves = {name: training.curves[name][self._told : training.step].copy() for name in CURVES}
        moments = training.moments[self._moments_told :]
        now = (self._runs, training.diverged, self._seconds, os.getpid())
        self._link.send(Report(self._told, curves, moments, *now))
        self._told, self._moments_told = training.step, len(training.moments)
