"""What the network reads: shapes, honest notes, real digits, and the same numbers for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from explorer.signals import SIGNALS, Digits, Noise, OfTask, Pulse, Sine, Text, Zeros
from explorer.tasks import Latch
from tests.strategies import groups


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.data(), st.integers(2, 200), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_shape_and_notes_of_every_signal(data, num_steps, batch_size):
    signal = data.draw(st.one_of([groups(option) for _, option in SIGNALS.values()]))
    x, notes = signal.draw(rng(), num_steps, batch_size)
    assert x.shape == (num_steps, batch_size, signal.input_size)
    assert x.dtype == np.float64
    assert np.isfinite(x).all()
    assert all(note.endswith(".") and note[0].isupper() for note in notes)
    again, same_notes = signal.draw(rng(), num_steps, batch_size)
    assert np.array_equal(x, again)
    assert notes == same_notes


@pytest.mark.parametrize("signal", [Noise(), Pulse(), Sine(), Digits()], ids=lambda signal: signal.kind)
def test_another_seed_gives_other_numbers(signal):
    assert not np.array_equal(signal.draw(rng(0), 64, 4)[0], signal.draw(rng(1), 64, 4)[0])


def test_zeros():
    assert not Zeros().draw(rng(), 5, 2)[0].any()


def test_noise_has_its_amplitude_and_no_correlation():
    x, _ = Noise(amplitude=2, channels=3).draw(rng(), 1000, 20)
    assert x.std() == pytest.approx(2, rel=0.02)
    assert x.mean() == pytest.approx(0, abs=0.04)
    columns = x.reshape(1000, -1)
    assert np.abs(np.corrcoef(columns.T) - np.eye(60)).max() < 0.2
    assert abs((x[1:] * x[:-1]).mean()) < 0.1


def test_noise_scales_with_its_amplitude():
    """Common random numbers: the slider moves the height and nothing else."""
    one, three = (Noise(amplitude=a).draw(rng(), 20, 4)[0] for a in (1, 3))
    assert np.allclose(three, 3 * one, rtol=1e-15)


def test_longer_noise_begins_with_the_shorter():
    """The documented order [T, B, channels]: more steps leave the earlier ones as they are."""
    short, long = (Noise(channels=2).draw(rng(), steps, 4)[0] for steps in (10, 50))
    assert np.array_equal(long[:10], short)


@pytest.mark.parametrize("signal", [Sine(), Pulse(), Digits(), Text()], ids=lambda signal: signal.kind)
def test_more_samples_or_steps_leave_the_first_as_they_are(signal):
    small, large = signal.draw(rng(), 20, 3)[0], signal.draw(rng(), 60, 8)[0]
    assert np.array_equal(large[:20, :3], small)


def test_pulse_is_one_spike():
    x, notes = Pulse(step=7, amplitude=2).draw(rng(), 20, 1000)
    assert notes == []
    assert np.array_equal(np.flatnonzero(x.any(axis=(1, 2))), [6])
    assert x[6].mean() == pytest.approx(2, rel=0.02)
    assert x[6].std() == pytest.approx(0.2, rel=0.1)


def test_pulse_beyond_the_end_says_so():
    x, notes = Pulse(step=50).draw(rng(), 20, 2)
    assert np.array_equal(np.flatnonzero(x.any(axis=(1, 2))), [19])
    assert notes == ["The pulse step 50 lies beyond the last step: step 20 is used."]


def test_sine_repeats_after_its_period_with_a_phase_for_each_sample():
    x, notes = Sine(period=10, amplitude=3).draw(rng(), 40, 5)
    assert notes == []
    assert np.allclose(x[10:], x[:-10], atol=1e-13)
    assert np.allclose(x[5:], -x[:-5], atol=1e-13)
    assert np.allclose(np.square(x[:10]).mean(axis=0), 4.5)
    assert len(np.unique(x[0])) == 5


def test_digits_are_those_of_scikit_learn():
    pixels = {tuple(row) for row in load_digits().data / 16}
    x, notes = Digits().draw(rng(), 64, 32)
    assert notes == []
    assert {tuple(column) for column in x[:, :, 0].T} <= pixels
    assert len({tuple(column) for column in x[:, :, 0].T}) == 32


@pytest.mark.parametrize(
    ("num_steps", "words"), [(20, "only the first 20 are read"), (100, "steps 65 to 100 read 0")]
)
def test_digits_of_another_length_say_so(num_steps, words):
    x, [note] = Digits().draw(rng(), num_steps, 4)
    whole, _ = Digits().draw(rng(), 64, 4)
    assert words in note
    used = min(num_steps, 64)
    assert np.array_equal(x[:used], whole[:used])
    assert not x[used:].any()


def read_back(x: np.ndarray, text: str) -> list[str]:
    assert np.array_equal(x.sum(axis=2), np.ones(x.shape[:2]))
    assert set(np.unique(x)) <= {0, 1}
    alphabet = sorted(set(text))
    return ["".join(alphabet[k] for k in x[:, b].argmax(axis=1)) for b in range(x.shape[1])]


@given(st.text(min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_text_can_be_read_back(text):
    x, notes = Text(text=text).draw(rng(), 10, 3)
    assert read_back(x, text) == [(text * 20)[b : b + 10] for b in range(3)]
    assert bool(notes) == (len(text) < 12)


def test_text_with_emoji_umlauts_and_line_breaks():
    text = "grüß\n👍🏽 e\u0301"
    x, [note] = Text(text=text).draw(rng(), 30, 1)
    assert x.shape == (30, 1, len(set(text)))
    assert read_back(x, text) == [(text * 4)[:30]]
    assert note == f"The text has {len(text)} characters and 30 are read: it starts again when it ends."


def test_empty_text_reads_zeros_and_says_so():
    x, notes = Text(text="").draw(rng(), 5, 2)
    assert x.shape == (5, 2, 1)
    assert not x.any()
    assert notes == ["The text is empty: the network reads zeros."]


def test_a_task_is_read_as_for_training_and_what_does_not_fit_is_said() -> None:
    signal = SIGNALS["task"][1].model_validate({"task": "latch", "settings": '{"symbols": 4}'})
    x, notes = signal.draw(np.random.default_rng(3), 20, 5)  # type: ignore[attr-defined]
    expected = Latch(symbols=4).batch(np.random.default_rng(3), 20, 5).inputs
    np.testing.assert_array_equal(x, expected)
    assert notes == []
    _, notes = OfTask(task="adding", settings='{"symbols": 4}').draw(np.random.default_rng(3), 20, 5)
    assert any("does not take symbols" in note for note in notes)
    x, notes = OfTask(task="order").draw(np.random.default_rng(3), 4, 5)
    assert x.shape[:2] == (4, 5) and any("posed in 10 steps: 4 of them" in note for note in notes)
    x, notes = OfTask(task="copy").draw(np.random.default_rng(3), 4, 5)
    assert x.shape[:2] == (4, 5) and any("4 of them are read" in note for note in notes)
    own = OfTask(task="text", settings='{"source": "own", "own": "ab"}')
    x, notes = own.draw(np.random.default_rng(3), 30, 5)
    assert not x.any() and any("reads zeros" in note for note in notes)
    with pytest.raises(ValueError, match="symbols"):
        OfTask(settings="[4]")
