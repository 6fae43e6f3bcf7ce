"""Search: greedy and beam search as a tree that grows, and whether the likeliest sequence is found."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.decoding.model_controls import model_controls
from explorer.app.decoding.search_words import search_words
from explorer.app.decoding.source import Source
from explorer.app.decoding.sources import source_of
from explorer.app.panel import panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.search_choices import WIDEST
from explorer.app.stories import Story, story_buttons
from explorer.app.view import View
from explorer.figures.found_sequences import Found
from explorer.figures.tree_layout import MOST_STEPS
from explorer.seq2seq.decoding import (
    TOYS,
    DecodingModel,
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
_MOST_CANDIDATES = 14_000  # that are looked at for the true optimum: some hundredths of a second
_ROWS = 16  # leaves one below the other that a tree of usual height has room for
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
    """Sentence, step slider, tree; below, what other settings find."""
    view, experiment = state.view(), state.experiment()
    source = source_of(view, "decoding_source")
    found = searched_of(view, source)
    symbols = source.model.symbols
    buttons, said, slider = st.container(), st.container(), st.container()
    count = len(found.search.steps)
    step = min(view.beam_step or count, count)
    tree = figures.search_tree(found.search, symbols, step, found.best)
    height = 520 if count > MOST_STEPS or tree["layout"]["yaxis"]["range"][0] > _ROWS else 380
    numbers = figures.search_tree_alt(found.search, symbols, step, found.best)
    first = panel_figure(experiment, "search_tree", tree, numbers, span=12, height=height)
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
    panel([first, *later], num_steps=1, cursor=0, key=KEY)
    with buttons:
        story_buttons(STORIES)
    with said:
        main, more = search_words(view, source, found, step)
        st.markdown(f"**{sections.literal(main)}** {sections.literal(more)}")
        for note in source.notes:
            st.caption(f":material/info: {sections.literal(note)}")
    with slider:
        _step_slider(step, count)


def _step_slider(step: int, count: int) -> None:
    """How much of the search is drawn; the last position follows the search when it gets longer."""
    if count == 1:
        return
    key = "view:beam_step"
    st.session_state[key] = step

    def take() -> None:
        chosen = int(st.session_state[key])
        state.look(beam_step=0 if chosen == count else chosen)

    st.slider("step of the search", 1, count, key=key, on_change=take, help="How many steps are drawn.")


def scoring_of(view: View, source: Source) -> Scoring:
    """How finished hypotheses are compared."""
    attention = source.model.attention
    coverage = view.beam_coverage if attention is not None else 0.0
    return Scoring(view.beam_norm, view.beam_alpha, coverage, attention)


def searched_of(view: View, source: Source) -> Searched:
    """The search of these choices, kept."""
    scoring, longest = scoring_of(view, source), view.beam_length
    step, end = source.model.step, source.model.end
    groups, strength = view.beam_groups, view.beam_strength if view.beam_groups > 1 else 0.0
    how = f"{view.beam_norm}|{view.beam_alpha if view.beam_norm != 'none' else ''}|{scoring.coverage}"

    def compute() -> Searched:
        search = diverse_beam(
            step,
            groups=groups,
            width=view.beam_width,
            strength=strength,
            end=end,
            max_length=longest,
            scoring=scoring,
        )
        likeliest = best_of(source.model, longest, Scoring())
        plain = view.beam_norm == "none" and not scoring.coverage
        best = likeliest if plain else best_of(source.model, longest, scoring)
        return Searched(search, greedy(step, end=end, max_length=longest), likeliest, best)

    key = f"search|{source.key}|{longest}|{how}|{view.beam_width}|{groups}|{strength}"
    return cache.remembered(key, compute)


def best_of(model: DecodingModel, longest: int, scoring: Scoring) -> Hypothesis | None:
    """The true optimum, or None if there are too many sequences."""
    limit = _MOST_CANDIDATES // len(model.symbols)
    try:
        return optimum(model.step, end=model.end, max_length=longest, scoring=scoring, limit=limit)
    except TooManySequences:
        return None


def winners_of(view: View, source: Source) -> list[Hypothesis]:
    """What plain beams of width 1 … 12 find under the chosen scoring, kept."""
    scoring, longest = scoring_of(view, source), view.beam_length

    def compute() -> list[Hypothesis]:
        model = source.model
        return [
            beam_search(model.step, width=width, end=model.end, max_length=longest, scoring=scoring).best
            for width in range(1, WIDEST + 1)
        ]

    how = f"{view.beam_norm}|{view.beam_alpha}|{scoring.coverage}"
    return cache.remembered(f"winners|{source.key}|{longest}|{how}", compute)


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
        rows.append(Found("true optimum", found.likeliest, "optimum"))
    return rows


def _settings(view: View, source: Source, found: Searched) -> Drawn:
    rows = cache.remembered(
        f"settings|{source.key}|{view.beam_length}|{found.search.best}",
        lambda: settings_of(view, source, found),
    )
    symbols = source.model.symbols
    return figures.found_sequences(rows, symbols), figures.found_sequences_alt(rows, symbols)
