"""The section Search of the page Decoding in Streamlit's own test runner."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.attention.taught import recipes_of
from explorer.app.decoding.model_controls import edited, resized
from explorer.app.decoding.search import KEY, STORIES, Searched, searched_of
from explorer.app.decoding.search_words import search_words
from explorer.app.decoding.source import Source
from explorer.app.decoding.sources import source_of
from explorer.app.decoding_choices import Decoding
from explorer.app.search_choices import SearchChoices
from explorer.app.view import View
from explorer.link import bounds_of
from explorer.seq2seq.decoding import TOYS, DecodingModel, MarkovModel, beam_search
from explorer.seq2seq.decoding.markov import read_table
from explorer.seq2seq.learning import Learner, trained_translator
from explorer.seq2seq.next_token import NextToken
from explorer.seq2seq.vocabulary import EOS
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, view, widget

FIELDS = SearchChoices.model_fields
SLIDERS = [name for name, field in FIELDS.items() if bounds_of(field)]
FIGURES = ["search_tree", "found_sequences", "beam_widths", "hypotheses"]


open_page = partial(open_section, "decoding", ["beam", "beam_diverse", "decoding_model"])


def sentence(at: AppTest) -> str:
    said: str = next(item.value for item in at.markdown if "**" in item.value)
    return said.replace("\\", "")


def captions(at: AppTest) -> str:
    return " ".join(item.value for item in at.caption).replace("\\", "")


def found_at(chosen: View) -> Searched:
    return searched_of(chosen, source_of(chosen, "decoding_source"))


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in figure["data"] if one.get("name") == name]
    return found


def assert_true_to(at: AppTest) -> None:
    """What is drawn is the search of the present choices."""
    chosen = view(at)
    figures: dict[str, dict[str, Any]] = panel_of(at, KEY)["figures"]
    assert list(figures) == FIGURES
    found = found_at(chosen)
    search, best = found.search, found.best
    winners = figures["beam_widths"]["data"][0]["y"]
    scored = chosen.beam_norm != "none"
    drawn = winners[min(chosen.beam_width, len(winners)) - 1]
    if chosen.beam_groups == 1:
        values = search.best.score, search.best.log_prob, math.exp(search.best.log_prob)
        assert any(
            drawn == pytest.approx(value, rel=1e-9) for value in (values[:1] if scored else values[1:])
        )
    if best is not None:
        assert best.rank <= search.best.rank
        assert figures["beam_widths"]["layout"]["shapes"]
    first = trace(figures["hypotheses"], "chosen")["x"][0]
    assert first == pytest.approx(search.best.score, rel=1e-9) or math.isinf(search.best.score)
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and figure["alt"]
        assert "nan" not in figure["alt"]
    assert "nan" not in sentence(at)


def test_the_first_picture_is_the_one_of_the_lecture() -> None:
    """SCIENCE: 0.0875 against 0.1625 found at beam 2."""
    at = open_page()
    assert view(at) == View() and view(at).decoding == "search"
    assert_true_to(at)
    assert "A beam of 2 finds “B <eos>” (P = 0.1625), the best of all sequences." in sentence(at)
    assert "Greedy finds “A C <eos>” (P = 0.0875)" in sentence(at)
    assert [item.key for item in at.button if item.proto.type == "primary"] == ["story:greedy"]


@pytest.mark.parametrize("name", SLIDERS)
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    for end in bounds_of(FIELDS[name]) or ():
        kind = type(FIELDS[name].default)
        at = open_page(**{"beam_groups": 2, "beam_norm": "power", name: kind(end)})
        assert getattr(view(at), name) == end
        assert_true_to(at)


@pytest.mark.parametrize("norm", get_args(FIELDS["beam_norm"].annotation))
def test_every_normalisation_is_drawn(norm: str) -> None:
    at = open_page(decoding_toy=TOYS["length"].table)
    healthy(widget(at, "view:beam_norm").set_value(norm).run())
    assert view(at).beam_norm == norm
    assert_true_to(at)
    assert ("“B C <eos>” (P = 0.252)" in sentence(at)) == (norm == "power")


def test_stories_are_one_click() -> None:
    at = open_page(beam_width=5, beam_length=3)
    said = {}
    for name, story in STORIES.items():
        healthy(at.button(key=f"story:{name}").click().run())
        assert all(getattr(view(at), field) == value for field, value in story.choices.items())
        assert_true_to(at)
        said[name] = sentence(at)
    assert "Length normalisation changes the winner: the likeliest is “A <eos>” (P = 0.3)" in said["length"]
    assert "the best is “C <eos>” (P = 0.2)" in said["wider"]
    assert "lost in step 2: “C <eos>” has 0.2, and what was kept has 0.2025 or more" in said["wider"]
    assert "Greedy search finds “A B A B A B A B” (P = 0.2816, cut off)" in said["endless"]
    assert "too many sequences to know the best one" in said["text"]


def test_a_cycle_without_an_end_is_said() -> None:
    at = open_page(decoding_toy=TOYS["endless"].table, beam_width=1)
    assert "A, B never lead to <eos>: sequences are cut off at the longest length." in captions(at)
    at = open_page(decoding_toy="A~1 0~1 0", beam_length=40)
    assert "<bos>, A never lead to <eos>" in captions(at) and "the longest length was reached" in sentence(at)


def test_the_step_of_the_address_draws_a_part() -> None:
    at = open_page(decoding_toy=TOYS["wider"].table, beam_step=2)
    panel = panel_of(at, KEY)
    assert panel["scrub"]["value"] == 2 and panel["scrub"]["beat"] > 0
    figure = panel["figures"]["search_tree"]
    assert max(trace(figure, "pruned")["x"]) == 2 and not len(trace(figure, "winner")["x"])
    assert "Step 2 of 4: 5 candidates, 2 kept. The best sequence was lost in step 2" in sentence(at).replace(
        "**", ""
    )
    panel = panel_of(open_page(decoding_toy=TOYS["wider"].table, beam_step=40), KEY)
    assert panel["scrub"]["value"] == 4 and len(trace(panel["figures"]["search_tree"], "winner")["x"]) == 1
    assert panel_of(open_page(beam_length=1), KEY)["scrub"] is None  # nothing to run through


def test_own_text_and_unknown_characters() -> None:
    at = open_page(decoding_source="text", decoding_own="abc " * 80, decoding_prompt="aXb", beam_length=12)
    assert_true_to(at)
    assert "they are left out: X" in captions(at)
    assert "“c abc abc ab”" in sentence(at) or "“c abc abc a" in sentence(at)


# ---- the table ----


def test_sums_other_than_one_are_divided_by_and_said() -> None:
    at = open_page(decoding_toy="A B~2 1 1~0 0 1~0 0 1")
    assert "The row of <bos> adds up to 4: it is divided by that." in captions(at)
    assert "“A <eos>” (P = 0.5)" in sentence(at)


def test_cells_words_and_toys_are_changed_in_the_view() -> None:
    at = open_page()
    healthy(widget(at, "toy-menu").set_value("wider").run())
    assert view(at).decoding_toy == TOYS["wider"].table
    healthy(widget(at, "toy-words:A B C").set_value("left right").run())
    assert view(at).decoding_toy == "left right~0.05 0.45 0~0.05 0.25 0.7~0 0.45 0"
    healthy(widget(at, "toy-words:left right").set_value("left left").run())
    assert view(at).decoding_toy.startswith("left right~")
    assert "A word appears twice" in at.warning[0].value.replace("\\", "")


def test_edited_cells() -> None:
    words, weights = read_table(TOYS["greedy"].table)
    found = edited(words, weights, {0: {"A": 0.25, "<eos>": None}, 3: {"C": 2}})
    expected = weights.copy()
    expected[0, 0], expected[0, 3], expected[3, 2] = 0.25, 0.0, 2.0
    np.testing.assert_array_equal(read_table(found)[1], expected)


def test_resized_tables_are_allowed() -> None:
    words, weights = read_table(TOYS["wider"].table)
    for names in (["x"], ["x", "y"], ["x", "y", "z"], list("uvwxyz")):
        found, table = read_table(resized(words, weights, names))
        kept = min(len(names), 3)
        assert found == tuple(names)
        np.testing.assert_array_equal(table[: kept + 1, :kept], weights[: kept + 1, :kept])
        assert (table.sum(axis=1) > 0).all()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("A~0.5 -1~1 0", "negative entry: -1"),
        ("A~0 0~1 0", "only zeros"),
        ("A~nan 1~1 0", "not a finite number"),
        ("A", "has 0 rows"),
        ("A B C D E F G" + "~1 0 0 0 0 0 0 0" * 8, "it has 7 words"),
    ],
)
def test_tables_that_are_none_are_refused(table: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Decoding(decoding_toy=table)
    seen, problems = View.from_query({"view.decoding_toy": table})
    assert seen == View() and "is not allowed" in problems[0]


# ---- addresses ----


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, text) for name in SLIDERS for text in ("nan", "99999", "-1")),
        ("beam_norm", "length"),
        ("decoding", "x"),
        ("decoding_source", "x"),
        ("decoding_order", "10"),
        ("decoding_prompt", "x" * 61),
        ("decoding_own", "x" * 5001),
    ],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View()
    assert len(problems) == 1 and f"view.{name}" in problems[0] and "is not allowed" in problems[0]


def test_a_bad_address_leaves_the_page_healthy() -> None:
    at = open_page(decoding_toy="A~x", beam_width="nan")
    said = "\n".join(item.value for item in at.warning).replace("\\", "")
    assert "view.decoding_toy" in said and "view.beam_width" in said
    assert_true_to(at)


def test_everything_is_in_the_address() -> None:
    chosen = View(
        decoding_toy=TOYS["wider"].table, beam_width=3, beam_norm="wu", beam_alpha=0.35, beam_groups=2
    )
    pairs = chosen.to_pairs()
    assert len(urlencode(pairs)) < 300
    assert View.from_query(pairs) == (chosen, [])


# ---- words ----


def test_words_never_claim_what_is_not_so() -> None:
    """The best is called so exactly where no sequence scores more."""
    rng = np.random.default_rng(4)
    for _ in range(60):
        table = rng.multinomial(10, [0.25] * 4, size=4) / 10
        text = "A B C~" + "~".join(" ".join(map(str, row)) for row in table)
        chosen = View(decoding_toy=text, beam_width=int(rng.integers(1, 4)), beam_length=5)
        found = found_at(chosen)
        source = source_of(chosen, "decoding_source")
        main, more = search_words(chosen, source, found, len(found.search.steps))
        plain = beam_search(source.model.step, width=chosen.beam_width, end=3, max_length=5)
        assert found.best is not None and plain.best == found.search.best
        assert ("the best of all sequences" in main) == (plain.best.tokens == found.best.tokens)
        lost = "was lost in step" in more
        assert not (lost and "the best of all sequences" in main)


@pytest.mark.parametrize("field", ["beam", "sample"])
def test_the_translator_of_the_attention_page_is_decoded(field: str) -> None:
    section = {"beam": "search", "sample": "sampling"}[field]
    source = {"beam": "decoding_source", "sample": "sample_source"}[field]
    small = {"taught_hidden": 8, "taught_steps": 20, "taught_batch": 4}
    at = open_page(**small, **{source: "translator"}, decoding=section, decoding_sentence="abc!")
    said = " ".join(item.value.replace("\\", "") for item in at.caption)
    assert "not trained yet" in said and "reads: abc" in said and "left out: !" in said


def test_without_eos_the_decoding_of_a_translator_ends_at_the_longest_length() -> None:
    small = {"taught_hidden": 8, "taught_steps": 20, "taught_batch": 4, "decoding_sentence": "abc"}
    at = open_page(**small, decoding_source="translator", attn_eos=False, beam_width=2, beam_length=4)
    found = found_at(view(at)).search.hypotheses
    assert found and all(len(one.tokens) == 4 and EOS not in one.tokens for one in found)


def test_a_search_through_a_translator_is_that_of_its_probabilities() -> None:
    small = {"taught_hidden": 8, "taught_steps": 20, "taught_batch": 4, "decoding_sentence": "abc"}
    at = open_page(**small, decoding_source="translator", beam_width=2, beam_length=5)
    recipe = next(iter(recipes_of(view(at)).values()))
    translator = trained_translator(recipe, Learner(recipe).learning.moments[-1])
    step = NextToken(translator, recipe.task.source.encode("abc"))
    ours = beam_search(step, width=2, end=EOS, max_length=5).hypotheses
    drawn = found_at(view(at)).search.hypotheses
    assert [one.tokens for one in drawn] == [one.tokens for one in ours]
    np.testing.assert_allclose([one.log_prob for one in drawn], [one.log_prob for one in ours])


def test_only_spaces_are_made_visible() -> None:
    at = open_page(decoding_source="text", decoding_order=1, beam_width=2, beam_length=6)
    assert "finds “␣␣␣␣␣␣”" in sentence(at)  # the likeliest character, again and again


def test_coverage_that_changes_the_winner_is_named() -> None:
    """Two sources positions, the second of which only “B <eos>” attends to."""
    table = np.array([[0.6, 0.4, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    model = MarkovModel(("A", "B"), table)

    def attention(tokens: tuple[int, ...]) -> np.ndarray:
        return np.array([[1.0, 0.0] if token == 0 else [0.0, 1.0] for token in tokens[:1]] + [[1.0, 0.0]])

    source = Source("coverage", DecodingModel(model, model.symbols, model.end, attention))
    said = {}
    for norm in ("none", "power"):
        chosen = View(beam_coverage=1.0, beam_norm=norm, beam_width=3)
        found = searched_of(chosen, source)
        main, said[norm] = search_words(chosen, source, found, len(found.search.steps))
        assert "“B <eos>” (P = 0.4), the best of all sequences" in main
    assert "Coverage changes the winner: the likeliest is “A <eos>” (P = 0.6)" in said["none"]
    assert "Length normalisation and coverage change the winner" in said["power"]


def test_only_what_ends_can_be_the_best_beside_what_is_cut_off() -> None:
    assert "(P = 0.5, cut off); the best that ends is" in sentence(open_page(beam_length=1))
