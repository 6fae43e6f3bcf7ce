"""Sampling: what temperature, top-k and nucleus leave, and the texts of all strategies side by side."""

from __future__ import annotations

import html
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.decoding.model_controls import model_controls
from explorer.app.decoding.source import RealText, Source
from explorer.app.decoding.sources import source_of
from explorer.app.panel import panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.stories import Story, story_buttons
from explorer.app.view import View
from explorer.figures.decoding_looks import plain_sequence
from explorer.figures.sampled_texts import REAL, TextNumbers, repeated_share
from explorer.seq2seq.decoding import (
    Sampling,
    Step,
    TooManySequences,
    beam_search,
    exhaustive,
    filtered,
    greedy,
    sample,
    sample_counts,
)

KEY = "decoding-sampling"
_DRAWS = 500
_SHOWN = 8  # sequences of a toy in a row
_LIMIT = 4000  # prefixes that are extended for exact probabilities
_TEXT = {"sample_source": "text", "decoding_order": 6, "sample_read": 0}
STORIES: dict[str, Story] = {
    "side": Story(
        "Side by side",
        "Which strategy writes like the author?",
        _TEXT | {"sample_temperature": 0.7, "sample_top_k": 10, "sample_top_p": 0.8},
    ),
    "hot": Story(
        "Too hot",
        "What does a high temperature draw from?",
        _TEXT | {"sample_temperature": 2.0, "sample_top_k": 0, "sample_top_p": 1.0},
    ),
    "cold": Story(
        "Too cold",
        "What is left of chance at a low temperature?",
        _TEXT | {"sample_temperature": 0.1, "sample_top_k": 0, "sample_top_p": 1.0},
    ),
    "toy": Story(
        "Whole sequences",
        "How often is each sequence of the toy drawn?",
        {"sample_source": "toy", "sample_temperature": 1.0, "sample_top_k": 0, "sample_top_p": 0.8}
        | {"sample_read": 0},
    ),
}


def side_bar() -> None:
    """How tokens are drawn, and the model."""
    text = source_of(state.view(), "sample_source").letters

    def draw() -> None:
        for name in ("temperature", "top_k", "top_p"):
            controls.view_control(f"sample_{name}")
        controls.view_control("sample_length" if text else "beam_length")
        for name in ("seed", "read"):
            controls.view_control(f"sample_{name}")

    controls.group("sampling", "Sampling", draw, opened=True)
    model_controls("sample_source", opened=False)


@dataclass(frozen=True)
class Written:
    """What one strategy wrote: some sequences of tokens, of a text only one, and their log P in all."""

    label: str
    texts: tuple[tuple[int, ...], ...]
    log_prob: float

    @property
    def bits(self) -> float:
        """−log₂ P a token."""
        count = sum(map(len, self.texts))
        return -self.log_prob / math.log(2) / max(1, count) + 0.0


def picture() -> None:
    """Texts, the next token's distribution, and numbers of the texts."""
    view, experiment = state.view(), state.experiment()
    source = source_of(view, "sample_source")
    found = written_of(view, source)
    buttons, said, texts = (st.container() for _ in range(3))
    prefix = prefix_of(view, found)
    before, left = distributions(view, source, prefix)
    symbols = source.model.symbols
    behind = plain_sequence((*source.start, *prefix), symbols, 24)
    first = panel_figure(
        experiment,
        "next_tokens",
        figures.next_tokens(before, left, symbols, behind),
        figures.next_tokens_alt(before, left, symbols),
        span=7,
        height=300,
    )
    place: dict[str, Any] = {"span": 5, "height": 300}
    if source.letters:
        second = later_figure(experiment, "sampled_texts", lambda: _numbers(found, source), **place)
    else:
        second = later_figure(experiment, "sequence_frequencies", lambda: _frequencies(view, source), **place)
    panel([first, second], num_steps=1, cursor=0, key=KEY)
    with buttons:
        story_buttons(STORIES)
    with said:
        st.markdown(f"**{sampling_words(before, left, found, source)}**")
        if source.notes:
            st.caption(f":material/info: {sections.literal(' · '.join(source.notes))}")
    with texts:
        st.html(written_table(found, source))


def sampling_of(view: View) -> Sampling:
    """All three choices at once."""
    return Sampling(view.sample_temperature, view.sample_top_k, view.sample_top_p)


def prefix_of(view: View, found: list[Written]) -> tuple[int, ...]:
    """The tokens read of the first text with all choices; never its last one, behind which nothing comes."""
    own = next(one for one in found if one.label == OWN).texts[0]
    return own[: min(view.sample_read, len(own) - 1)]


OWN = "all your choices"


def written_of(view: View, source: Source) -> list[Written]:
    """What every strategy writes, kept."""
    length = view.sample_length if source.letters else view.beam_length
    chosen = (view.sample_temperature, view.sample_top_k, view.sample_top_p, view.sample_seed)
    return cache.remembered(f"written|{source.key}|{length}|{chosen}", lambda: _write(view, source, length))


def _write(view: View, source: Source, length: int) -> list[Written]:
    model, count = source.model, 1 if source.letters else _SHOWN

    def drawn(label: str, sampling: Sampling) -> Written:
        rng = np.random.default_rng(view.sample_seed)
        found = [sample(model.step, sampling, rng, end=model.end, max_length=length) for _ in range(count)]
        return Written(label, tuple(one.tokens for one in found), sum(one.log_prob for one in found))

    straight = greedy(model.step, end=model.end, max_length=length)
    wide = beam_search(model.step, width=5, end=model.end, max_length=length).best
    rows = [
        Written(name, (one.tokens,), one.log_prob) for name, one in (("greedy", straight), ("beam 5", wide))
    ]
    rows.append(drawn("pure sampling", Sampling()))
    rows.append(drawn(f"T = {view.sample_temperature:g}", Sampling(temperature=view.sample_temperature)))
    if view.sample_top_k:
        rows.append(drawn(f"top-{view.sample_top_k}", Sampling(top_k=view.sample_top_k)))
    if view.sample_top_p < 1:
        rows.append(drawn(f"nucleus {view.sample_top_p:g}", Sampling(top_p=view.sample_top_p)))
    rows.append(drawn(OWN, sampling_of(view)))
    if source.real is not None:
        rows.append(_real(source.real, length))
    return rows


def _real(real: RealText, length: int) -> Written:
    """The author's text, which the model has not counted."""
    start, tokens = real.start, real.tokens[:length]
    log_prob = sum(float(real.step(start + tokens[:k])[token]) for k, token in enumerate(tokens))
    return Written(REAL, (tokens,), log_prob)


def distributions(view: View, source: Source, prefix: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [V] of the next token behind a prefix, of the model and of what is drawn from."""
    log_probs = source.model.step(prefix)
    return np.exp(log_probs), sampling_of(view).probabilities(log_probs)


def _numbers(found: list[Written], source: Source) -> Drawn:
    shown = [TextNumbers(one.label, one.bits, repeated_share(one.texts[0])) for one in found]
    return figures.sampled_texts(shown), figures.sampled_texts_alt(shown)


@dataclass(frozen=True)
class Frequencies:
    """Sequence → probability under the model, with all choices, and how often it was drawn."""

    model: dict[tuple[int, ...], float]
    left: dict[tuple[int, ...], float]
    drawn: Counter[tuple[int, ...]]


def frequencies_of(view: View, source: Source) -> Frequencies:
    """Exact probabilities of all sequences of a toy, and 500 draws, kept.

    Raises:
        TooManySequences: there are too many to list.
    """
    model, length, sampling = source.model, view.beam_length, sampling_of(view)

    def exact(step: Step) -> dict[tuple[int, ...], float]:
        found = exhaustive(step, end=model.end, max_length=length, limit=_LIMIT)
        return {one.tokens: math.exp(one.log_prob) for one in found}

    def compute() -> Frequencies:
        plain = cache.remembered(f"sequences|{source.key}|{length}", lambda: exact(model.step))
        left = plain if sampling == Sampling() else exact(filtered(model.step, sampling))
        rng = np.random.default_rng(view.sample_seed)
        drawn = sample_counts(model.step, sampling, rng, _DRAWS, end=model.end, max_length=length)
        return Frequencies(plain, left, drawn)

    return cache.remembered(f"frequencies|{source.key}|{length}|{sampling}|{view.sample_seed}", compute)


def _frequencies(view: View, source: Source) -> Drawn:
    try:
        found = frequencies_of(view, source)
    except TooManySequences as error:
        said = f"There are too many sequences to list: {error}."
        return figures.message(said.replace(": ", ":<br>")), said
    shown = found.model, found.left, found.drawn, source.model.symbols
    return figures.sequence_frequencies(*shown), figures.sequence_frequencies_alt(*shown)


# ---- what is said ----


def sampling_words(before: np.ndarray, left: np.ndarray, found: list[Written], source: Source) -> str:
    """How many tokens are left, and what repeats itself."""
    kept = left > 0
    tokens = "characters" if source.letters else "tokens"
    covered = f"{100 * before[kept].sum():.0f} %"
    if covered == "100 %" and not kept.all():
        covered = "more than 99 %"
    said = (
        f"Here {kept.sum()} of {len(kept)} {tokens} may be drawn, to which the model gives {covered} of its "
        "probability."
    )
    if not source.letters:
        return said
    share = {one.label: 100 * repeated_share(one.texts[0]) for one in found}
    bits = {one.label: one.bits for one in found}
    said += f" Greedy takes {bits['greedy']:.1f} bits a character and repeats {share['greedy']:.0f} % of its "
    said += "4-grams"
    if REAL in share:
        said += f", the real text takes {bits[REAL]:.1f} bits and repeats {share[REAL]:.0f} %"
    return f"{said}."


def written_table(found: list[Written], source: Source) -> str:
    """The texts side by side, as HTML; whatever people typed is escaped."""
    rows = []
    for one in found:
        name = f"<b>{html.escape(one.label)}</b><br><small>{one.bits:.2f} bits</small>"
        if source.letters:
            written = "".join(source.model.symbols[token] for token in one.texts[0])
            start = (
                "…"
                if one.label == REAL
                else html.escape("".join(source.model.symbols[k] for k in source.start))
            )
            cell = f"<span class='said'>{start}</span>{html.escape(written)}"
        else:
            names = [plain_sequence(tokens, source.model.symbols) for tokens in one.texts]
            cell = " &nbsp;·&nbsp; ".join(map(html.escape, names))
        rows.append(f"<tr><th>{name}</th><td>{cell}</td></tr>")
    return f"{_STYLE}<table class='written'>{''.join(rows)}</table>"


_STYLE = """<style>
.written { border-collapse: collapse; width: 100%; font-size: 0.95rem; line-height: 1.25; }
.written th { text-align: left; white-space: nowrap; padding: 2px 14px 2px 0; font-weight: 400; }
.written th, .written td { vertical-align: top; }
.written th br { display: none; }
.written th small { opacity: 0.75; margin-left: 6px; }
.written td { padding: 2px 0; width: 100%; overflow-wrap: anywhere; }
.written .said { opacity: 0.6; }
@media (max-width: 640px) { .written th br { display: inline; } .written th small { margin-left: 0; } }
</style>"""
