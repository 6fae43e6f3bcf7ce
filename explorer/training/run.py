"""One network of a race, as seen from outside of the process that trains it."""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection
from typing import Literal

from explorer.training.nursery import Nursery
from explorer.training.recipe import Recipe
from explorer.training.training import Training
from explorer.training.worker import Job, Order, Report

State = Literal["waiting", "starting", "running", "paused", "finished", "diverged", "failed", "stopped"]


class Run:
    """One network in training, as seen from outside of its process.

    Attributes:
        recipe: all settings.
        training: what has been told so far.
        seconds: time spent on training so far.
        process: number of the worker, 0 before it said something.
        failed: "" or a sentence: why it ended before its time.
    """

    def __init__(self, recipe: Recipe, goal: int | None = None) -> None:
        self.recipe = recipe
        self.training = Training(recipe)
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
        if self.training.diverged:
            return "diverged"
        if self.training.finished:
            return "finished"
        if self._stopped:
            return "stopped"
        if self._link is None and self._wanted:
            return "waiting"
        if not self.training.moments:
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
    def seconds_left(self) -> float:
        """Estimated time until the last step, at the speed so far; 0 where nothing goes on by itself."""
        done = self.training.step
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
        last = self.recipe.steps if count is None else self.training.step + count
        self._tell(Order("go", min(last, self.recipe.steps)))

    def pause(self) -> None:
        """Stop after the present step; ``go`` goes on."""
        self._tell(Order("go", 0))

    def rewind(self, step: int) -> None:
        """Back to the last recorded step that is not after ``step``; what came later is forgotten."""
        recorded = [known for known in self.training.recorded.tolist() if known <= step]
        if recorded:
            with self._lock:
                self.training.cut(recorded[-1])
            self._tell(Order("rewind", recorded[-1]))

    def _tell(self, order: Order) -> None:
        """Give an order; a run whose process has gone is begun once more."""
        if self.failed or self._stopped:
            return
        self._goal = order.count
        on = order.count > self.training.step
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
            link.send(Job(self.recipe.canonical(), self.training.step, self._goal))
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
            self.failed = f"Its process ended unexpectedly at step {self.training.step}; the others go on."

    def _take(self, report: Report | str) -> None:
        if isinstance(report, str):
            self.failed = report
            return
        training = self.training
        with self._lock:
            kept = [moment for moment in training.moments if moment.step <= report.start]
            known = {moment.step for moment in kept}
            for name, values in report.curves.items():
                training.curves[name][report.start : report.start + len(values)] = values
                training.step = report.start + len(values)
            training.moments = [*kept, *(one for one in report.moments if one.step not in known)]
            training.diverged = report.diverged
            self.seconds, self._runs, self.process = report.seconds, report.runs, report.process
