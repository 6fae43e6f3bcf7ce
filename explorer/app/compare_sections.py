"""The parts of the comparison around its figures."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.app import cache, controls
from explorer.app.compare_choices import Contender, own_is_chosen
from explorer.app.compare_measured import seconds
from explorer.app.sections import literal
from explorer.cells.echo import Echo
from explorer.figures import style
from explorer.measures.architecture_table import Fate

_TONES = {
    "vanishes": ("↘ vanishes", style.VERMILLION),
    "explodes": ("↗ explodes", style.VERMILLION),
    "survives": ("→ survives", style.GREEN),
    "dead": ("✕ exactly 0", style.OCHRE),
    "not_a_number": ("? no number", style.VERMILLION),
}
_DASHES = {
    "solid": (28,),
    "dash": (8, 4),
    "dot": (3, 3),
    "dashdot": (8, 3, 3, 3),
    "longdash": (13, 4),
    "longdashdot": (12, 3, 3, 3),
}
"""Dash of a curve → pixels of colour and of gap in turn."""
_RESERVOIR = (
    "A reservoir is frozen: training fits a readout by ridge regression and sends no gradient into it; "
    "its curve shows what a gradient would meet"
)
_HEADS = (
    ("architecture", "Its curve's colour and dashes, and its name."),
    ("N", "Hidden size: units in each layer and direction."),
    ("parameters", "Weights and biases of the network."),
    ("decades lost", "Factors of 10 that the drawn curve loses between the last loss and t = 0."),
    (
        "half-life",
        "Steps after which the drawn curve halves, bends at its ends left out; – where it does not.",
    ),
    ("ms", "Milliseconds of one run, forward and backward, measured on this computer: a median."),
    ("gradient", "What becomes of it."),
)


def side_bar() -> None:
    """The settings that all architectures share, and those of the person's own one."""
    with st.sidebar:
        controls.group("shared", "Shared by all", _shared, opened=True)
        if own_is_chosen():
            controls.group("own", "Your own architecture", _own, opened=True)
            controls.activations()
        controls.settings_of_run()


def _shared() -> None:
    for path in ("hidden_size", "num_steps", "batch_size", "weight_scale", "initializer"):
        controls.control(path)
    controls.fields_of("initializer")


def _own() -> None:
    controls.control("cell")
    controls.cell_settings()
    controls.control("network")
    controls.fields_of("network")


def table(contenders: Sequence[Contender], rests: bool) -> None:
    """Sizes and fates; run times are measured once the picture rests."""
    heads = "".join(f'<th scope="col" title="{html.escape(said)}">{name}</th>' for name, said in _HEADS)
    timed = [cache.kept(one.experiment, seconds) if rests else (np.nan, 0) for one in contenders]
    rows = "".join(_row(k, one, timed[k][0]) for k, one in enumerate(contenders))
    runs = min((count for _, count in timed), default=0)
    said = f"ms: median of {runs} runs" if runs > 1 else "ms: one run" if runs else "ms: being measured …"
    if any(_frozen(one) for one in contenders):
        said = f"{_RESERVOIR} · {said}"
    body = f"<div class='compare'><table><tr>{heads}</tr>{rows}</table></div>"
    st.html(f"{_STYLE}{body}<p class='compare'>{said}</p>")


_STYLE = """<style>
div.compare { overflow-x: auto; }
.compare table { width: 100%; border-collapse: collapse; font-size: 0.9rem; line-height: 1.25; }
.compare th { font-weight: 600; text-align: right; white-space: nowrap; }
.compare td { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.compare :is(th, td) { padding: 0.1rem 0.35rem; border: 0; }
.compare tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.compare :is(th, td):first-child { text-align: left; padding-left: 0; }
.compare i { display: inline-block; width: 1.75rem; height: 4px; margin: 0 0.4rem 0.2rem 0; }
p.compare { margin: 0; font-size: 0.8rem; text-align: right; opacity: 0.7; }
</style>"""


def _row(place: int, one: Contender, taken: float) -> str:
    color, dash, _ = style.LOOKS[place]
    name = f'<i style="background:{_stripes(color, dash)}"></i>{html.escape(one.architecture.title)}'
    tone, tint = _TONES[one.found.fate.tone]
    cells = [
        str(one.experiment.hidden_size),
        f"{one.found.parameters:,}{' frozen' if _frozen(one) else ''}",
        _lost(one.found.fate),
        _half_life(one.found.fate),
        "…" if np.isnan(taken) else f"{1e3 * taken:.3g}",
        f'<span style="color:{tint}">{tone}</span>',
    ]
    first = f'<td title="{html.escape(one.architecture.question)}">{name}</td>'
    return f"<tr>{first}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _frozen(one: Contender) -> bool:
    """Whether no gradient trains it."""
    return isinstance(one.experiment.cell, Echo)


def _stripes(color: str, dash: str) -> str:
    """A background that looks like the curve's line."""
    parts, place = [], 0
    for k, length in enumerate(_DASHES[dash]):
        parts.append(f"{'transparent' if k % 2 else color} {place}px {place + length}px")
        place += length
    return f"repeating-linear-gradient(90deg,{','.join(parts)})"


def _lost(fate: Fate) -> str:
    if np.isnan(fate.lost):
        return "–"
    return "all" if fate.lost == np.inf else f"{fate.lost:.1f}".replace("-", "−")


def _half_life(fate: Fate) -> str:
    if np.isnan(fate.half_life) or fate.half_life == np.inf:
        return "–"
    return "> 10,000" if fate.half_life > 1e4 else f"{float(f'{fate.half_life:.3g}'):,g}"


def questions(contenders: Sequence[Contender]) -> None:
    """What each architecture is there to answer: to be asked before the picture is shown."""
    with st.expander("Questions to ask"):
        st.markdown(
            "\n".join(f"- **{one.architecture.title}**: {one.architecture.question}" for one in contenders)
        )


def notes(contenders: Sequence[Contender]) -> None:
    """What the runs have to say; a sentence of several of them once, with their names unless all say it."""
    said: dict[str, list[str]] = {}
    for one in contenders:
        for note in one.found.notes:
            said.setdefault(note, []).append(one.architecture.title)
    for note, titles in said.items():
        whose = "" if len(titles) == len(contenders) else f"**{', '.join(titles)}**: "
        st.caption(f":material/info: {whose}{literal(note)}")
