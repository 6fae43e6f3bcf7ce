"""Which translators are trained side by side, and the runs that were started for them."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.app import cache, own_runs, state
from explorer.app.view import View
from explorer.seq2seq.learning import Learner, Learning
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.training.runs import Race
from explorer.training.translation import TranslationRun

KIND = "translation"  # of race
_BOTH = {"bidirectional": True, "start": "backward", "attention": "additive"}
_FORWARD = {"bidirectional": False, "start": "last", "attention": "additive"}
COMPARED: dict[str, dict[str, tuple[dict[str, object], str]]] = {
    "attention": {
        "additive attention": (_BOTH, "likelihood"),
        "no attention": (_BOTH | {"attention": "none"}, "likelihood"),
    },
    "kinds": {
        "additive": (_BOTH, "likelihood"),
        "dot": (_FORWARD | {"attention": "dot"}, "likelihood"),
        "general": (_BOTH | {"attention": "general"}, "likelihood"),
        "none": (_BOTH | {"attention": "none"}, "likelihood"),
    },
    "encoder": {
        "both directions": (_BOTH, "likelihood"),
        "forward only": (_FORWARD, "likelihood"),
    },
    "objective": {
        "likelihood": (_BOTH, "likelihood"),
        "label smoothing": (_BOTH, "smoothing"),
        "scheduled sampling": (_BOTH, "scheduled"),
        "expected reward": (_BOTH, "reward"),
    },
}
"""Comparison → name of a network → (its settings, what is minimised)."""


@dataclass(frozen=True)
class Pupil:
    """One network: its name, what is known of its training, and its run if it was started."""

    title: str
    learning: Learning
    run: TranslationRun | None


def recipes_of(view: View) -> dict[str, TranslationRecipe]:
    """Name → recipe of every network of the choices."""
    shared = {
        "task": {"kind": view.taught_task},
        "learning_rate": view.taught_rate,
        "batch_size": view.taught_batch,
        "smoothing": view.taught_smoothing,
        "sampling": view.taught_sampling,
        "reward": view.taught_reward,
        "steps": view.taught_steps,
    }
    size = {"cell": view.taught_cell, "hidden_size": view.taught_hidden, "seed": view.attn_seed}
    ends = {"bos": view.attn_bos, "eos": view.attn_eos}
    return {
        title: TranslationRecipe.model_validate(
            shared | {"objective": objective, "model": model | size | ends}
        )
        for title, (model, objective) in COMPARED[view.taught_beside].items()
    }


def started(view: View) -> Race[TranslationRun] | None:
    """The runs of exactly these networks, if they were started."""
    return own_runs.started(list(recipes_of(view).values()), KIND)


def start(goal: int | None = None) -> None:
    """Train the present networks up to a step, or to the end; those that were trained before are ended."""
    own_runs.start([TranslationRun(recipe, goal) for recipe in recipes_of(state.view()).values()], KIND)


def pupils(view: View) -> list[Pupil]:
    """All networks with what is known of them: their runs so far, or the untrained networks."""
    race = started(view)
    found = []
    for place, (title, recipe) in enumerate(recipes_of(view).items()):
        run = None if race is None else race.runs[place]
        known = run is not None and run.learning.moments
        found.append(Pupil(title, run.learning if run and known else untrained(recipe), run))
    return found


def untrained(recipe: TranslationRecipe) -> Learning:
    """The run before its first step, recorded."""
    return cache.remembered(f"untrained translator|{recipe.canonical()}", lambda: Learner(recipe).learning)
