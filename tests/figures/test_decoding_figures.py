"""Figures of decoding and of BLEU, tested by what they draw."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.figures.beam_widths import (
    BEAM_WIDTH_TRACES,
    beam_widths,
    beam_widths_alt,
    plot_beam_widths,
    worse_widths,
)
from explorer.figures.bleu_parts import bleu_parts, bleu_parts_alt, plot_bleu_parts
from explorer.figures.decoding_looks import plain_sequence, probability, sequence_name
from explorer.figures.found_sequences import (
    Found,
    found_sequences,
    found_sequences_alt,
    hypotheses,
    hypotheses_alt,
    plot_found_sequences,
    plot_hypotheses,
)
from explorer.figures.next_tokens import MOST_TOKENS, next_tokens, next_tokens_alt, plot_next_tokens
from explorer.figures.sampled_texts import (
    REAL,
    TextNumbers,
    plot_sampled_texts,
    repeated_share,
    sampled_texts,
    sampled_texts_alt,
)
from explorer.figures.score_table import plot_score_table, score_table, score_table_alt
from explorer.figures.search_tree import plot_search_tree, search_tree, search_tree_alt, search_trees
from explorer.figures.sequence_frequencies import (
    plot_sequence_frequencies,
    sequence_frequencies,
    sequence_frequencies_alt,
)
from explorer.figures.tree_layout import MOST_ROWS, MOST_STEPS, tree_layout
from explorer.seq2seq.bleu import bleu
from explorer.seq2seq.decoding import (
    TOYS,
    CharacterNgrams,
    DecodingModel,
    Sampling,
    Scoring,
    beam_search,
    diverse_beam,
    exhaustive,
    filtered,
    optimum,
)
from explorer.seq2seq.sentence_scores import EXAMPLES, sentence_scores

TEXT = "it was the best of times, it was the worst of times, it was the age of wisdom " * 3
NGRAMS = CharacterNgrams(TEXT, 4)


def toy(name: str) -> DecodingModel:
    model = TOYS[name].model
    return DecodingModel(model, model.symbols, model.end)


def searched(name: str, width: int):
    model = toy(name)
    search = beam_search(model.step, width=width, end=model.end, max_length=8)
    return model, search, optimum(model.step, end=model.end, max_length=8)


def trace(figure, name: str):
    (found,) = [one for one in figure["data"] if one["name"] == name]
    return found


def notes(figure) -> str:
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


# ---- the tree ----


@pytest.mark.parametrize("name", TOYS)
@pytest.mark.parametrize("width", [1, 2, 3])
def test_the_tree_grows_to_the_whole_search(name: str, width: int) -> None:
    model, search, best = searched(name, width)
    before: set[tuple[float, float]] = set()
    trees = search_trees(search, model.symbols, best)
    assert len(trees) == len(search.steps)
    for step in range(1, len(search.steps) + 1):
        figure = trees[step - 1]
        points = {
            (x, y)
            for kind in ("pruned", "kept", "finished", "cut off")
            for x, y in zip(trace(figure, kind)["x"], trace(figure, kind)["y"], strict=True)
        }
        assert before <= points  # nothing moves while it grows
        before = points
        drawn = sum(len(candidates) for candidates in search.steps[:step])
        left_out = f"{drawn - len(points)} candidates not drawn"
        assert (left_out in notes(figure)) == (drawn > len(points))
        assert len(trace(figure, "winner")["x"]) == (step == len(search.steps))
        assert str(figure) == str(search_tree(search, model.symbols, step, best))
    for kind, fate in (("kept", 1), ("finished", 2), ("cut off", 3)):
        assert len(trace(figure, kind)["x"]) == sum((one.fates == fate).sum() for one in search.steps)


def test_the_tree_says_the_numbers_of_the_lecture() -> None:
    model, search, best = searched("greedy", 2)
    figure = search_tree(search, model.symbols, len(search.steps), best)
    said = " ".join([notes(figure), *(text for one in figure["data"] for text in one.get("text", []))])
    for number in ("0.0875", "0.1625", "0.175", ">0.5<", "0.65"):
        assert number in said
    said = search_tree_alt(search, model.symbols, 3, best)
    assert "the winner is “B <eos>” with 0.1625, which is the true optimum" in said
    assert search_tree_alt(search, model.symbols, 1).startswith("Step 1 of 3: 4 candidates, 2 of them kept.")


def test_the_optimum_is_marked_where_it_was_lost() -> None:
    model, search, best = searched("wider", 2)
    figure = search_tree(search, model.symbols, 2, best)
    mark = trace(figure, "optimum")
    pruned = trace(figure, "pruned")
    places = list(zip(pruned["x"], pruned["y"], strict=True))
    at = places.index((mark["x"][0], mark["y"][0]))
    assert "C &lt;eos&gt;<br>P = 0.2" in pruned["hovertext"][at]
    assert "the optimum “C <eos>” has 0.2" in search_tree_alt(search, model.symbols, 4, best)


@given(width=st.integers(1, 12), groups=st.integers(1, 3), length=st.integers(1, 25), data=st.data())
@settings(max_examples=25, deadline=None)
def test_large_trees_are_condensed(width: int, groups: int, length: int, data: st.DataObject) -> None:
    search = diverse_beam(NGRAMS, groups=groups, width=width, strength=0.4, end=None, max_length=length)
    last = data.draw(st.integers(0, len(search.steps) - 1))
    layout = tree_layout(search, last, [])
    every = sum(len(candidates) for candidates in search.steps[: last + 1])
    assert layout.left_out == every - len(layout.parents)
    assert last - layout.first < MOST_STEPS and max(y for _, y in layout.places.values()) <= MOST_ROWS
    assert set(layout.parents.values()) <= set(layout.places)
    heights = [place for node, place in layout.places.items() if node not in layout.parents.values()]
    assert len({y for _, y in heights}) == len(heights)  # no two leaves on one line
    figure = search_tree(search, NGRAMS.symbols, last + 1)
    missing = every - drawn_in(figure)
    assert (f"{missing:,} candidates not drawn" in notes(figure)) == (missing > 0)
    assert search_tree_alt(search, NGRAMS.symbols, last + 1)


def drawn_in(tree) -> int:
    return sum(len(trace(tree, name)["x"]) for name in ("pruned", "kept", "finished", "cut off"))


def test_winner_and_optimum_are_drawn_whatever_is_left_out() -> None:
    model = toy("wider")
    search = beam_search(model.step, width=12, end=model.end, max_length=8)
    best = optimum(model.step, end=model.end, max_length=8)
    figure = search_tree(search, model.symbols, len(search.steps), best)
    assert "of them kept" in notes(figure)
    for name in ("winner", "optimum"):
        assert trace(figure, name)["x"] == [2]  # C <eos>


def test_every_label_has_a_row_of_its_own() -> None:
    """A score on an edge stands on the row of its node, beside no other of the same column."""
    search = beam_search(NGRAMS, width=4, end=None, max_length=12)
    figure = search_tree(search, NGRAMS.symbols, 12)
    edges = trace(figure, "edge labels")
    places = list(zip(edges["x"], edges["y"], strict=True))
    assert len(places) == len(set(places)) == drawn_in(figure)
    rows = [sorted(y for x, y in places if x == column) for column in {x for x, _ in places}]
    assert min(np.diff(row).min() for row in rows if len(row) > 1) > 0.999
    for name in ("pruned labels", "kept labels"):
        assert all(text.strip() for text in trace(figure, name)["text"])


@pytest.mark.parametrize("step", [0, 4])
def test_a_step_that_is_none_is_refused(step: int) -> None:
    model, search, _ = searched("greedy", 2)
    with pytest.raises(ValueError, match=f"step = {step} is not allowed: choose from 1 to 3"):
        search_tree(search, model.symbols, step)


# ---- what is found ----


def test_widths_show_where_wider_is_worse() -> None:
    model = toy("wider")
    found = [beam_search(model.step, width=k, end=model.end, max_length=8).best for k in range(1, 5)]
    best = optimum(model.step, end=model.end, max_length=8)
    figure = beam_widths(found, 2, best)
    np.testing.assert_allclose(figure["data"][BEAM_WIDTH_TRACES["found"]]["y"], [0.2, 0.099, 0.2, 0.2])
    np.testing.assert_allclose(figure["data"][BEAM_WIDTH_TRACES["worse"]]["y"][:2], [0.2, 0.099])
    np.testing.assert_array_equal(figure["data"][BEAM_WIDTH_TRACES["chosen"]]["x"], [2])
    assert worse_widths(found) == [2] and "wider is worse" in notes(figure)
    assert figure["layout"]["shapes"][0]["y0"] == pytest.approx(0.2)
    assert "worse than the width before: 2; the optimum has 0.2" in beam_widths_alt(found, best)
    scores = beam_widths(found, 9, best, by_score=True)["data"][0]["y"]
    np.testing.assert_allclose(scores, np.log([0.2, 0.099, 0.2, 0.2]))


def test_what_is_cut_off_is_named_and_never_better() -> None:
    model = toy("endless")
    found = [beam_search(model.step, width=k, end=model.end, max_length=8).best for k in (1, 2)]
    figure = beam_widths(found, 1)
    assert "cut off" in notes(figure) and worse_widths(found) == []
    np.testing.assert_array_equal(figure["data"][BEAM_WIDTH_TRACES["cut off"]]["x"], [1])
    rows = [Found("greedy", found[0]), Found("beam 2", found[1], "chosen")]
    drawn = found_sequences(rows, model.symbols)
    assert len(trace(drawn, "cut off")["x"]) == 1 and "greedy “A B A B" in found_sequences_alt(
        rows, model.symbols
    )
    assert "cut off" in found_sequences_alt(rows, model.symbols)


def test_hypotheses_are_in_the_order_of_their_scores() -> None:
    model = toy("length")
    search = beam_search(model.step, width=6, end=model.end, max_length=8, scoring=Scoring("power", 1.0))
    figure = hypotheses(search, model.symbols, most=4)
    x = np.concatenate([trace(figure, "chosen")["x"], trace(figure, "other")["x"]])
    np.testing.assert_allclose(x, [one.score for one in search.hypotheses[:4]])
    assert (np.diff(x) <= 0).all()
    assert f"{len(search.hypotheses) - 4} more not drawn" in notes(figure)
    assert hypotheses_alt(search, model.symbols).startswith("First “")
    assert "No sequence" in notes(found_sequences([], model.symbols))


# ---- sampling ----


@given(logits=st.lists(st.floats(-12, 0), min_size=1, max_size=60), k=st.integers(0, 10))
@settings(max_examples=40)
def test_all_probability_is_drawn(logits: list[float], k: int) -> None:
    log_probs = np.array(logits) - np.logaddexp.reduce(logits)
    left = Sampling(0.8, k, 0.9).probabilities(log_probs)
    symbols = [chr(0x4E00 + j) for j in range(len(logits))]
    figure = next_tokens(np.exp(log_probs), left, symbols)
    for name in ("model", "left"):
        assert trace(figure, name)["y"].sum() == pytest.approx(1, abs=1e-9)
    assert len(trace(figure, "model")["y"]) == min(len(logits), MOST_TOKENS + 1)
    assert f"may be drawn: {(left > 0).sum()} of {len(logits)}" in notes(figure)
    assert f"{(left > 0).sum()} may be drawn" in next_tokens_alt(np.exp(log_probs), left, symbols)


def test_what_people_type_is_escaped() -> None:
    figure = next_tokens(np.array([0.5, 0.5]), np.array([1.0, 0]), ["<b>", "&"], behind="<i>")
    assert figure["layout"]["xaxis"]["ticktext"] == ["&lt;b&gt;", "&amp;"]
    assert "&lt;i&gt;" in figure["layout"]["xaxis"]["title"]["text"]
    assert sequence_name((0, 1), ["<b>", "x"]) == "&lt;b&gt; x"


def test_sequences_and_probabilities_are_written_as_people_do() -> None:
    assert plain_sequence((0, 1, 0), ["a", " "]) == "a␣a"
    assert plain_sequence((0, 1, 0), ["a", " "], visible=False) == "a a"
    assert plain_sequence((0,) * 50, ["a", "b"], 10) == "…" + "a" * 9
    assert [probability(math.log(p)) for p in (1.0, 0.0875, 0.25, 0.001)] == ["1", "0.0875", "0.25", "0.001"]
    assert probability(-30.0) == "9.36·10⁻¹⁴" and probability(-5000.0).endswith("·10⁻²¹⁷²")


@given(tokens=st.lists(st.integers(0, 2), max_size=30))
def test_repeated_share(tokens: list[int]) -> None:
    grams = [tuple(tokens[k : k + 4]) for k in range(len(tokens) - 3)]
    again = sum(gram in grams[:k] for k, gram in enumerate(grams))
    assert repeated_share(tokens) == pytest.approx(again / len(grams) if grams else 0)


def test_texts_are_points() -> None:
    found = [TextNumbers("greedy", 0.5, 0.9), TextNumbers(REAL, 2.0, 0.05)]
    figure = sampled_texts(found)
    assert [one["x"][0] for one in figure["data"]] == [0.5, 2.0]
    assert [one["y"][0] for one in figure["data"]] == [90, 5]
    assert "greedy 0.50 bits and 90 %" in sampled_texts_alt(found) and REAL in notes(figure)
    assert sampled_texts([])["data"] == []


def test_frequencies_stand_beside_probabilities() -> None:
    model = toy("greedy")
    every = {
        name: {one.tokens: math.exp(one.log_prob) for one in exhaustive(step, end=3, max_length=5)}
        for name, step in (("model", model.step), ("left", filtered(model.step, Sampling(top_k=2))))
    }
    drawn = Counter({(1, 3): 30, (0, 2, 3): 10})
    figure = sequence_frequencies(every["model"], every["left"], drawn, model.symbols)
    assert trace(figure, "model")["y"][0] == pytest.approx(0.1625)
    assert trace(figure, "drawn")["y"][0] == 0.75
    assert (np.diff(trace(figure, "model")["y"]) <= 0).all()
    said = sequence_frequencies_alt(every["model"], every["left"], drawn, model.symbols)
    assert "“B <eos>” has 0.1625 under the model" in said and "75.0 % of 40 draws" in said
    assert sequence_frequencies_alt({}, {}, {}, model.symbols) == "There is no sequence."


# ---- BLEU ----


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_bars_are_the_parts(name: str) -> None:
    one = EXAMPLES[name]
    parts = bleu(one.candidate, one.reference, tokeniser=one.tokeniser)
    figure = bleu_parts(parts)
    (bars,) = figure["data"]
    np.testing.assert_array_equal(bars["y"], [*parts.precisions, 100 * parts.brevity_penalty, parts.score])
    assert f"{parts.matches[0].count}/{parts.matches[0].total}" in figure["layout"]["xaxis"]["ticktext"][0]
    assert f"BLEU {parts.score:.2f}" in bleu_parts_alt(parts)


def test_an_empty_candidate_has_bars_of_zero() -> None:
    figure = bleu_parts(bleu("", "a b"))
    assert not np.any(figure["data"][0]["y"]) and "none" in figure["layout"]["xaxis"]["ticktext"][0]


def test_the_table_has_the_scores() -> None:
    one = EXAMPLES["negation"]
    scores = {"Negation": (sentence_scores(one.candidate, one.reference), False)}
    scores["same"] = (sentence_scores("a", "a"), None)
    figure = score_table(scores, "Negation")
    (heat,) = figure["data"]
    assert heat["text"] == [["81.5", "95.1", "7.1", "no", "no"], ["100.0", "100.0", "0.0", "yes", "–"]]
    np.testing.assert_allclose(heat["z"][0][:3], [81.535, 95.089, 100 - 7.143], atol=1e-3)
    assert np.isnan(heat["z"][1][4]) and heat["z"][1][3] == 100
    assert figure["layout"]["yaxis"]["ticktext"][0] == "<b>Negation</b>"
    assert "Negation BLEU 81.5, chrF 95.1, TER 7.1, meaning changed" in score_table_alt(scores)


# ---- notebooks ----


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_has_a_notebook_form(dark: bool) -> None:
    model, search, best = searched("greedy", 2)
    one = EXAMPLES["negation"]
    for figure in (
        plot_search_tree(model, dark=dark),
        plot_search_tree(DecodingModel(NGRAMS, NGRAMS.symbols, None), max_length=20, step=7, dark=dark),
        plot_beam_widths(model, dark=dark),
        plot_hypotheses(search, model.symbols, dark=dark),
        plot_found_sequences([Found("optimum", best, "optimum")], model.symbols, dark=dark),
        plot_next_tokens(model.step(()), Sampling(top_k=2), model.symbols, dark=dark),
        plot_sampled_texts([TextNumbers(REAL, 1.0, 0.0)], dark=dark),
        plot_sequence_frequencies({(3,): 1.0}, {(3,): 1.0}, {(3,): 2}, model.symbols, dark=dark),
        plot_bleu_parts(one.candidate, one.reference, dark=dark),
        plot_score_table(dark=dark),
    ):
        assert isinstance(figure, go.Figure) and "token:" not in figure.to_json()
