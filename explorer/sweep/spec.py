"""A sweep written down as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from explorer.experiment import Experiment
from explorer.link import field_paths, kinds_of
from explorer.sweep.axes import Over
from explorer.sweep.measures import measures_of

_KEYS = ("experiment", "over", "measure", "workers")
_RANGE = {"from", "to", "points"}


@dataclass(frozen=True)
class Spec:
    """What a file asks for.

    Attributes:
        experiment: the settings that do not vary.
        over: setting → values.
        measures: names of measures.
        workers: processes that share the work; None leaves it open, 0 is this process alone.
    """

    experiment: Experiment
    over: Over
    measures: tuple[str, ...]
    workers: int | None


def read_spec(path: Path) -> Spec:
    """The sweep of a file; raises ValueError with one sentence for what is wrong (``sweep`` checks ``over``).

    A file looks like this::

        measure = ["decades_per_step", "lyapunov"]   # or one name; decades_per_step unless told
        workers = 4                                  # one for each core unless told

        [experiment]
        cell = { kind = "lstm" }                     # or cell = "lstm"
        batch_size = 1

        [over]
        weight_scale = { from = 0.1, to = 4, points = 64 }
        "cell.forget_bias" = [-1, 0, 1, 2]
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    for key in data:
        if key not in _KEYS:
            raise ValueError(f"{key!r} is unknown in {path}; {_allowed(key, _KEYS)}")
    experiment = _experiment(data.get("experiment", {}))
    over = {name: _values(name, given) for name, given in _flat(data.get("over", {}))}
    workers = data.get("workers")
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 0):
        raise ValueError(f"workers is {workers!r}; it must be a whole number of 0 or more")
    return Spec(experiment, over, _measures(data.get("measure", "decades_per_step")), workers)


def _allowed(given: str, known: tuple[str, ...] | list[str]) -> str:
    """What may stand there, or what was probably meant."""
    close = get_close_matches(given, known, 1)
    return f"perhaps {close[0]!r} was meant" if close else f"there are {', '.join(known)}"


def _experiment(given: object) -> Experiment:
    """The experiment of the table; groups may be given by their kind alone."""
    if not isinstance(given, Mapping):
        raise ValueError(f"experiment is {given!r}; it must be a table of settings")
    groups = {path for path, _, field in field_paths(Experiment()) if kinds_of(field)}
    settings = {
        name: {"kind": value} if name in groups and isinstance(value, str) else value
        for name, value in given.items()
    }
    try:
        return Experiment.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden" and "." not in where:
            raise ValueError(
                f"experiment.{where} is not a setting; {_allowed(where, list(Experiment.model_fields))}"
            ) from None
        raise ValueError(f"experiment.{where} = {first['input']!r} is not allowed: {first['msg']}") from None


def _flat(table: object, before: str = "") -> Iterator[tuple[str, object]]:
    """(path, values): cell.forget_bias without quotes is a table within a table to TOML."""
    if not isinstance(table, Mapping):
        raise ValueError(f"over is {table!r}; it must be a table of settings")
    for name, value in table.items():
        if isinstance(value, Mapping) and not _RANGE & set(value):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _values(path: str, given: Any) -> Any:
    """A list as it is, or evenly spaced numbers."""
    if not isinstance(given, Mapping):
        return given
    numbers = [given.get(key) for key in ("from", "to", "points")]
    sound = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    if set(given) != _RANGE or not sound or not isinstance(given["points"], int) or given["points"] < 1:
        raise ValueError(
            f"over.{path} is {dict(given)}; a range has the numbers from, to and points, a whole number"
        )
    return np.linspace(given["from"], given["to"], given["points"])


def _measures(given: object) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"measure is {given!r}; it must be a name or a list of names")
    return measures_of(names)
