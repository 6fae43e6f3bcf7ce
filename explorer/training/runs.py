"""Training runs in processes of their own: many at once within a limit, none in another one's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from explorer.training.nursery import Nursery
from explorer.training.run import RemoteRun

MOST = 18  # processes at once, of all who train on this computer; further ones wait in line
PATIENCE = 15.0  # seconds that somebody may be away, as when a connection breaks
LOOK_EVERY = 2.0  # seconds between two looks whether those who train are still there

OneRun = TypeVar("OneRun", bound=RemoteRun[Any, Any], covariant=True)


@dataclass(frozen=True)
class Race(Generic[OneRun]):
    """Runs that were started together by one owner.

    Attributes:
        owner: whose they are.
        runs: all of them.
    """

    owner: str
    runs: Sequence[OneRun]

    @property
    def busy(self) -> bool:
        """Whether something may still change without an order."""
        return any(run.busy for run in self.runs)

    @property
    def is_over(self) -> bool:
        """Whether no order can make any of them go on."""
        return all(run.is_over for run in self.runs)

    @property
    def can_rewind(self) -> bool:
        """Whether any of them can go back to an earlier step."""
        return any(run.takes_orders for run in self.runs)

    def go(self, count: int | None = None) -> None:
        """Train all of them for ``count`` further steps, or to the end."""
        for run in self.runs:
            run.go(count)

    def pause(self) -> None:
        """Stop all of them after their present steps."""
        for run in self.runs:
            run.pause()

    def rewind(self, step: int) -> None:
        """All of them back to their last recorded steps that are not after ``step``."""
        for run in self.runs:
            run.rewind(step)

    def stop(self) -> None:
        """End all of them for good."""
        for run in self.runs:
            run.stop()


class Runs:
    """All races on this computer: one of a kind for each owner, and no more than ``most`` processes.

    Args:
        is_there: whether an owner is still interested.
        most: processes at once.
        patience: seconds that an owner may be away before its races are ended.
        look_every: seconds between two looks whether the owners are there.
        nursery: makes the processes, and is closed by whoever made it; without one there is one of its own.
    """

    def __init__(
        self,
        is_there: Callable[[str], bool],
        *,
        most: int = MOST,
        patience: float = PATIENCE,
        look_every: float = LOOK_EVERY,
        nursery: Nursery | None = None,
    ) -> None:
        self._nursery, self._is_lent = nursery or Nursery(), nursery is not None
        self._nursery.warm_up()
        self._is_there, self._most, self._patience = is_there, most, patience
        self._look_every = look_every
        self._seen: dict[str, float] = {}  # when each owner was there last
        self._races: dict[tuple[str, str], Race[Any]] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        threading.Thread(target=self._tend, name="races", daemon=True).start()

    def start(self, owner: str, runs: Sequence[OneRun], kind: str = "") -> Race[OneRun]:
        """A new race; the one of this kind that this owner had is ended."""
        race = Race(owner, runs)
        with self._lock:
            old = self._races.pop((owner, kind), None)
            self._races[owner, kind] = race
        if old is not None:
            old.stop()
        self.fill()
        return race

    def of(self, owner: str, kind: str = "") -> Race[Any] | None:
        """The race of an owner, if there is one of this kind."""
        return self._races.get((owner, kind))

    def ahead_of(self, race: Race[Any]) -> int:
        """How many runs of other owners wait for a place before those of a race."""
        count = 0
        for other in list(self._races.values()):
            if other is race:
                break
            if other.owner != race.owner:
                count += sum(run.wants_process for run in other.runs)
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
        if not self._is_lent:
            self._nursery.close()

    def _tend(self) -> None:
        """End the races of those who went, and let others in; until ``close``."""
        while not self._changed.wait(self._look_every):
            now = time.monotonic()
            owners = {owner for owner, _ in list(self._races)}
            self._seen = {one: now if self._is_there(one) else self._seen.get(one, now) for one in owners}
            gone = {owner for owner, seen in self._seen.items() if now - seen > self._patience}
            with self._lock:
                left = [self._races.pop(key) for key in list(self._races) if key[0] in gone]
            for race in left:
                race.stop()
            self.fill()


def wait(race: Race[Any], seconds: float) -> bool:
    """Until nothing changes by itself, but not longer than this; whether that was reached."""
    end = time.monotonic() + seconds
    while race.busy and time.monotonic() < end:
        time.sleep(0.02)
    return not race.busy
