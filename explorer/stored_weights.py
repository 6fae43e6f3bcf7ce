"""Trained weights that a link can name: kept in a folder under the hash of their numbers.

The name says which numbers are meant, to the last bit, so an experiment that names weights gives the same
result everywhere or says that it does not have them. The folder is ``GRADIENT_EXPLORER_HOME``, or
``gradient-explorer`` in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

MOST = 500  # sets of weights; the ones that were not used for the longest time go
NAME = r"[0-9a-f]{16}"  # what a name looks like


@dataclass(frozen=True)
class StoredWeights:
    """One set of weights.

    Attributes:
        arrays: torch.nn names (``weight_ih`` …) → float64 arrays, read-only.
        about: one sentence on how they were trained.
    """

    arrays: Mapping[str, np.ndarray]
    about: str


def folder() -> Path:
    """Where weights are kept."""
    own = os.environ.get("GRADIENT_EXPLORER_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(cache) / "gradient-explorer"


def store_weights(arrays: Mapping[str, np.ndarray], about: str) -> str:
    """Keep a set of weights; the result is the name that ``Experiment.trained`` takes."""
    exact = {name: np.ascontiguousarray(array, np.float64) for name, array in sorted(arrays.items())}
    digest = hashlib.sha256()
    for name, array in exact.items():
        digest.update(f"{name}{array.shape}".encode())
        digest.update(array.tobytes())
    key = digest.hexdigest()[:16]
    path = _path(key)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        save_file(exact, part, {"about": about})
        part.replace(path)
        _forget_oldest()
    return key


def stored_weights(key: str) -> StoredWeights | None:
    """The weights of this name; None where this computer does not have them."""
    path = _path(key)
    return _read(path) if path.exists() else None


@lru_cache(maxsize=16)
def _read(path: Path) -> StoredWeights | None:
    try:
        with safe_open(path, "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = (file.metadata() or {}).get("about", "")
    except (OSError, SafetensorError):
        return None  # a file that somebody else damaged is as good as none
    for array in arrays.values():
        array.flags.writeable = False
    return StoredWeights(arrays, about)


def _path(key: str) -> Path:
    return folder() / f"{key}.safetensors"


def _forget_oldest() -> None:
    files = sorted(folder().glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    for path in files[:-MOST]:
        path.unlink(missing_ok=True)
