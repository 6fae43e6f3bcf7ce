"""Where the loss enters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.losses import LOSSES, Every, Last, Step


@pytest.mark.parametrize("kind", LOSSES)
@given(num_steps=st.integers(2, 1000))
def test_weights_cover_all_states_but_never_the_initial_one(kind, num_steps):
    weights, notes = LOSSES[kind][1]().weights(num_steps)
    assert weights.shape == (num_steps + 1,)
    assert weights[0] == 0
    assert set(weights) <= {0, 1}
    assert all(note.endswith(".") for note in notes)


def test_last_reads_the_last_step_only():
    weights, notes = Last().weights(5)
    assert np.array_equal(weights, [0, 0, 0, 0, 0, 1])
    assert notes == []


def test_every_reads_all_steps_alike():
    weights, notes = Every().weights(3)
    assert np.array_equal(weights, [0, 1, 1, 1])
    assert notes == []


@given(step=st.integers(1, 1000), num_steps=st.integers(2, 1000))
def test_step_reads_its_step_or_says_that_it_cannot(step, num_steps):
    weights, notes = Step(step=step).weights(num_steps)
    assert np.array_equal(np.flatnonzero(weights), [min(step, num_steps)])
    expected = f"The loss step {step} lies beyond the last step: step {num_steps} is used."
    assert notes == ([expected] if step > num_steps else [])
