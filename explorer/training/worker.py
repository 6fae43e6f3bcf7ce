"""A process that trains one network, tells what happens, and takes orders."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

import torch

from explorer.training.trainees import KINDS, News, Plan

TELL_EVERY = 0.15  # seconds between two reports
IDLE = 60.0  # seconds that a worker waits for orders when its run is over
_SLICE = 0.05  # seconds of training between two looks for orders
_NICE = 5  # the page goes first


@dataclass(frozen=True)
class Job:
    """What a worker has to train.

    Attributes:
        plan: all settings; its class says what is trained, see ``KINDS``.
        known: up to this step nothing is told: it gives an earlier run once more.
        goal: the step at which it rests.
    """

    plan: Plan
    known: int
    goal: int


@dataclass(frozen=True)
class Order:
    """What a run is told: ``go`` on to step ``count``, ``rewind`` to it, or ``stop`` for good."""

    name: Literal["go", "rewind", "stop"]
    count: int = 0


@dataclass(frozen=True)
class Report:
    """How a run stands.

    Attributes:
        news: what has happened since the last report.
        runs: whether it goes on by itself.
        seconds: time that the steps so far have taken.
        process: the worker's number.
    """

    news: News
    runs: bool
    seconds: float
    process: int


def work(link: Connection) -> None:
    """Wait for a job and do it, then do as told.

    Ends when it is told to, when nobody listens, or after a minute without orders.
    """
    if hasattr(os, "nice"):
        os.nice(_NICE)
    torch.set_num_threads(1)
    try:
        _Worker(link.recv(), link).run()
    except (EOFError, OSError):
        return  # nobody is interested any more
    except Exception as error:
        link.send(f"{type(error).__name__}: {error}")


class _Worker:
    def __init__(self, job: Job, link: Connection) -> None:
        self._kind, self._link = KINDS[type(job.plan)], link
        self._trainee = self._kind.begin(job.plan)
        self._progress = self._kind.progress_of(self._trainee)
        self._seconds, self._goal = 0.0, job.goal
        self._told, self._moments_told = 0, 0
        self._advance(job.known)

    def run(self) -> None:
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
            took = self._advance(min(count, self._goal - self._progress.step))
            count = max(1, min(2 * count, int(count * _SLICE / max(took, 1e-6))))
            if not self._runs or time.monotonic() - last > TELL_EVERY:
                self._tell()
                last = time.monotonic()

    @property
    def _runs(self) -> bool:
        return not self._progress.finished and self._progress.step < self._goal

    def _advance(self, count: int) -> float:
        """Train; returns how many seconds that took."""
        began = time.perf_counter()
        self._trainee.advance(count)
        took = time.perf_counter() - began
        self._seconds += took
        return took

    def _obey(self, order: Order) -> None:
        progress = self._progress
        if order.name == "rewind":
            self._seconds *= order.count / max(1, progress.step)
            self._trainee.rewind(order.count)
            self._told, self._moments_told = order.count, len(progress.moments)
        self._goal = order.count

    def _tell(self) -> None:
        news = self._kind.news(self._progress, self._told, self._moments_told)
        self._link.send(Report(news, self._runs, self._seconds, os.getpid()))
        self._told, self._moments_told = self._progress.step, len(self._progress.moments)
