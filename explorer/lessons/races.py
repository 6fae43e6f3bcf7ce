"""Races: networks that are trained side by side on one task, and the presets that say what should happen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from explorer.experiment import Experiment
from explorer.layouts import Single
from explorer.lessons.architectures import ARCHITECTURES, Architecture
from explorer.lessons.sentences import Sentence, read_toml
from explorer.link import describe_change
from explorer.tasks import AnyTask
from explorer.training.recipe import Recipe

MOST = 6  # networks in one race
USUAL = "irnn,orthogonal,lstm-3,lstm,tanh"
OF_RECIPE = ("learning_rate", "optimizer", "clip", "clip_at")  # what a racer may have of its own
ENTRANTS: dict[str, Architecture] = {
    name: row
    for name, row in ARCHITECTURES.items()
    if row.own or row.applied(Experiment()).network == Single()
}

_RACER = re.compile(r"\s*([a-z0-9-]+)\s*(?:\(([^()]*)\))?\s*(?:,|$)")


@dataclass(frozen=True)
class Racer:
    """One network of a race.

    Attributes:
        row: the architecture that it starts from.
        own: path → value of what it has of its own: settings of the experiment or fields of ``OF_RECIPE``.
    """

    row: Architecture
    own: tuple[tuple[str, str], ...] = ()

    def recipe(self, base: Recipe, mine: Experiment) -> Recipe:
        """Its training run; ``mine`` is the experiment on screen, for the racer that is this one.

        Raises ValueError for a setting that does not exist or a value that is not allowed.
        """
        experiment = self.row.applied(mine.alone() if self.row.own else base.experiment)
        shared = ("num_steps", "batch_size", "hidden_size", "dtype", "seed")
        experiment = experiment.model_copy(update={name: getattr(base.experiment, name) for name in shared})
        data: dict[str, Any] = base.model_dump()
        for path, value in self.own:
            if path in OF_RECIPE:
                data[path] = value
            else:
                experiment = experiment.changed(path, value)
        return Recipe.model_validate(data | {"experiment": experiment.model_dump()})

    def title(self, base: Recipe, mine: Experiment, *, every: bool = False) -> str:
        """Its name with what its cell has of its own, or (``every``) with all that it has of its own."""
        found, plain = self.recipe(base, mine), Racer(self.row).recipe(base, mine)
        if not every:
            cell = plain.experiment.model_copy(update={"cell": found.experiment.cell})
            return " · ".join(filter(None, [self.row.title, describe_change(plain.experiment, cell, 30)]))
        parts = [self.row.title, describe_change(plain.experiment, found.experiment, 60)]
        if found.learning_rate != base.learning_rate:
            parts.append(f"rate {found.learning_rate:g}")
        if (found.clip, found.clip_at) != (base.clip, base.clip_at):
            parts.append("not clipped" if found.clip == "none" else f"clip {found.clip} {found.clip_at:g}")
        if found.optimizer != base.optimizer:
            parts.append(found.optimizer)
        return " · ".join(part for part in parts if part)

    def __str__(self) -> str:
        own = ";".join(f"{path}={value}" for path, value in self.own)
        return f"{self.row.name}({own})" if own else self.row.name


def racers_of(text: str, base: Recipe, mine: Experiment) -> tuple[list[Racer], list[str]]:
    """The racers of a text such as ``irnn,lstm(cell.forget_bias=3;clip=norm)``, and what is left out.

    Never empty: where nothing can be taken the usual ones are.
    """
    found: list[Racer] = []
    sentences: list[str] = []
    for name, settings in _pieces(text, sentences):
        row = ENTRANTS.get(name)
        if row is None:
            reason = "is a network of layers" if name in ARCHITECTURES else "is not known"
            sentences.append(f"{name[:40]!r} cannot race, it {reason}; it is left out.")
            continue
        pairs = [piece.partition("=") for piece in settings.split(";") if piece.strip()]
        racer = Racer(row, tuple((path.strip(), value.strip()) for path, _, value in pairs))
        try:
            racer.recipe(base, mine)
        except ValueError as error:
            sentences.append(f"{name} is left out: {_reason(error)}.")
            continue
        if racer not in found:
            found.append(racer)
    if len(found) > MOST:
        sentences.append(f"{len(found)} networks are asked for: the first {MOST} race.")
    if not found:
        sentences.append("No network is chosen: the usual ones race.")
        found = [Racer(ENTRANTS[name]) for name in USUAL.split(",")]
    return found[:MOST], sentences


def titles_of(racers: Sequence[Racer], base: Recipe, mine: Experiment) -> list[str]:
    """Short names that tell all racers apart."""
    short = [racer.title(base, mine) for racer in racers]
    return [
        title if short.count(title) == 1 else racer.title(base, mine, every=True)
        for racer, title in zip(racers, short, strict=True)
    ]


def _pieces(text: str, sentences: list[str]) -> list[tuple[str, str]]:
    """(name, settings) of every racer; what cannot be read is named."""
    found, at = [], 0
    while at < len(text):
        match = _RACER.match(text, at)
        if match is None:
            sentences.append(f"{text[at : at + 30]!r} cannot be read: racers look like irnn,lstm(clip=norm).")
            break
        found.append((match[1], match[2] or ""))
        at = match.end()
    return found


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where} = {str(first['input'])[:30]} ({first['msg'].removeprefix('Value error, ')})"
    return str(error)


class Outcome(BaseModel):
    """What one racer should reach, whatever the seed.

    Attributes:
        racer: as it stands in ``racers``.
        learns: its score, a mean over 25 steps, is as good as this at some step of the race.
        stays: its score, a mean over 25 steps, is never better than this.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    racer: str
    learns: float | None = None
    stays: float | None = None


class Race(BaseModel):
    """A race that is known to come out as it says.

    Attributes:
        name: stable name; title: at most 28 characters.
        question: to be asked before it is run; outcome: what should happen, and in how many steps.
        task: what has to be learned.
        units, length, batch, steps, rate: H, T, B, training steps and learning rate of all racers.
        clip_at: largest norm of the whole gradient.
        racers: as ``racers_of`` reads them.
        expect: checked for three seeds by ``make test-training``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: Annotated[str, Field(min_length=1, max_length=28)]
    question: Sentence
    outcome: Sentence
    task: AnyTask
    units: int = 32
    length: int = 60
    batch: int = 32
    steps: int = 300
    rate: float = 3e-3
    clip_at: float = 1.0
    racers: str = USUAL
    expect: tuple[Outcome, ...] = ()

    @field_validator("task", mode="before")
    @classmethod
    def _kind_alone(cls, value: object) -> object:
        return {"kind": value} if isinstance(value, str) else value

    def recipe(self, seed: int = 0) -> Recipe:
        """What all racers share."""
        experiment = Experiment(
            hidden_size=self.units,
            num_steps=self.length,
            batch_size=self.batch,
            seed=seed,
            dtype="float32",
        )
        return Recipe(
            experiment=experiment,
            task=self.task,
            learning_rate=self.rate,
            clip="norm",
            clip_at=self.clip_at,
            steps=self.steps,
        )


def load_races(name: str = "races.toml") -> dict[str, Race]:
    """All races by name, in the file's order; raises ValueError for a racer that cannot start."""
    found: dict[str, Race] = {}
    for entry in read_toml(name)["race"]:
        race = Race.model_validate(entry)
        racers, sentences = racers_of(race.racers, race.recipe(), Experiment())
        strangers = {outcome.racer for outcome in race.expect} - {str(racer) for racer in racers}
        if sentences or strangers:
            raise ValueError(f"race {race.name!r}: {sentences or f'{strangers} do not race'}")
        found[race.name] = race
    return found


RACES: dict[str, Race] = load_races()
