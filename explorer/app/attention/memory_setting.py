"""Which memory networks are trained side by side, the runs that were started for them, and their stories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.app import cache, own_runs, state
from explorer.app.memory_choices import STORIES, MemoryChoices
from explorer.seq2seq.memory import (
    MemoryLearner,
    MemoryLearning,
    MemoryMoment,
    MemorySettings,
    MemoryTrace,
    Stories,
    draw_stories,
    fixed_questions,
    newest_place,
    recurrent_decades,
    run_memory,
    trained_memory,
)
from explorer.training.memory import MemoryRun
from explorer.training.runs import Race

KIND = "memory"  # of race
HOPS = (1, 2, 3)


@dataclass(frozen=True)
class Rival:
    """One network: its name, what is known of its training, and its run if it was started."""

    title: str
    learning: MemoryLearning
    run: MemoryRun | None


def settings_of(view: MemoryChoices) -> list[MemorySettings]:
    """The settings of the networks, which differ in their hops."""
    shared = {
        "embedding_size": view.memory_size,
        "facts": view.memory_facts,
        "sentences": view.memory_sentences,
        "learning_rate": view.memory_rate,
        "batch_size": view.memory_batch,
        "steps": view.memory_steps,
        "seed": view.memory_seed,
    }
    return [MemorySettings.model_validate(shared | {"hops": hops}) for hops in HOPS]


def started(view: MemoryChoices) -> Race[MemoryRun] | None:
    """The runs of exactly these networks, if they were started."""
    return own_runs.started(settings_of(view), KIND)


def start(goal: int | None = None) -> None:
    """Train the present networks up to a step, or to the end; those that were trained before are ended."""
    own_runs.start([MemoryRun(settings, goal) for settings in settings_of(state.view())], KIND)


def rivals(view: MemoryChoices) -> list[Rival]:
    """All networks with what is known of them: their runs so far, or the untrained networks."""
    race, found = started(view), []
    for place, settings in enumerate(settings_of(view)):
        run = None if race is None else race.runs[place]
        known = run is not None and run.learning.moments
        title = f"{settings.hops} hop{'s' if settings.hops > 1 else ''}"
        found.append(Rival(title, run.learning if run and known else untrained(settings), run))
    return found


def untrained(settings: MemorySettings) -> MemoryLearning:
    """The run before its first step, recorded."""
    key = f"untrained memory|{settings.canonical()}"
    return cache.remembered(key, lambda: MemoryLearner(settings).learning)


def story_of(view: MemoryChoices) -> Stories:
    """The chosen story; it depends on seed, length and facts, and not on hops or training."""
    settings = settings_of(view)[0]
    drawn = draw_stories(settings.rng("shown"), STORIES, settings.sentences, settings.facts)
    return drawn.one(view.memory_story - 1)


def shown(view: MemoryChoices, rival: Rival, moment: MemoryMoment) -> MemoryTrace:
    """What a network did with the chosen story at a recorded step."""
    return run_memory(trained_memory(rival.learning.settings, moment), story_of(view))


def recurrent(view: MemoryChoices) -> np.ndarray:
    """The gradient of an untrained RNN at every sentence of the chosen story, [S]; kept."""
    settings = settings_of(view)[0]
    key = f"recurrent|{view.memory_story}|{settings.canonical()}"
    return cache.remembered(key, lambda: recurrent_decades(settings, story_of(view)))


def questions(view: MemoryChoices) -> tuple[int, int]:
    """How many fixed questions there are, and how many the newest place answers; kept."""
    settings = settings_of(view)[0]

    def count() -> tuple[int, int]:
        stories = fixed_questions(settings)
        return len(stories.answer), int((newest_place(stories) == stories.answer).sum())

    return cache.remembered(f"newest place|{settings.canonical()}", count)
