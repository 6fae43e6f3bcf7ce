"""Links: the round trip is exact, and no string, however odd, does more than leave a sentence."""

import re
import unicodedata
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.experiment import Experiment
from explorer.link import (
    MAX_PAIRS,
    MAX_SENTENCES,
    RESERVED,
    bounds_of,
    choices_of,
    describe_change,
    field_paths,
    from_query,
    kinds_of,
    to_query,
)
from tests.strategies import experiments

LONGEST_TEXT = 5000
KEPT = Experiment(seed=7, cell={"kind": "gru", "reset": "before"})  # stands beside every bad setting
KEPT_QUERY = "seed=7&cell=gru&cell.reset=before"
PATHS = sorted(
    {path for path, _, _ in field_paths(Experiment())} | {"cell.forget_bias", "signal.text", "pin", ""}
)


# ---- writing ----


def test_default_is_the_empty_query():
    assert to_query(Experiment()) == ""
    assert from_query("") == (Experiment(), [])


def test_query_is_readable_and_in_the_order_of_the_fields():
    experiment = Experiment(
        signal={"kind": "text", "text": "to be & not"},
        weight_scale=1.1,
        cell={"kind": "lstm", "forget_bias": 3},
        hidden_size=32,
    )
    assert to_query(experiment) == (
        "cell=lstm&cell.forget_bias=3&hidden_size=32&weight_scale=1.1&signal=text&signal.text=to+be+%26+not"
    )
    assert experiment.to_url() == to_query(experiment)


def test_a_kind_alone_stands_for_its_defaults():
    assert to_query(Experiment(cell={"kind": "lstm"}, loss={"kind": "step"})) == "cell=lstm&loss=step"


def test_fields_that_two_kinds_share_are_compared_with_their_own_kind():
    """Symmetric and Triangular both have a spectral radius, with different defaults."""
    for radius in (0.9, 1.0):
        experiment = Experiment(initializer={"kind": "triangular", "spectral_radius": radius})
        assert from_query(to_query(experiment)) == (experiment, [])


@given(experiments())
@settings(max_examples=50, deadline=None)
def test_round_trip(experiment):
    query = to_query(experiment)
    for link in (query, "?" + query, f"https://example.org:8501/vanishing?{query}#top"):
        found, sentences = Experiment.from_url(link)
        assert sentences == []
        assert found.canonical() == experiment.canonical()
    mapping = {key: value[-1] for key, value in parse_qs(query, keep_blank_values=True).items()}
    assert from_query(mapping) == (experiment, [])


@pytest.mark.parametrize("number", [0.1 + 0.2, 1 / 3, 5e-324, 1e-300, 4.0, 2**-52, 3.9999999999999996])
def test_floats_keep_every_digit(number):
    experiment = Experiment(weight_scale=number)
    found, _ = from_query(to_query(experiment))
    assert found.weight_scale.hex() == number.hex()


@pytest.mark.parametrize("character", ["a", "ü", "語", "😀", "%", "&", "+", "#", "\n", "\0"])
def test_the_longest_text_survives(character):
    experiment = Experiment(signal={"kind": "text", "text": character * LONGEST_TEXT})
    assert from_query("https://example.org/?" + to_query(experiment)) == (experiment, [])


# ---- reading what nobody should have written ----


def rejected(query: str, key: str) -> str:
    """The only sentence on ``query``, which names ``key``, with everything beside it kept."""
    found, sentences = from_query(f"{query}&{KEPT_QUERY}")
    assert found == KEPT
    assert len(sentences) == 1
    assert key in sentences[0]
    assert sentences[0].endswith(".")
    return sentences[0]


@pytest.mark.parametrize(
    "value", ["-3", "1", "513", "1e999", "-1e999", "nan", "inf", "-Infinity", "9" * 5000]
)
def test_integer_out_of_bounds(value):
    sentence = rejected(f"hidden_size={value}", "hidden_size")
    assert "is not allowed (2 to 512): 64 is used instead." in sentence
    assert value[:39] in sentence


@pytest.mark.parametrize("value", ["64.5", "abc", "", "0x40", "1_0", "٦٤", "1e", "--3", "6 4", "true", "%00"])
def test_not_an_integer(value):
    assert "is not a whole number (2 to 512): 64 is used instead." in rejected(
        f"hidden_size={value}", "hidden_size"
    )


@pytest.mark.parametrize(
    ("value", "number"), [("32.0", 32), ("3.2e1", 32), ("%20+32", 32), ("%2B32", 32), ("032", 32)]
)
def test_whole_numbers_in_other_spellings(value, number):
    assert from_query(f"hidden_size={value}") == (Experiment(hidden_size=number), [])


@pytest.mark.parametrize("value", ["4.0000001", "-1e-300", "1e999", "-1e999", "nan", "NaN", "inf"])
def test_float_out_of_bounds(value):
    assert rejected(f"weight_scale={value}", "weight_scale") == (
        f"weight_scale = {value} is not allowed (0 to 4): 1 is used instead."
    )


@pytest.mark.parametrize("value", ["1,5", "one", "", "1.2.3", "1.1%00"])
def test_not_a_number(value):
    assert "is not a number (0 to 4): 1 is used instead." in rejected(f"weight_scale={value}", "weight_scale")


def test_unknown_choice_lists_the_choices():
    assert rejected("dtype=float16", "dtype") == (
        "dtype = float16 is not one of the choices (float64 or float32): float64 is used instead."
    )


def test_unknown_kind_lists_the_kinds():
    assert rejected("loss=LAST", "loss").endswith("(last, every or step): last is used instead.")


def test_blanks_around_a_key_do_no_harm():
    assert from_query("%20hidden_size+=32") == (Experiment(hidden_size=32), [])


def test_field_of_a_kind_not_chosen():
    sentence = rejected("cell.forget_bias=3", "cell.forget_bias")
    assert "belongs to cell = lstm" in sentence
    assert "cell.update_bias" in sentence  # what this cell has instead


def test_kind_may_come_after_its_fields():
    found, sentences = from_query("cell.forget_bias=3&cell=lstm")
    assert (found.cell.forget_bias, sentences) == (3, [])


@pytest.mark.parametrize(
    "key", ["cell.kind", "cell.", "signal.nope", "cell.activation.x", "initializer.sigma.mu"]
)
def test_unknown_field_of_a_group(key):
    rejected(f"{key}=1", key)


def test_unknown_key_suggests_the_nearest():
    assert "perhaps weight_scale was meant." in rejected("wieght_scale=1", "wieght_scale")


@pytest.mark.parametrize("key", ["foo", ".", "__class__", "seed.x", "model_config"])
def test_unknown_key(key):
    rejected(f"{key}=1", key)


def test_a_key_without_a_name():
    rejected("=1", "(nothing)")


def test_repeated_key_the_last_one_counts():
    found, sentences = from_query("hidden_size=8&seed=3&hidden_size=16")
    assert found == Experiment(hidden_size=16, seed=3)
    assert sentences == ["hidden_size appears 2 times: the last one counts."]


def test_repeated_key_with_a_bad_last_value():
    found, sentences = from_query("hidden_size=8&seed=3&hidden_size=0")
    assert found == Experiment(seed=3)
    assert len(sentences) == 2


@pytest.mark.parametrize("length", [LONGEST_TEXT + 1, 1_000_000])
def test_long_text_is_cut(length):
    text = ("0123456789" * (length // 10 + 1))[:length]
    found, sentences = from_query(f"signal=text&signal.text={text}&seed=3")
    assert found == Experiment(signal={"kind": "text", "text": text[:LONGEST_TEXT]}, seed=3)
    assert sentences == ["signal.text is longer than 5000 characters: only the first 5000 are used."]


def test_long_text_of_emoji_is_cut_between_characters():
    found, sentences = from_query("signal=text&signal.text=" + "%F0%9F%98%80" * 20_000)
    assert found.signal.text == "😀" * LONGEST_TEXT
    assert len(sentences) == 1


def test_a_flood_of_keys_leaves_few_sentences():
    flood = "&".join(f"key{i}=1" for i in range(100_000))
    found, sentences = from_query(f"seed=3&{flood}&hidden_size=8")
    assert found == Experiment(seed=3)
    assert len(sentences) == MAX_SENTENCES
    assert str(MAX_PAIRS) in sentences[0]
    # 1000 pairs: the seed and 999 unknown ones, of which all but 18 stand in the last sentence.
    assert sentences[-1].startswith(f"{MAX_PAIRS - 1 - (MAX_SENTENCES - 2)} more")


@pytest.mark.parametrize("key", ["pin", "view.", "view.cursor"])
def test_keys_of_the_page_are_skipped_in_silence(key):
    assert from_query(f"{key}=anything&seed=3&{key}=again") == (Experiment(seed=3), [])


def test_no_setting_has_a_reserved_name():
    assert not [path for path in PATHS if path.startswith(RESERVED[1])]


@pytest.mark.parametrize(
    "link", ["https://example.org/", "http://[", "https://example.org/page#seed", "?", "&&", "?#"]
)
def test_addresses_without_settings(link):
    assert from_query(link) == (Experiment(), [])


def test_control_characters_and_length_of_shown_values():
    sentence = rejected("hidden_size=%07%1B[31m%E2%80%AEab%0Ac" + "x" * 500, "hidden_size")
    assert not [c for c in sentence if unicodedata.category(c).startswith("C")]
    shown = re.search("hidden_size = (.*) is not", sentence)[1]
    assert shown.startswith("[31mab c")
    assert len(shown) == 40
    assert shown.endswith("…")


def test_half_surrogates_in_a_mapping():
    found, _ = from_query({"signal": "text", "signal.text": "a\ud800b", "\udfff": "1"})
    assert found.signal.text == "a?b"


links = st.lists(
    st.tuples(
        st.sampled_from(PATHS) | st.text(max_size=8),
        st.text(max_size=8) | st.sampled_from(["lstm", "text", "3"]),
    ),
    max_size=6,
)


@given(
    st.text() | links.map(lambda pairs: "&".join(f"{key}={value}" for key, value in pairs)) | links.map(dict)
)
@settings(max_examples=200, deadline=None)
def test_any_string_gives_a_valid_experiment(query):
    found, sentences = from_query(query)
    assert Experiment.model_validate(found.model_dump()) == found
    assert all(sentence.endswith(".") and sentence.isprintable() for sentence in sentences)


# ---- the shared core ----


@given(experiments())
@settings(max_examples=50, deadline=None)
def test_field_paths_lead_back_to_the_experiment(experiment):
    found = Experiment()
    for path, value, _ in field_paths(experiment):
        found = found.changed(path, value)
    assert found == experiment


def test_every_leaf_has_exactly_one_way_to_be_chosen():
    for path, value, field in field_paths(Experiment()):
        kinds = [bool(bounds_of(field)), bool(choices_of(field)), field.annotation is str]
        assert sum(kinds) == 1, path
        assert not kinds_of(field) or value in kinds_of(field)


# ---- labels ----


def test_description_uses_titles_and_display_names():
    changed = Experiment(cell={"kind": "lstm", "forget_bias": 3}, weight_scale=1.1)
    assert describe_change(Experiment(), changed) == "LSTM · forget bias 3 · weight scale 1.1"
    assert describe_change(changed, changed.changed("cell.forget_bias", -0.5)) == "forget bias -0.5"
    assert describe_change(changed, Experiment()) == "vanilla RNN · weight scale 1"
    assert (
        describe_change(Experiment(), Experiment(cell={"activation": "relu", "kind": "rnn"}))
        == "activation ReLU"
    )


@given(experiments(), experiments())
@settings(max_examples=50, deadline=None)
def test_description_is_short_and_empty_only_when_equal(a, b):
    assert describe_change(a, a) == ""
    label = describe_change(a, b)
    assert len(label) <= 60
    assert bool(label) == (a != b)
    assert label.isprintable()
