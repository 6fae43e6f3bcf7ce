"""One score: a score is moved by hand, and weights, context and gradient follow without the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, state
from explorer.app.attention.map_words import low
from explorer.app.attention.setting import network, sequences, step_of, untrained
from explorer.app.attention_choices import KINDS, AttentionChoices
from explorer.app.panel import Scrub, frames, panel
from explorer.app.picture import panel_figure
from explorer.app.sections import TONES
from explorer.app.stories import Story, story_buttons
from explorer.experiment import Experiment
from explorer.figures.decades import plain
from explorer.lessons.equations_attention import attention_equations
from explorer.link import bounds_of
from explorer.seq2seq import run_translator
from explorer.seq2seq.context import ContextGradient, context_gradient, score_gradients

KEY = "attention-score"
UNITS = 8
"""Units of the network of this section: so few that every component of the context can be drawn."""
SOFT = ("additive", "dot", "general", "concat")
"""Kinds of attention whose weights are the softmax of all scores."""
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting
_WIDE: dict[str, Any] = {"span": 12, "height": 170}
_PLACE: dict[str, Any] = {"span": 6, "height": 200}
STORIES: dict[str, Story] = {
    "own": Story("The network's own score", "What does one score do?", {"attn_push": 0.0}),
    "sure": Story("Sure of it", "What if the attention looks at one word alone?", {"attn_push": 8.0}),
    "ignored": Story("Ignored", "What if a word is never looked at?", {"attn_push": -8.0}),
}


@dataclass(frozen=True)
class Moved:
    """One look of the decoder, with one score moved over its range.

    Attributes:
        own: e of the network, [Te].
        annotations: h_i, [Te, A].
        slopes: ∂e_i/∂h_i, [Te, A].
        k: the number of the moved score, from 1.
        values: what it is set to, [G].
        scores, weights, direct, through, total: [G, Te].
        contexts: [G, A].
    """

    own: np.ndarray
    annotations: np.ndarray
    slopes: np.ndarray
    k: int
    values: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    contexts: np.ndarray
    through: np.ndarray
    total: np.ndarray

    def at(self, push: float) -> tuple[np.ndarray, ContextGradient]:
        """Scores and context where ``push`` is added to the network's own score."""
        scores = self.own.copy()
        scores[self.k - 1] += push
        return scores, context_gradient(scores, self.annotations, self.slopes)


def kind_of(view: AttentionChoices) -> str:
    """The chosen kind of attention, or additive where its weights are no softmax of all scores."""
    return view.attn_kind if view.attn_kind in SOFT else "additive"


def moved_of(view: AttentionChoices) -> Moved:
    """The look of the chosen decoder step, kept."""
    settings = network(view, kind_of(view)).model_copy(update={"hidden_size": UNITS})
    source, target = sequences(settings, view.attn_few, view.attn_target)
    k, j = min(view.attn_pushed, view.attn_few), step_of(view)

    def compute() -> Moved:
        trace = run_translator(settings, source, target, translator=untrained(settings))
        assert trace.scores is not None
        own, h, slopes = trace.scores[j - 1], trace.encoder_states, score_gradients(trace)[j - 1]
        pushes = _pushes()
        scores = np.tile(own, (len(pushes), 1))
        scores[:, k - 1] += pushes
        looks = [context_gradient(row, h, slopes) for row in scores]
        return Moved(
            own, h, slopes, k, own[k - 1] + pushes, scores,
            np.stack([one.weights for one in looks]),
            np.stack([one.context for one in looks]),
            np.stack([one.through_score_norms for one in looks]),
            np.stack([_norms(one) for one in looks]),
        )  # fmt: skip

    return cache.remembered(f"one score|{settings.canonical()}|{source}|{target}|{k}|{j}", compute)


def _norms(found: ContextGradient) -> np.ndarray:
    """Largest singular values of ∂c/∂h_i, [Te]."""
    return np.asarray(np.linalg.norm(found.total, 2, axis=(1, 2)))


def _pushes() -> np.ndarray:
    """All values that can be added."""
    field = AttentionChoices.model_fields["attn_push"]
    low_end, high_end = bounds_of(field) or (0.0, 0.0)
    return np.linspace(low_end, high_end, round((high_end - low_end) / 0.25) + 1)


def side_bar() -> None:
    """A small network, its source, and the score that is moved."""

    def look() -> None:
        for name in ("pushed", "step", "few"):
            controls.view_control(f"attn_{name}")

    def small() -> None:
        shown = {kind: KINDS[kind] for kind in SOFT}
        controls.view_menu("attn_kind", kind_of(state.view()), shown)
        for name in ("cell", "bidirectional", "seed"):
            controls.view_control(f"attn_{name}")

    controls.group("attn_look", "Which score", look, opened=True)
    controls.group("attn_small", f"Encoder–decoder of {UNITS} units", small, opened=True)


@st.fragment
def picture() -> None:
    """Scores with the slider, the context, the ways back, and the same in equations."""
    view = state.view()
    buttons, said = st.container(), st.container()
    moved = moved_of(view)
    scores, found = moved.at(view.attn_push)
    k, value = moved.k, float(scores[moved.k - 1])
    revision = (
        f"{network(view, kind_of(view)).canonical()}|{view.attn_few}|{view.attn_target}|{k}|{step_of(view)}"
    )
    parts = found.weights, found.through_score_norms, _norms(found)
    own = float(moved.own[k - 1])
    panel(
        [
            panel_figure(
                _NO_EXPERIMENT,
                "one_score",
                figures.one_score(scores, found.weights, k, span=_ends(moved)),
                figures.one_score_alt(scores, found.weights, k),
                **_WIDE,
            ),
            panel_figure(
                _NO_EXPERIMENT,
                "score_context",
                figures.score_context(moved.annotations, found.context, k),
                figures.score_context_alt(moved.annotations, found.context, k),
                **_PLACE,
            ),
            panel_figure(
                _NO_EXPERIMENT,
                "score_paths",
                figures.score_paths(*parts, k, high=float(max(moved.through.max(), moved.total.max(), 1.0))),
                figures.score_paths_alt(*parts, k),
                **_PLACE,
            ),
        ],
        num_steps=1,
        cursor=0,
        key=KEY,
        scrub=Scrub("one_score", f"score e{low(k)}", value, revision),
        on_commit=lambda chosen: state.look(attn_push=_nearest(chosen - own)),
    )
    frames(
        key=KEY,
        revision=revision,
        values=moved.values,
        tracks=figures.one_score_tracks(moved.scores, moved.weights),
        figures={
            "score_context": figures.score_context_tracks(moved.contexts),
            "score_paths": figures.score_paths_tracks(moved.weights, moved.through, moved.total),
        },
        captions=_captions(moved),
    )
    with buttons:
        story_buttons(STORIES, "Drag the score: what happens to weights, context and gradient?")
    with said:
        if view.attn_kind not in SOFT:
            st.caption(
                f":material/info: The weights of {view.attn_kind} attention are not the softmax of all "
                "scores: additive is shown."
            )
        tone, sentence, more = score_words(moved, view.attn_push)
        st.markdown(f"{TONES[tone]} **{sentence}** {more}")
    _equations(scores, found, k)


def _nearest(push: float) -> float:
    """The allowed value that is meant: the slider's values have been rounded on their way."""
    pushes = _pushes()
    return float(pushes[np.abs(pushes - push).argmin()])


def _ends(moved: Moved) -> tuple[float, float]:
    """Ends of the scores' axis: everything that the slider can reach."""
    return min(0.0, float(moved.scores.min())), max(0.0, float(moved.scores.max()))


def _captions(moved: Moved) -> list[str]:
    at = moved.k - 1
    i = low(moved.k)
    rows = zip(moved.weights[:, at], moved.total[:, at], strict=True)
    return [f"α{i} = {plain(float(a))}, ‖∂c/∂h{i}‖ = {plain(float(t))}" for a, t in rows]


def score_words(moved: Moved, push: float) -> tuple[str, str, str]:
    """(tone, sentence, another one) on the moved score."""
    (_, before), (scores, after) = moved.at(0.0), moved.at(push)
    at, i = moved.k - 1, low(moved.k)
    alpha, through = float(after.weights[at]), float(after.through_score_norms[at])
    size = float(_norms(after)[at])
    paths = f"{plain(alpha)} directly, {plain(through)} through the score"
    if push == 0:
        sentence = (
            f"Score e{i} = {_signed(scores[at])} gives the weight α{i} = {plain(alpha)}, "
            f"and ‖∂c/∂h{i}‖ = {plain(size)}"
        )
    else:
        sentence = (
            f"e{i} moved from {_signed(moved.own[at])} to {_signed(scores[at])}: α{i} goes from "
            f"{plain(float(before.weights[at]))} to {plain(alpha)}, ‖∂c/∂h{i}‖ from "
            f"{plain(float(_norms(before)[at]))} to {plain(size)}"
        )
    others = float(np.delete(_norms(after), at).max())
    more = f"The largest of all others is {plain(others)}."
    if alpha > 0.95:
        more = f"The attention is sure: c is almost h{i}, the path through the score is almost closed. {more}"
    elif alpha < 0.01:
        more = f"What is not looked at gets no gradient, so it hardly learns to be looked at. {more}"
    return "survives" if size > 0.01 else "vanishes", f"{sentence} ({paths}).", more


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _equations(scores: np.ndarray, found: ContextGradient, k: int) -> None:
    """The derivation with the numbers of the moment."""
    box = st.expander(
        "The same in equations, with the numbers of this score",
        key="attn-equations",
        expanded=True,
        on_change="rerun",
    )
    if not box.open:
        return
    with box:
        for part in attention_equations(scores, found, k):
            st.markdown(f"**{part.title}**. {part.explain}")
            formula, numbers = st.columns(2)
            formula.latex(part.latex)
            numbers.latex(part.numbers_latex)
