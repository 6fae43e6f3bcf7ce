"""Finished jobs on disk, so that a sweep that was interrupted goes on from there."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.experiment import Experiment
from explorer.sweep.axes import Axis
from explorer.sweep.jobs import Found, Job

_FORMAT = 1  # to be raised when the same sweep is cut into other jobs, or gives other numbers


class StoredJobs:
    """The results of one sweep's jobs in a folder, one file each, written whole or not at all.

    Files are named after a hash of the whole sweep, so results of another one are never taken for its own.
    """

    def __init__(
        self, folder: Path, experiment: Experiment, axes: Sequence[Axis], measures: Sequence[str]
    ) -> None:
        values = [[axis.path, *axis.values] for axis in axes]
        text = json.dumps([_FORMAT, experiment.canonical(), values, list(measures)])
        self._key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def load(self, index: int, job: Job) -> Found | None:
        """The result of a job; None if there is none, or none that can be read."""
        try:
            with np.load(self._path(index)) as stored:
                found = {name: stored[name] for name in job.measures}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return found if all(values.shape == (job.size,) for values in found.values()) else None

    def save(self, index: int, found: Found) -> None:
        """Keep the result of a job."""
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **found)  # type: ignore[arg-type]
            Path(name).replace(self._path(index))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _path(self, index: int) -> Path:
        return self._folder / f"{self._key}-{index:06d}.npz"
