"""Sequential digits: scikit-learn's images, a fixed split with every digit's share, nothing in both parts."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from explorer.tasks import SequentialDigits
from explorer.tasks.digits import split


def rows(pixels: np.ndarray, labels: np.ndarray) -> list[tuple[float, ...]]:
    return sorted((*row, float(label)) for row, label in zip(pixels, labels, strict=True))


def test_the_two_parts_are_all_images_and_none_twice():
    train_x, train_y, test_x, test_y = split()
    digits = load_digits()
    assert (len(train_y), len(test_y)) == (1437, 360)
    assert rows(np.concatenate([train_x, test_x]), np.concatenate([train_y, test_y])) == rows(
        digits.data / 16, digits.target
    )
    assert not {tuple(row) for row in train_x} & {tuple(row) for row in test_x}


def test_every_digit_has_its_share_of_the_test_part():
    """Stratified: each count is its share of 360, rounded."""
    counts = np.bincount(split()[3], minlength=10)
    assert np.abs(counts - np.bincount(load_digits().target) * 360 / 1797).max() < 1


def test_an_image_is_read_row_by_row():
    images = {digit.tobytes(): label for digit, label in zip(*load_digits(return_X_y=True), strict=True)}
    batch = SequentialDigits().batch(np.random.default_rng(0), 64, 20)
    for column, target in zip((16 * batch.inputs[:, :, 0]).T, batch.targets[0], strict=True):
        assert images[column.tobytes()] == target


def test_batches_come_from_the_training_part_and_the_test_part_is_fixed():
    train = {tuple(row) for row in split()[0]}
    batch = SequentialDigits().batch(np.random.default_rng(3), 64, 500)
    assert {tuple(column) for column in batch.inputs[:, :, 0].T} <= train
    whole, few = SequentialDigits().held_out(64, 5000), SequentialDigits().held_out(64, 7)
    assert whole.inputs.shape == (64, 360, 1)
    assert np.array_equal(whole.inputs[:, :7], few.inputs)
    assert np.array_equal(whole.targets[:, :7], few.targets)
    assert len(set(whole.targets[0, :60])) == 10


@pytest.mark.parametrize(
    ("num_steps", "words"), [(20, "only the first 20 are read"), (100, "steps 65 to 100 read 0")]
)
def test_other_lengths_cut_or_fill_and_say_so(num_steps, words):
    task = SequentialDigits()
    [note] = task.notes(num_steps)
    assert words in note
    used, whole, other = min(num_steps, 64), task.held_out(64, 5), task.held_out(num_steps, 5)
    assert np.array_equal(other.inputs[:used], whole.inputs[:used])
    assert not other.inputs[used:].any()
    assert np.array_equal(other.targets, whole.targets)
    assert task.notes(64) == []
