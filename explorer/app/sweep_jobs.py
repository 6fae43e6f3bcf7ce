"""Sweeps that run beside the page: coarse at once, finer while one looks, stopped by a click."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.sweep.parts import Parts

KEPT = 12  # finished or stopped sweeps; some hundred kilobytes each


@dataclass
class Job:
    """One measure over some settings, on its way.

    Attributes:
        parts: what is still to be computed.
        measure: its name.
        values: numbers over all settings, NaN where nothing is known yet.
        known: True where a number has come, were it NaN.
        failed: a sentence when it could not go on.
    """

    parts: Parts
    measure: str
    values: np.ndarray
    known: np.ndarray
    failed: str = ""
    _stopped: threading.Event = field(default_factory=threading.Event)
    _first: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def share(self) -> float:
        """Which part of the points is known."""
        return float(self.known.mean())

    @property
    def runs(self) -> bool:
        """Whether more is being computed."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def finished(self) -> bool:
        """Whether every point is known."""
        return bool(self.known.all())

    def start(self) -> None:
        """Compute what is not known yet, in a thread."""
        if self.runs or self.finished or self.failed:
            return
        self._stopped.clear()
        self._thread = threading.Thread(target=self._work, name="sweep", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            while not self._stopped.is_set() and (part := next(self.parts, None)) is not None:
                self.values[part.where] = part.values[self.measure]
                self.known[part.where] = True
                self._first.set()
        except Exception as error:  # the page shows it, in a thread of its own
            self.failed = f"{type(error).__name__}: {error}"
        finally:
            self._first.set()

    def stop(self) -> None:
        """Stop after the part that is being computed; ``start`` goes on from there."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(5)

    def wait_for_first(self, seconds: float) -> None:
        """Until something is known, but not longer than this."""
        self._first.wait(seconds)


class Jobs:
    """The sweeps of all sessions by what decides them; the oldest go."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: str, measure: str, shape: Sequence[int], parts: Callable[[], Parts]) -> Job:
        """The job with this key; a new one has yet to be started."""
        with self._lock:
            job = self._jobs.pop(key, None)
            if job is None:
                job = Job(parts(), measure, np.full(shape, np.nan), np.zeros(shape, bool))
            self._jobs[key] = job
            old = self._jobs.popitem(last=False)[1] if len(self._jobs) > KEPT else None
        if old is not None:
            old.stop()
        return job

    def stop(self, key: str) -> None:
        """Stop the job with this key, if there is one."""
        job = self._jobs.get(key)
        if job is not None:
            job.stop()
