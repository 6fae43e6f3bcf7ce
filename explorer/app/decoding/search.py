"""Search: greedy and beam search as a tree that grows, and whether the likeliest sequence is found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.decoding.model_controls import model_controls
from explorer.app.decoding.search_words import search_words, step_words
from explorer.app.decoding.source import Source
from explorer.app.decoding.sources import source_of
from explorer.app.panel import Scrub, frames, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.search_choices import WIDEST
from explorer.app.stories import Story, story_buttons
from explorer.app.view import View
from explorer.figures.found_sequences import Found
from explorer.figures.style import Figure
from explorer.seq2seq.decoding import (
    TOYS,
    Hypothesis,
    Scoring,
    Search,
    TooManySequences,
    beam_search,
    diverse_beam,
    greedy,
    optimum,
)

KEY = "decoding-search"
_PLAIN = {"beam_norm": "none", "beam_groups": 1, "beam_length": 8, "beam_step": 0, "decoding_source": "toy"}
STORIES: dict[str, Story] = {
    "greedy": Story(
        "Greedy loses",
        "Where does a beam of 2 find what greedy misses?",
        _PLAIN | {"decoding_toy": TOYS["greedy"].table, "beam_width": 2},
    ),
    "length": Story(
        "Length decides",
        "Does the longer sequence deserve to win?",
        _PLAIN
        | {"decoding_toy": TOYS["length"].table, "beam_width": 2, "beam_norm": "power", "beam_alpha": 0.6},
    ),
    "wider": Story(
        "Wider is worse",
        "How can a beam of 2 lose what greedy has found?",
        _PLAIN | {"decoding_toy": TOYS["wider"].table, "beam_width": 2},
    ),
    "endless": Story(
        "No way to end",
        "What if a cycle never leads to <eos>?",
        _PLAIN | {"decoding_toy": TOYS["endless"].table, "beam_width": 1},
    ),
    "text": Story(
        "Real text",
        "Is the likeliest text a good one?",
        _PLAIN | {"decoding_source": "text", "beam_width": 3, "beam_length": 30},
    ),
}
_MOST_CANDIDATES = 10_000  # that are looked at for the true optimum: some hundredths of a second
_HEIGHT = 400  # pixels of the tree: all of it is in sight at 1280 × 720
_BEAT = 900  # milliseconds that a step is shown for while the search is played
_SPANS = {"found_sequences": 5, "beam_widths": 3, "hypotheses": 4}


def side_bar() -> None:
    """The beam, how hypotheses are compared, and the model."""
    view = state.view()

    def beam() -> None:
        controls.view_control("beam_width")
        controls.view_control("beam_length")
        controls.view_control("beam_norm")
        if view.beam_norm != "none":
            controls.view_control("beam_alpha")
        if source_of(view, "decoding_source").model.attention is not None:
            controls.view_control("beam_coverage")

    def diverse() -> None:
        controls.view_control("beam_groups")
        controls.view_control("beam_strength")

    controls.group("beam", "Beam search", beam, opened=True)
    model_controls("decoding_source", opened=True)
    controls.group("beam_diverse", "Diverse beam search", diverse, opened=view.beam_groups > 1)


@dataclass(frozen=True)
class Searched:
    """A search with what it is compared with.

    Attributes:
        search: the chosen one.
        greedy: what greedy finds.
        likeliest: the sequence with the largest P; None if there are too many to search.
        best: the one with the largest score; ``likeliest`` without length normalisation and coverage.
    """

    search: Search
    greedy: Hypothesis
    likeliest: Hypothesis | None
    best: Hypothesis | None


def picture() -> None:
    """Sentence, tree with the slider of its steps; below, what other settings find."""
    buttons = st.container()
    _drawn()
    with buttons:
        story_buttons(STORIES)


@st.fragment
def _drawn() -> None:
    """Moving the slider of the steps runs this function alone, and only when it is released."""
    view, experiment = state.view(), state.experiment()
    source = source_of(view, "decoding_source")
    found = searched_of(view, source)
    symbols = source.model.symbols
    said = st.container()
    count = len(found.search.steps)
    step = min(view.beam_step or count, count)
    tree = figures.search_tree(found.search, symbols, step, found.best)
    numbers = figures.search_tree_alt(found.search, symbols, step, found.best)
    first = panel_figure(
        experiment, "search_tree", tree, numbers, span=12, height=_HEIGHT, wide=_width_of(tree)
    )
    parts = {
        "found_sequences": lambda: _settings(view, source, found),
        "beam_widths": lambda: _widths(view, source, found),
        "hypotheses": lambda: (
            figures.hypotheses(found.search, symbols),
            figures.hypotheses_alt(found.search, symbols),
        ),
    }
    later = [
        later_figure(experiment, name, draw, span=_SPANS[name], height=330) for name, draw in parts.items()
    ]
    revision = _key(view, source)
    result = panel(
        [first, *later],
        num_steps=1,
        cursor=0,
        key=KEY,
        scrub=Scrub("search_tree", "step", step, revision, beat=_BEAT) if count > 1 else None,
        token=revision,
        on_commit=lambda chosen: state.look(beam_step=0 if round(chosen) >= count else round(chosen)),
    )
    if result.rests and count > 1:
        frames(
            key=KEY,
            revision=revision,
            values=np.arange(1.0, count + 1),
            pictures=figures.search_trees(found.search, symbols, found.best),
            captions=[step_words(found.search, k) for k in range(1, count + 1)],
        )
    with said:
        main, more = search_words(view, source, found, step)
        st.markdown(f"**{sections.literal(main)}** {sections.literal(more)}")
        if source.notes:
            st.caption(f":material/info: {sections.literal(' · '.join(source.notes))}")


def _width_of(tree: Figure) -> int:
    """Pixels that the tree needs to be read."""
    low, high = tree["layout"]["xaxis"]["range"]
    return int(min(900, 140 * (high - low)))


def scoring_of(view: View, source: Source) -> Scoring:
    """How finished hypotheses are compared."""
    attention = source.model.attention
    coverage = view.beam_coverage if attention is not None else 0.0
    return Scoring(view.beam_norm, view.beam_alpha, coverage, attention)


def searched_of(view: View, source: Source) -> Searched:
    """The search of these choices, kept."""
    scoring, longest = scoring_of(view, source), view.beam_length
    step, end = source.model.step, source.model.end

    def compute() -> Searched:
        search = diverse_beam(
            step,
            groups=view.beam_groups,
            width=view.beam_width,
            strength=_strength(view),
            end=end,
            max_length=longest,
            scoring=scoring,
        )
        likeliest = best_of(source, longest, Scoring())
        plain = view.beam_norm == "none" and not scoring.coverage
        best = likeliest if plain else best_of(source, longest, scoring)
        return Searched(search, greedy(step, end=end, max_length=longest), likeliest, best)

    return cache.remembered(f"search|{_key(view, source)}", compute)


def _strength(view: View) -> float:
    """λ; without a second group there is nothing to avoid."""
    return view.beam_strength if view.beam_groups > 1 else 0.0


def _key(view: View, source: Source) -> str:
    """Names everything that decides the search."""
    beams = f"{view.beam_width}|{view.beam_groups}|{_strength(view)}"
    return f"{source.key}|{view.beam_length}|{_how(view, source)}|{beams}"


def _how(view: View, source: Source) -> str:
    """Names how finished hypotheses are compared."""
    alpha = view.beam_alpha if view.beam_norm != "none" else ""
    return f"{view.beam_norm}|{alpha}|{scoring_of(view, source).coverage}"


def best_of(source: Source, longest: int, scoring: Scoring) -> Hypothesis | None:
    """The true optimum, or None if there are too many sequences; kept, for it does not depend on the beam."""
    model = source.model
    limit = _MOST_CANDIDATES // len(model.symbols)

    def compute() -> Hypothesis | None:
        try:
            return optimum(model.step, end=model.end, max_length=longest, scoring=scoring, limit=limit)
        except TooManySequences:
            return None

    how = f"{scoring.normalisation}|{scoring.alpha}|{scoring.coverage}"
    return cache.remembered(f"optimum|{source.key}|{longest}|{how}", compute)


def winners_of(view: View, source: Source) -> list[Hypothesis]:
    """What plain beams of width 1 … 12 find under the chosen scoring, kept."""
    scoring, longest = scoring_of(view, source), view.beam_length

    def compute() -> list[Hypothesis]:
        model = source.model
        return [
            beam_search(model.step, width=width, end=model.end, max_length=longest, scoring=scoring).best
            for width in range(1, WIDEST + 1)
        ]

    return cache.remembered(f"winners|{source.key}|{longest}|{_how(view, source)}", compute)


def _is_scored(view: View, source: Source) -> bool:
    return view.beam_norm != "none" or scoring_of(view, source).coverage > 0


def _widths(view: View, source: Source, found: Searched) -> Drawn:
    winners, by_score = winners_of(view, source), _is_scored(view, source)
    return (
        figures.beam_widths(winners, view.beam_width, found.best, by_score=by_score),
        figures.beam_widths_alt(winners, found.best, by_score=by_score),
    )


def settings_of(view: View, source: Source, found: Searched) -> list[Found]:
    """What the chosen search finds, beside other settings."""
    model, longest = source.model, view.beam_length

    def beam(width: int, scoring: Scoring) -> Hypothesis:
        return beam_search(model.step, width=width, end=model.end, max_length=longest, scoring=scoring).best

    rows = [Found("greedy", found.greedy)]
    rows += [Found(f"beam {width}", beam(width, Scoring())) for width in (2, 5, 10)]
    rows.append(Found("beam 5, per token", beam(5, Scoring("power", 1.0))))
    rows.append(Found("your search", found.search.best, "chosen"))
    if found.likeliest is not None:
        rows.append(Found("likeliest of all", found.likeliest, "optimum"))
    return rows


def _settings(view: View, source: Source, found: Searched) -> Drawn:
    rows = cache.remembered(
        f"settings|{source.key}|{view.beam_length}|{found.search.best}",
        lambda: settings_of(view, source, found),
    )
    symbols = source.model.symbols
    return figures.found_sequences(rows, symbols), figures.found_sequences_alt(rows, symbols)
