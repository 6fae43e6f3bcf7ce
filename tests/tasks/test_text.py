"""Character text: targets are the next characters, the tail is never trained on, odd texts are met."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.tasks import CharacterText
from explorer.tasks.text import MOST_SYMBOLS, OTHER, encode


def own(text: str) -> CharacterText:
    return CharacterText(source="own", own=text)


def read_back(task: CharacterText, inputs: np.ndarray) -> list[str]:
    assert np.array_equal(inputs.sum(axis=2), np.ones(inputs.shape[:2]))
    return ["".join(task.encoded.symbols[k] for k in column) for column in inputs.argmax(axis=2).T]


@given(st.text(min_size=12, max_size=80), st.integers(2, 5), st.integers(0, 99))
@settings(max_examples=50)
def test_targets_are_the_characters_that_follow(text, num_steps, seed):
    task = own(text)
    tail = max(len(text) // 10, num_steps + 1)
    for batch, part in (
        (task.batch(np.random.default_rng(seed), num_steps, 3), text[:-tail]),
        (task.held_out(num_steps, 3), text[-tail:]),
    ):
        for stretch, targets in zip(read_back(task, batch.inputs), batch.targets.T, strict=True):
            following = "".join(task.encoded.symbols[k] for k in targets)
            assert stretch[1:] == following[:-1]
            assert stretch + following[-1] in part


def test_stretches_start_everywhere_in_the_training_part():
    """20 training characters hold 18 stretches of 3: both ends come, and nothing else."""
    text = "abcdefghijklmnopqrstuvwxyz"[:23]
    batch = own(text).batch(np.random.default_rng(0), 2, 2000)
    assert set(batch.inputs[0].argmax(axis=1)) == set(range(18))


def test_held_out_stretches_answer_for_no_character_twice():
    task = own("".join(chr(0x4E00 + k) for k in range(90)))
    batch = task.held_out(4, 100)
    assert batch.targets.shape == (4, 2)  # the tail has 9 characters: 8 can be answered for
    assert np.array_equal(batch.targets, [[82, 86], [83, 87], [84, 88], [85, 89]])
    assert task.held_out(4, 1).targets.shape == (4, 1)


def test_baseline_from_counts():
    """Nine 'a' and one 'b' repeated; the tail is the last tenth."""
    text = ("a" * 9 + "b") * 20
    counts = Counter(text[:-20])
    share = {symbol: (count + 1) / (180 + 2) for symbol, count in counts.items()}
    baseline = own(text).baseline(5)
    assert baseline.loss == pytest.approx(-np.mean([np.log(share[symbol]) for symbol in text[-20:]]))
    assert baseline.score == pytest.approx(0.9)
    bits = baseline.loss / np.log(2)
    assert baseline.said == (
        "Always answering 'a', the most frequent character, is right for 90.0%; by the characters' "
        f"frequencies alone the tail takes {bits:.2f} bits a character."
    )


def test_a_symbol_only_in_the_tail_has_a_finite_loss():
    assert np.isfinite(own("a" * 50 + "z" * 6).baseline(5).loss)


@pytest.mark.parametrize("text", ["", "x", "too short"])
def test_short_texts_are_refused_with_the_length_needed(text):
    task = own(text)
    assert task.input_size >= 1
    words = rf"own has {len(text)} characters, but num_steps=5 takes a text of at least 12"
    for call in (
        lambda: task.batch(np.random.default_rng(0), 5, 2),
        lambda: task.held_out(5, 2),
        lambda: task.baseline(5),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_the_shortest_text_is_enough():
    task = own("abcdefghijkl")
    assert read_back(task, task.batch(np.random.default_rng(0), 5, 1).inputs) == ["abcde"]
    assert read_back(task, task.held_out(5, 9).inputs) == ["ghijk"]
    assert task.baseline(5).loss > 0


def test_rare_characters_share_one_symbol():
    common = "".join(chr(0x4E00 + k) * 3 for k in range(MOST_SYMBOLS - 1))
    text = "".join(chr(0x3041 + k) for k in range(20)) + common
    encoded = encode(text)
    assert len(encoded.symbols) == MOST_SYMBOLS
    assert encoded.merged == 20
    assert "".join(encoded.symbols[k] for k in encoded.codes) == OTHER * 20 + common
    [note] = own(text).notes(5)
    assert "its 20 rarest ones" in note


def test_as_many_characters_as_allowed_are_kept_apart():
    encoded = encode("".join(chr(0x4E00 + k) for k in range(MOST_SYMBOLS)))
    assert (len(encoded.symbols), encoded.merged) == (MOST_SYMBOLS, 0)


def test_the_bundled_text_is_long_plain_english():
    task = CharacterText()
    text = "".join(task.encoded.symbols[k] for k in task.encoded.codes)
    assert 60_000 < len(text) < 150_000
    assert text.startswith("CHAPTER 1\n\nNo one who had ever seen Catherine Morland in her infancy")
    assert text.isascii()
    assert task.notes(100) == []
    assert task.baseline(100).said.startswith("Always answering the space, the most frequent character, is")
    assert 2.9 < task.baseline(100).loss < 3.2  # English without context: 4.2 to 4.6 bits a character
