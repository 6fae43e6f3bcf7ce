"""What races: the recipes that the choices of the page stand for, and the runs that were started for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from explorer.app import cache, own_runs, state
from explorer.experiment import Experiment
from explorer.lessons.races import RACES, Race, Racer, racers_of, titles_of
from explorer.tasks import TASKS, Task
from explorer.training.recipe import Recipe
from explorer.training.run import Run
from explorer.training.runs import Race as RunningRace
from explorer.training.training import Training


@dataclass(frozen=True)
class Setting:
    """A race as it is set up now.

    Attributes:
        base: what all racers share.
        racers, titles, recipes: those who race, their names and their runs.
        notes: a sentence for everything that had to be changed.
    """

    base: Recipe
    racers: list[Racer]
    titles: list[str]
    recipes: list[Recipe]
    notes: list[str]


@dataclass(frozen=True)
class Lane:
    """One racer: its name, what is known of its training, and its run if it was started."""

    title: str
    training: Training
    run: Run | None


def setting() -> Setting:
    """The race of the present choices."""
    view, mine = state.view(), state.experiment()
    notes: list[str] = []
    task = _task(notes)
    low, high = task.lengths
    length = min(max(view.race_length, low), high)
    if length != view.race_length:
        notes.append(f"The task {TASKS[task.kind][0]} takes {low} to {high} steps: T = {length} is used.")
    experiment = Experiment(
        hidden_size=view.race_units,
        num_steps=length,
        batch_size=view.race_batch,
        seed=mine.seed,
        dtype="float32",
    )
    data: dict[str, Any] = {
        "learning_rate": view.race_rate,
        "optimizer": view.race_optimizer,
        "clip": view.race_clip,
        "clip_at": view.race_clip_at,
        "steps": view.race_steps,
    }
    try:
        base = Recipe(experiment=experiment, task=task, **data)
    except ValidationError as error:  # an own text that is too short
        notes.append(
            f"{error.errors()[0]['msg'].removeprefix('Value error, ')}: the latch task is used instead."
        )
        base = Recipe(experiment=experiment, **data)
    racers, sentences = racers_of(view.racers, base, mine)
    recipes = [racer.recipe(base, mine) for racer in racers]
    titles = titles_of(racers, base, mine)
    if not all(recipe.trains_cell for recipe in recipes):
        sentences.append("The reservoir of an echo-state network is not trained: only its readout learns.")
    return Setting(base, racers, titles, recipes, notes + sentences + base.task.notes(length))


def _task(notes: list[str]) -> Task:
    view = state.view()
    kind = TASKS[view.race_task][1]
    try:
        return kind.model_validate(json.loads(view.race_settings or "{}"))
    except ValueError:
        notes.append(f"The settings of the task {TASKS[view.race_task][0]} do not fit: its own are used.")
        return kind.model_validate({})


def choices_of(race: Race) -> dict[str, object]:
    """The choices that stand for a race of the lessons."""
    settings = race.task.model_dump(exclude={"kind"}, exclude_defaults=True)
    return {
        "race_task": race.task.kind,
        "race_settings": json.dumps(settings) if settings else "",
        "race_units": race.units,
        "race_length": race.length,
        "race_batch": race.batch,
        "race_steps": race.steps,
        "race_rate": race.rate,
        "race_optimizer": "adam",
        "race_clip": "norm",
        "race_clip_at": race.clip_at,
        "racers": race.racers,
    }


def known_race() -> Race | None:
    """The race of the lessons that is set up now."""
    chosen = state.view().model_dump()
    return next((race for race in RACES.values() if choices_of(race).items() <= chosen.items()), None)


def started(found: Setting) -> RunningRace[Run] | None:
    """The runs of exactly this race, if they were started."""
    return own_runs.started(found.recipes)


def lanes(found: Setting) -> list[Lane]:
    """All racers with what is known of them: their runs so far, or the untrained networks."""
    race = started(found)
    runs = [None] * len(found.recipes) if race is None else race.runs
    return [
        Lane(title, run.training if run is not None and run.training.moments else untrained(recipe), run)
        for title, recipe, run in zip(found.titles, found.recipes, runs, strict=True)
    ]


def untrained(recipe: Recipe) -> Training:
    """The run before its first step, recorded."""

    def compute() -> Training:
        from explorer.training.trainer import Trainer

        return Trainer(recipe).training

    return cache.remembered(f"untrained|{recipe.canonical()}", compute)
