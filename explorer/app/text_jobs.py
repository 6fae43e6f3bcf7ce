"""Studies of text that train beside the page, as long as somebody looks at them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from explorer.training.text.study import Progress, TextStudy

KEPT = 9  # studies; some megabytes each
_FORGOTTEN = 5.0  # seconds after which nobody looks any more


@dataclass
class TextJob:
    """One study on its way.

    Its thread rests once nobody has looked for some seconds, and the next look wakes it where it was; so a
    closed page costs nothing, and several people may look at the same study.

    Attributes:
        study: what is trained.
        progress: what is being done now.
        failed: a sentence when it could not go on.
    """

    study: TextStudy
    turn: threading.Lock
    progress: Progress | None = None
    failed: str = ""
    _seen: float = 0.0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._pieces = self.study.run()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.study.finished or bool(self.failed)

    def look(self) -> None:
        """Somebody looks: go on in a thread."""
        with self._changed:
            self._seen = time.monotonic()
            if self.ended or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._work, name="text", daemon=True)
            self._thread.start()

    def wait(self, models: int, seconds: float) -> None:
        """Until so many models are trained, but not longer than this."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended or len(self.study.tested) >= models, seconds)

    def _work(self) -> None:
        """One piece after another; all studies take turns, for at once they would only share the cores."""
        while time.monotonic() - self._seen < _FORGOTTEN:
            try:
                with self.turn:
                    self.progress = next(self._pieces, None)
            except Exception as error:  # the page shows it, in a thread of its own
                self.failed = f"{type(error).__name__}: {error}"
            with self._changed:
                self._changed.notify_all()
            if self.progress is None or self.failed:
                return


class TextJobs:
    """The studies of all sessions by question and seed; those looked at longest ago go."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[tuple[str, int], TextJob] = OrderedDict()
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def of(self, question: str, seed: int) -> TextJob:
        """The job of this question and seed."""
        with self._lock:
            job = self._jobs.pop((question, seed), None) or TextJob(TextStudy(question, seed), self._turn)
            self._jobs[question, seed] = job
            if len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)
            return job
