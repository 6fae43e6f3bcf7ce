"""Gradient movie: what becomes of gradient, gates and eigenvalues while a network of the race is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.learning.movie_words import captions, sizes, so_far, what_happened
from explorer.app.learning.race_buttons import buttons
from explorer.app.learning.race_setting import Lane, Setting, lanes, setting, started
from explorer.app.movie_choices import NEWEST
from explorer.app.panel import PanelFigure, Scrub, frames, panel
from explorer.app.picture import Drawn, gate_of, later_figure, matrix_of, panel_figure
from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.figures.style import LABELS
from explorer.figures.training_movie import Film
from explorer.measures.saturation import saturated_share
from explorer.training.training import Training

KEY = "learning-movie"
_POLL = 0.5  # seconds between two looks at the runs
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting


def side_bar() -> None:
    """Which network, which of its gates, which gradient."""
    found = setting()
    names = [str(racer) for racer in found.racers]
    place = chosen(found)
    controls.view_menu("movie_racer", names[place], dict(zip(names, found.titles, strict=True)))
    experiment = found.recipes[place].experiment
    gates = experiment.cell.gates
    if gates:
        labels = {gate: LABELS.get(gate, gate) for gate in gates}
        controls.view_menu("movie_gate", gate_shown(experiment), labels)
    controls.view_control("movie_shown")
    st.caption("Networks, task and training are chosen in the section *Race*.")


def picture() -> None:
    """Sentence, figures and the slider that runs through the training, drawn again while it goes on."""
    found = setting()
    polls = _is_busy(found)

    def look() -> None:
        there = lanes(found)
        race = started(found)
        if race is None or not all(run.is_over for run in race.runs):
            buttons(found, race, there, rewinds=False)
        _draw(found, there[chosen(found)])
        if polls != _is_busy(found):
            st.rerun()  # a whole run decides whether to look again

    st.fragment(look, run_every=_POLL if polls else None)()


def _is_busy(found: Setting) -> bool:
    race = started(found)
    return race is not None and race.busy


def chosen(found: Setting) -> int:
    """The place of the chosen network among the racers; the first one where it does not race."""
    names = [str(racer) for racer in found.racers]
    wanted = state.view().movie_racer
    return names.index(wanted) if wanted in names else 0


def gate_shown(experiment: Experiment) -> str:
    """The chosen gate, or the one that keeps the memory where the cell does not have it; "" without gates."""
    return gate_of(experiment, View(gate=state.view().movie_gate))


def row_shown(training: Training) -> int:
    """The last recorded row that is not after the chosen training step."""
    wanted = state.view().movie_step
    recorded = training.recorded
    return (
        len(recorded) - 1 if wanted == NEWEST else max(0, int(np.searchsorted(recorded, wanted, "right")) - 1)
    )


def _draw(found: Setting, lane: Lane) -> None:
    training = lane.training
    experiment = training.recipe.experiment
    _notes(found, experiment)
    title = sections.literal(lane.title)
    if lane.run is not None and lane.run.busy and training.step:
        st.markdown(f"**{so_far(title, training)}**")
    else:
        st.markdown(f"**{what_happened(title, training, lambda r: _saturated(training, r))}**")
        if training.step:
            st.caption(sections.literal(sizes(training)))
    if training.diverged:
        st.warning(sections.literal(training.diverged), icon="⚠️")
    reel = Reel(training)
    revision = f"{training.recipe.canonical()}|{reel.gate}|{reel.film.share}"
    step = float(training.recorded[reel.at])
    panel(
        reel.panel_figures(),
        num_steps=1,
        cursor=0,
        key=KEY,
        scrub=Scrub("training_movie", "step", step, revision),
        on_commit=lambda value: state.look(
            movie_step=NEWEST if value >= training.recorded[-1] else round(value)
        ),
    )
    frames(
        key=KEY,
        revision=revision,
        values=training.recorded.astype(float),
        tracks=figures.training_movie_tracks(reel.film),
        figures=reel.tracks(),
        captions=captions(training),
    )
    if not experiment.cell.gates:
        st.caption("This cell has no gates: nothing stands between its matrix and its gradient.")


def _notes(found: Setting, experiment: Experiment) -> None:
    """What was asked for and is not there."""
    view = state.view()
    if view.movie_racer and view.movie_racer not in map(str, found.racers):
        asked, shown = sections.literal(view.movie_racer), sections.literal(found.titles[0])
        st.caption(f":material/info: {asked} is not in this race: {shown} is shown.")
    gates = experiment.cell.gates
    if view.movie_gate and gates and view.movie_gate not in gates:
        st.caption(
            f":material/info: This cell has no {view.movie_gate} gate: {gate_shown(experiment)} is shown."
        )


def _saturated(training: Training, r: int) -> float:
    """Share of states on the flat part of tanh at a recorded step; 0 for other cells."""
    recipe, step = training.recipe, int(training.recorded[r])

    def compute() -> float:
        from explorer.training.recording import Probe

        return saturated_share(Probe(recipe).trace(training.weights(r)))

    return cache.remembered(f"saturated|{step}|{recipe.canonical()}", compute)


class Reel:
    """The figures of one network, and what they show at every recorded step."""

    def __init__(self, training: Training) -> None:
        recipe = training.recipe
        self.training = training
        self.film = Film.of(training, state.view().movie_shown == "share")
        self.at = row_shown(training)
        self.gate = gate_shown(recipe.experiment)
        self.block, self.owner = matrix_of(recipe.experiment, self.gate)
        self.roots = training.eigenvalues[:, self.block]
        self.gates = (
            training.gates[:, list(recipe.experiment.cell.gates).index(self.gate)] if self.gate else None
        )

    def panel_figures(self) -> list[PanelFigure]:
        """Map, curve, eigenvalues and, if there is one, the gate."""
        film, at, roots, values = self.film, self.at, self.roots, self.gates
        several = self.training.recipe.experiment.cell.blocks > 1
        movie = panel_figure(
            _NO_EXPERIMENT,
            "training_movie",
            figures.training_movie(film, at),
            figures.training_movie_alt(film),
            span=8,
            height=430,
        )
        parts = [
            replace(movie, rows=2),
            panel_figure(
                _NO_EXPERIMENT,
                "movie_curve",
                figures.movie_curve(film, at),
                figures.movie_curve_alt(film, at),
                height=190,
            ),
            panel_figure(
                _NO_EXPERIMENT,
                "movie_eigenvalues",
                figures.movie_eigenvalues(roots, at),
                figures.movie_eigenvalues_alt(roots, at),
                height=235,
                suffix=f": {self.owner} gate" if several else "",
            ),
        ]
        if values is None:
            return parts

        def gates(values: np.ndarray = values) -> Drawn:
            recorded, steps = film.recorded, film.steps
            figure = figures.movie_gates(values, recorded, steps, at, self.gate)
            return figure, figures.movie_gates_alt(values, recorded, self.gate)

        suffix = f": {LABELS.get(self.gate, self.gate)}"
        return [
            *parts,
            later_figure(_NO_EXPERIMENT, "movie_gates", gates, span=8, height=300, suffix=suffix),
        ]

    def tracks(self) -> dict[str, Any]:
        """What the figures without the slider show at every recorded step."""
        moving: dict[str, Any] = {
            "movie_curve": figures.movie_curve_tracks(self.film),
            "movie_eigenvalues": figures.movie_eigenvalues_tracks(self.roots),
        }
        if self.gates is not None:
            moving["movie_gates"] = figures.movie_gates_tracks(self.film.recorded)
        return moving
