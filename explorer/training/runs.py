"""Training runs in processes of their own: many at once within a limit, none in another one's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Literal

from explorer.training.nursery import Nursery
from explorer.training.recipe import Recipe
from explorer.training.training import Training
from explorer.training.worker import Job, Order, Report

MOST = 18  # processes at once, of all who train on this computer; further ones wait in line
PATIENCE = 15.0  # seconds that somebody may be away, as when a connection breaks
_LOOK_EVERY = 2.0  # seconds between two looks whether those who train are still there

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

    def _take(self, report: Report) -> None:
        training = self.training
        with self._lock:
            kept = [moment for moment in training.moments if moment.step <= report.start]
            known = {moment.step for moment in kept}
            for name, values in report.curves.items():
                training.curves[name][report.start : report.start + len(values)] = values
                training.step = report.start + len(values)
            training.moments = [*kept, *(one for one in report.moments if one.step not in known)]
            training.diverged, self.failed = report.diverged, report.failed
            self.seconds, self._runs, self.process = report.seconds, report.runs, report.process


class Race:
    """Runs that were started together by one owner."""

    def __init__(self, owner: str, recipes: Sequence[Recipe], goal: int | None = None) -> None:
        self.owner = owner
        self.runs = [Run(recipe, goal) for recipe in recipes]

    @property
    def busy(self) -> bool:
        """Whether something may still change without an order."""
        return any(run.busy for run in self.runs)

    def stop(self) -> None:
        """End all of them for good."""
        for run in self.runs:
            run.stop()


class Runs:
    """All races on this computer: one for each owner, and no more than ``most`` processes.

    ``is_there`` says whether an owner is still interested; races whose owner is away for ``patience`` seconds
    are ended.
    """

    def __init__(self, is_there: Callable[[str], bool], most: int = MOST, patience: float = PATIENCE) -> None:
        self._nursery = Nursery()
        self._nursery.warm_up()
        self._is_there, self._most, self._patience = is_there, most, patience
        self._seen: dict[str, float] = {}  # when each owner was there last
        self._races: dict[str, Race] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        threading.Thread(target=self._tend, name="races", daemon=True).start()

    def start(self, owner: str, recipes: Sequence[Recipe], goal: int | None = None) -> Race:
        """A new race, up to step ``goal`` or to the end; the one that this owner had is ended."""
        race = Race(owner, recipes, goal)
        with self._lock:
            old = self._races.pop(owner, None)
            self._races[owner] = race
        if old is not None:
            old.stop()
        self.fill()
        return race

    def of(self, owner: str) -> Race | None:
        """The race of an owner, if there is one."""
        return self._races.get(owner)

    def ahead_of(self, owner: str) -> int:
        """How many runs of others wait for a place before this owner's."""
        count = 0
        for race in list(self._races.values()):
            if race.owner == owner:
                return count
            count += sum(run.wants_process for run in race.runs)
        return count

    def fill(self) -> None:
        """Give free places to those who wait, in the order in which they came."""
        with self._lock:
            every = [run for race in self._races.values() for run in race.runs]
            free = self._most - sum(run.has_process for run in every)
            for run in [run for run in every if run.wants_process][: max(0, free)]:
                run.start(self._nursery)

    def close(self) -> None:
        """End everything."""
        with self._lock:
            races, self._races = list(self._races.values()), {}
        for race in races:
            race.stop()
        self._changed.set()
        self._nursery.close()

    def _tend(self) -> None:
        """End the races of those who went, and let others in; until ``close``."""
        while not self._changed.wait(_LOOK_EVERY):
            now = time.monotonic()
            owners = list(self._races)
            self._seen = {one: now if self._is_there(one) else self._seen.get(one, now) for one in owners}
            for owner in [owner for owner, seen in self._seen.items() if now - seen > self._patience]:
                with self._lock:
                    race = self._races.pop(owner, None)
                if race is not None:
                    race.stop()
            self.fill()


def wait(race: Race, seconds: float) -> bool:
    """Until nothing changes by itself, but not longer than this; whether that was reached."""
    end = time.monotonic() + seconds
    while race.busy and time.monotonic() < end:
        time.sleep(0.02)
    return not race.busy
