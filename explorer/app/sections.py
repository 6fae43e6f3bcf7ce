"""The parts of the page around and inside the figures; each function draws one of them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from explorer.app import cache, state
from explorer.app.choices import knob_of, preset_of, sample_of
from explorer.app.measured import Measured
from explorer.app.panel import Scrub, frames, panel
from explorer.app.picture import (
    eigenvalue_frames,
    knob_captions,
    knob_frames,
    knob_values,
    panel_figures,
)
from explorer.experiment import Experiment
from explorer.figures import Ghost
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.equations import derivation
from explorer.lessons.presets import Preset
from explorer.lessons.snippet import snippet
from explorer.link import describe_change, field_paths
from explorer.measures import gradient_norms
from explorer.measures.modules import empty_modules
from explorer.trace import MEMORY_LIMIT, TooLarge, Trace, memory_needed

_MOST_SENTENCES = 4
TONES = {
    "vanishes": ":red[:material/trending_down:]",
    "explodes": ":red[:material/trending_up:]",
    "survives": ":green[:material/trending_flat:]",
    "dead": ":red[:material/block:]",
    "not_a_number": ":red[:material/warning:]",
}
_JUDGEMENTS = {
    "agrees": ":green[:material/verified:]",
    "differs": ":red[:material/error:]",
    "nothing": ":gray[:material/help:]",
}


def notices() -> None:
    """What the address asked for and did not get, until it is dismissed."""
    sentences = state.rejected()
    if sentences:
        text, button = st.columns([8, 1], vertical_alignment="center")
        shown = sentences[:_MOST_SENTENCES]
        if len(sentences) > len(shown):
            shown = [*shown, f"There are {len(sentences) - len(shown)} more parts like these."]
        text.warning("  \n".join(map(literal, shown)), icon="⚠️")
        button.button("Dismiss", on_click=state.dismiss)


def cell_alone() -> Experiment:
    """The current experiment with one cell alone, and a line that says so where a network is set."""
    experiment = state.experiment()
    if experiment != experiment.alone():
        st.caption(
            ":material/info: This page looks at one cell alone. The network that is set is kept; "
            "*Compare architectures* draws it."
        )
    return experiment.alone()


def literal(text: str) -> str:
    """Text that people typed, such that Markdown shows it as it is: no links, no images, no formulas."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>$:~&])", r"\\\1", text)


def verdict(trace: Trace, found: Measured, presets: Mapping[str, Preset]) -> None:
    """One sentence on what the picture shows, what would help, and what had to be changed to draw it."""
    said = found.verdict
    name = preset_of(presets, trace.experiment)
    st.markdown(f"{TONES[said.tone]} **{said.text}** {said.advice}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        own = "Your own settings. Each preset asks a question and says what should come out."
        st.caption(own if name is None else f"**{presets[name].question}**", width="stretch")
        pin_buttons()
        if name is not None:
            with st.popover("What should come out?", type="tertiary"):
                st.markdown(presets[name].outcome)
    notes(trace)


def notes(trace: Trace) -> None:
    """What had to be changed to run the experiment, and what of it does nothing."""
    for note in [*trace.notes, *empty_modules(trace.experiment)]:
        st.caption(f":material/info: {literal(note)}")


def figure_panel(key: str, trace: Trace, found: Measured) -> bool:
    """All figures, with the time cursor and the slider that runs through the knob's range.

    True once the browser has drawn this very picture and rests: time for what the picture does not need.
    """
    experiment, knob = trace.experiment, knob_of(trace.experiment)
    values = {path: value for path, value, _ in field_paths(experiment)}
    revision = _revision(experiment, knob)
    hint = "computing…" if len(knob_values(experiment, knob)) else "network too large to scrub live"
    result = panel(
        panel_figures(trace, found, pinned_ghosts(experiment), state.view(), state.span(revision)),
        num_steps=trace.num_steps,
        cursor=cursor_of(trace),
        key=key,
        scrub=Scrub("gradient", _title(experiment, knob), float(values[knob]), revision, hint),
        token=f"{experiment.canonical()}|{knob}|{len(state.pins())}",
        on_cursor=lambda step: state.look(cursor=step),
        on_commit=lambda value: state.change(knob, round(value, 6)),
    )
    return result.rests


def cursor_of(trace: Trace) -> int:
    """The chosen step, or the last one of a shorter run."""
    return min(state.view().cursor, trace.num_steps)


def _title(experiment: Experiment, path: str) -> str:
    return next(str(field.title) for name, _, field in field_paths(experiment) if name == path)


def _revision(experiment: Experiment, knob: str) -> str:
    """Equal for two experiments that differ in the knob only."""
    return f"{knob}:{experiment.changed(knob, 1.0).canonical()}"


def pinned_ghosts(experiment: Experiment) -> list[Ghost]:
    """Curves of the pinned experiments, each labelled by what differs from now."""
    ghosts = []
    for pinned in state.pins():
        try:
            norms = np.median(gradient_norms(cache.trace_of(pinned)), axis=1)
        except TooLarge:
            continue  # its button says so
        ghosts.append(Ghost(html.escape(_pin_label(pinned), quote=False), norms))
    return ghosts


def _pin_label(pinned: Experiment) -> str:
    """What a pinned experiment does differently from the present one."""
    label = describe_change(state.experiment(), pinned) or "same settings"
    return f"{label} (too large to draw)" if memory_needed(pinned) > MEMORY_LIMIT else label


def pin_buttons() -> None:
    """One button for every pinned curve; a click lets it go."""
    for index, pinned in enumerate(state.pins()):
        every = describe_change(state.experiment(), pinned, longest=1000) or "same settings"
        st.button(
            f"✕ {literal(_pin_label(pinned))}",
            key=f"unpin:{index}",
            type="tertiary",
            on_click=state.unpin,
            args=(index,),
            help=f"Unpin this curve: {literal(every)}",
        )


def equations(
    trace: Trace,
    title: str = "Backpropagation through time, term by term, with the numbers of the cursor's step",
    parts: Callable[[Trace, int, int], list[EquationStep]] = derivation,
    *,
    key: str = "equations",
    expanded: bool = False,
) -> None:
    """A derivation, that of backpropagation through time, with the numbers of the cursor's step."""
    step = max(1, cursor_of(trace))
    box = st.expander(title, key=key, expanded=expanded, on_change="rerun")
    if not box.open:
        return
    with box:
        st.markdown(f"#### Step t = {step}")
        for part in parts(trace, step, sample_of(trace.experiment)):
            st.markdown(f"**{part.title}**. {part.explain}")
            formula, numbers = st.columns(2)
            formula.latex(part.latex)
            numbers.latex(part.numbers_latex)


def take_away(experiment: Experiment) -> None:
    """A few lines of Python that draw the same figure in a notebook."""
    box = st.expander("The same in a notebook", key="notebook", on_change="rerun")
    if not box.open:
        return
    with box:
        st.code(snippet(experiment, state.pins(), state.view().samples), language="python")
        st.caption("PNG, SVG and CSV of every figure: the buttons at its top right.")


def range_of_knob(key: str, trace: Trace) -> None:
    """Hand the curves of the knob's whole range to the figures, after they have been painted."""
    experiment, knob = trace.experiment, knob_of(trace.experiment)
    values = knob_values(experiment, knob)
    if not len(values):
        return  # the slider says so
    found = knob_frames(trace, knob, values, pinned_ghosts(experiment))
    revision = _revision(experiment, knob)
    state.remember_span(revision, found.span)
    moving = {"eigenvalues": eigenvalue_frames(experiment, state.view())} if knob == "weight_scale" else {}
    frames(
        key=key,
        revision=revision,
        values=values,
        tracks=found.tracks,
        scale_figures=moving,
        captions=knob_captions(trace, knob, values),
        layout=found.layout,
        views=found.views,
        view_of=found.view_of,
    )


def truth_meter(experiment: Experiment, rests: bool) -> None:
    """The engine against autograd and finite differences, for the present settings."""
    if not rests:
        st.caption(":material/hourglass_empty: The engine is being compared with PyTorch autograd …")
        return
    found = cache.verified(experiment)
    st.caption(f"{_JUDGEMENTS[found.verdict]} {found.text}")
