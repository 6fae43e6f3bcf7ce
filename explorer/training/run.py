"""One network in training, as seen from outside of the process that trains it."""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection
from typing import Any, Generic, Literal

from explorer.training.nursery import Nursery
from explorer.training.recipe import Recipe
from explorer.training.trainees import KINDS, Kind, OnePlan, OneProgress
from explorer.training.training import Training
from explorer.training.worker import Job, Order, Report

State = Literal["waiting", "starting", "running", "paused", "finished", "diverged", "failed", "stopped"]


class RemoteRun(Generic[OnePlan, OneProgress]):
    """One network of any of the ``KINDS``, in training in a process of its own.

    Attributes:
        recipe: all settings.
        progress: what has been told so far.
        seconds: time that the steps so far have taken.
        process: number of the worker, 0 before it said something.
        failed: "" or a sentence: why it ended before its time.
    """

    def __init__(self, recipe: OnePlan, goal: int | None = None) -> None:
        self._kind: Kind[OnePlan, Any, OneProgress] = KINDS[type(recipe)]
        self.recipe, self.progress = recipe, self._kind.unknown(recipe)
        self.seconds, self.process = 0.0, 0
        self.failed = ""
        self._runs, self._stopped, self._wanted = True, False, True
        self._goal = recipe.steps if goal is None else goal
        self._link: Connection | None = None
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        """What it is doing."""
        if self.failed:
            return "failed"
        if self.progress.diverged:
            return "diverged"
        if self.progress.finished:
            return "finished"
        if self._stopped:
            return "stopped"
        if self._link is None and self._wanted:
            return "waiting"
        if not self.progress.moments:
            return "starting"
        return "running" if self._runs else "paused"

    @property
    def busy(self) -> bool:
        """Whether something may still change without an order."""
        return self.state in ("waiting", "starting", "running")

    @property
    def is_over(self) -> bool:
        """Whether no order can make it go on."""
        return self.state in ("finished", "diverged", "failed", "stopped")

    @property
    def takes_orders(self) -> bool:
        """Whether orders reach it, also one to go back where it is finished or has diverged."""
        return not (self.failed or self._stopped)

    @property
    def recorded(self) -> list[int]:
        """Recorded steps: those to which it can be rewound."""
        return [moment.step for moment in self.progress.moments]

    @property
    def seconds_left(self) -> float:
        """Estimated time until the last step, at the speed so far; 0 where nothing goes on by itself."""
        done = self.progress.step
        return self.seconds / done * (self._goal - done) if done and self.busy else 0.0

    @property
    def has_process(self) -> bool:
        """Whether it takes one of the places."""
        return self._link is not None

    @property
    def wants_process(self) -> bool:
        """Whether it waits in line."""
        return self._wanted and not self.has_process

    def go(self, count: int | None = None) -> None:
        """Train ``count`` further steps, or to the end."""
        last = self.recipe.steps if count is None else self.progress.step + count
        self._tell(Order("go", min(last, self.recipe.steps)))

    def pause(self) -> None:
        """Stop after the present step; ``go`` goes on."""
        self._tell(Order("go", 0))

    def rewind(self, step: int) -> None:
        """Back to the last recorded step that is not after ``step``; what came later is forgotten."""
        recorded = [known for known in self.recorded if known <= step]
        if recorded and self.takes_orders:
            with self._lock:
                self._kind.forget(self.progress, recorded[-1])
            self._tell(Order("rewind", recorded[-1]))

    def _tell(self, order: Order) -> None:
        """Give an order; a run whose process has gone is begun once more."""
        if not self.takes_orders:
            return
        self._goal = order.count
        on = order.count > self.progress.step
        self._runs = self._runs or on  # before the worker says so itself
        if not self._sent(order):
            self._runs = self._wanted = on

    def _sent(self, order: Order) -> bool:
        """Whether there is a worker that gets the order."""
        link = self._link
        try:
            if link is not None:
                link.send(order)
                return True
        except OSError:
            pass  # it ended just now
        return False

    def start(self, nursery: Nursery) -> None:
        """Begin, or do again what is known and go on: the same seed gives the same numbers."""
        self._wanted = False
        try:
            link = nursery.connect()
            link.send(Job(self.recipe, self.progress.step, self._goal))
        except (OSError, EOFError) as error:
            self.failed = f"No process could be started for it: {error}."
            return
        self._link = link
        threading.Thread(target=self._listen, args=(link,), name="training", daemon=True).start()

    def stop(self) -> None:
        """End for good; what is known stays."""
        self._stopped, self._wanted = True, False
        self._sent(Order("stop"))

    def _listen(self, link: Connection) -> None:
        try:
            while True:
                self._take(link.recv())
        except (EOFError, OSError):
            link.close()
            self._link = None
        if self.state in ("starting", "running"):
            self.failed = f"Its process ended unexpectedly at step {self.progress.step}; the others go on."

    def _take(self, report: Report | str) -> None:
        if isinstance(report, str):
            self.failed = report
            return
        with self._lock:
            self._kind.take(self.progress, report.news)
            self.seconds, self._runs, self.process = report.seconds, report.runs, report.process


class Run(RemoteRun[Recipe, Training]):
    """One recurrent network in training."""

    @property
    def training(self) -> Training:
        """What has been told so far."""
        return self.progress
