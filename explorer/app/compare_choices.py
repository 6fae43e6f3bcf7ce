"""Which architectures stand side by side, and with which settings each of them runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.app import cache, state
from explorer.app.choices import sample_of, view_widget
from explorer.app.compare_measured import Compared, compare
from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.lessons.architectures import ARCHITECTURES, MOST, Architecture, chosen
from explorer.measures.architecture_table import matched_size, parameter_count
from explorer.trace import TooLarge


@dataclass(frozen=True)
class Contender:
    """One architecture with its settings and what was measured of it."""

    architecture: Architecture
    experiment: Experiment
    found: Compared


def selection(taken: Sequence[Architecture]) -> None:
    """The menu of architectures, with those that are compared now."""
    st.session_state["view:architectures"] = [row.name for row in taken]

    def take() -> None:
        state.look(architectures=",".join(st.session_state["view:architectures"][:MOST]))

    field = View.model_fields["architectures"]
    st.multiselect(
        f"{field.title} (up to {MOST})",
        list(ARCHITECTURES),
        key="view:architectures",
        on_change=take,
        max_selections=MOST,
        format_func=lambda name: ARCHITECTURES[name].title,
        help=field.description,
    )


def own_is_chosen() -> bool:
    """Whether the person's own cell and network are among the architectures."""
    return any(row.own for row in chosen(state.view().architectures)[0])


def drawn_of(contenders: Sequence[Contender]) -> Contender:
    """Which network is drawn unrolled: the chosen one, or the first."""
    return next((one for one in contenders if one.architecture.name == state.view().drawn), contenders[0])


def drawn_menu(contenders: Sequence[Contender]) -> None:
    """The menu of what may be drawn unrolled."""
    titles = {one.architecture.name: one.architecture.title for one in contenders}
    shown = drawn_of(contenders).architecture.name
    view_widget("drawn", shown, st.selectbox, list(titles), format_func=titles.__getitem__)


def contenders_of(taken: Sequence[Architecture]) -> tuple[list[Contender], list[str]]:
    """Run all of them on the same input; a sentence for each that cannot be run."""
    base, matched = state.experiment(), state.view().matched
    contenders, sentences = [], []
    if base.hold and not all(row.own for row in taken):
        sentences.append("Gates are held in your own architecture only; all others let them go.")
    reference = cache.kept(taken[0].applied(base), parameter_count)
    for row in taken:
        experiment = row.applied(base)
        if matched:
            size = cache.kept(experiment, matched_size, reference)
            experiment = experiment.model_copy(update={"hidden_size": size})
        try:
            found = cache.kept(experiment, compare, sample_of(experiment))
        except TooLarge as error:
            sentences.append(f"{row.title} is left out. {error}")
            continue
        contenders.append(Contender(row, experiment, found))
    return contenders, sentences
