"""The section Sampling of the page Decoding in Streamlit's own test runner."""

from __future__ import annotations

import html
import re
from functools import partial
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.decoding.sampling import (
    KEY,
    OWN,
    STORIES,
    distributions,
    frequencies_of,
    prefix_of,
    sampling_of,
    written_of,
    written_table,
)
from explorer.app.decoding.sources import source_of
from explorer.app.sampling_choices import SamplingChoices
from explorer.app.view import View
from explorer.figures.sampled_texts import REAL, repeated_share
from explorer.link import bounds_of
from explorer.seq2seq.decoding import TOYS
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, view

FIELDS = SamplingChoices.model_fields
SLIDERS = [name for name, field in FIELDS.items() if bounds_of(field)]


open_page = partial(open_section, "decoding", ["sampling", "decoding_model"], decoding="sampling")


def texts(at: AppTest) -> str:
    """The table of texts."""
    return next(item.proto.body for item in at.main if item.type == "html" and "written" in item.proto.body)


def assert_true_to(at: AppTest) -> None:
    chosen = view(at)
    source = source_of(chosen, "sample_source")
    figures: dict[str, dict[str, Any]] = panel_of(at, KEY)["figures"]
    text = chosen.sample_source == "text"
    assert list(figures) == ["next_tokens", "sampled_texts" if text else "sequence_frequencies"]
    found = written_of(chosen, source)
    before, left = distributions(chosen, source, prefix_of(chosen, found))
    order = np.argsort(-np.round(before, 12), kind="stable")
    drawn = figures["next_tokens"]["data"]
    count = min(len(before), 22)
    np.testing.assert_allclose(drawn[0]["y"][:count], before[order][:count], atol=1e-7)
    np.testing.assert_allclose(drawn[1]["y"][:count], left[order][:count], atol=1e-7)
    if text:
        points = {one["name"]: (one["x"][0], one["y"][0]) for one in figures["sampled_texts"]["data"]}
        for one in found:
            assert points[one.label] == pytest.approx(
                (one.bits, 100 * repeated_share(one.texts[0])), abs=1e-6
            )
            total = sum(map(len, one.texts))
            assert total == chosen.sample_length
            written = html.escape("".join(source.model.symbols[token] for token in one.texts[0]))
            assert written in texts(at)
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and figure["alt"] and "nan" not in figure["alt"]


def test_the_first_picture_tells_the_story() -> None:
    """Holtzman et al.: greedy repeats itself, real text does not and is less likely."""
    at = open_page()
    assert_true_to(at)
    found = {one.label: one for one in written_of(view(at), source_of(view(at), "sample_source"))}
    assert list(found) == ["greedy", "beam 5", "pure sampling", "T = 0.7", "top-10", "nucleus 0.8", OWN, REAL]
    assert found["greedy"].bits < found[REAL].bits and found["beam 5"].bits < found["greedy"].bits
    assert repeated_share(found["greedy"].texts[0]) > 0.5
    assert repeated_share(found[REAL].texts[0]) < 0.1
    said = next(item.value for item in at.markdown if "**" in item.value)
    assert re.search(r"Here \d+ of \d+ characters may be drawn", said) and "the real text takes" in said


@pytest.mark.parametrize("name", SLIDERS)
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    for end in bounds_of(FIELDS[name]) or ():
        kind = type(FIELDS[name].default)
        at = open_page(**{name: kind(end)})
        assert getattr(view(at), name) == end
        assert_true_to(at)


@pytest.mark.parametrize("name", TOYS)
def test_every_toy_is_drawn(name: str) -> None:
    at = open_page(sample_source="toy", decoding_toy=TOYS[name].table)
    assert_true_to(at)
    figure = panel_of(at, KEY)["figures"]["sequence_frequencies"]
    model, left, drawn = (np.asarray(one["y"], float) for one in figure["data"])
    error = np.sqrt(left * (1 - left) / 500)
    assert (np.abs(drawn - left) <= 4 * error + 1e-9).all() and (model > 0).all()
    chosen = view(at)
    every = len(frequencies_of(chosen, source_of(chosen, "sample_source")).model)
    title = figure["layout"]["xaxis"]["title"]["text"]
    assert title == (f"the 12 likeliest of {every:,} sequences" if every > 12 else "")


def test_too_many_sequences_are_said() -> None:
    at = open_page(sample_source="toy", beam_length=40)
    figure = panel_of(at, KEY)["figures"]["sequence_frequencies"]
    assert "too many sequences" in figure["layout"]["annotations"][0]["text"]


def test_stories_are_one_click() -> None:
    at = open_page()
    for name, story in STORIES.items():
        healthy(at.button(key=f"story:{name}").click().run())
        assert all(getattr(view(at), field) == value for field, value in story.choices.items())
        assert_true_to(at)


def test_the_extremes_of_temperature_are_as_said() -> None:
    source = source_of(View(), "sample_source")
    bits = {}
    for temperature in (0.05, 3.0):
        chosen = View(sample_temperature=temperature, sample_top_k=0, sample_top_p=1.0)
        bits[temperature] = written_of(chosen, source)[-2].bits
        assert sampling_of(chosen).temperature == temperature
    assert bits[0.05] < 1.5 < 4 < bits[3.0]


def test_what_people_type_is_escaped() -> None:
    chosen = View(decoding_own="<script>alert(1)</script> & more " * 12, decoding_prompt="<script>")
    source = source_of(chosen, "sample_source")
    table = written_table(written_of(chosen, source), source)
    assert "<script" not in table and "&lt;script&gt;" in table
    at = open_page(decoding_own=chosen.decoding_own, decoding_prompt="<script>")
    assert "<script" not in texts(at)


@pytest.mark.parametrize("own", ["a", "ab", "ab " * 80, "a bc " * 500, "我们"])
def test_own_texts(own: str) -> None:
    at = open_page(decoding_own=own, decoding_prompt="")
    assert_true_to(at)
    assert (REAL in texts(at)) == (len(own.strip()) >= 2000)


@pytest.mark.parametrize("name", SLIDERS)
@pytest.mark.parametrize("text", ["nan", "99999", "-1"])
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View()
    assert len(problems) == 1 and f"view.{name}" in problems[0] and "is not allowed" in problems[0]
