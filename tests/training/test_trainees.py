"""What is told of a run, for every kind of network: nothing is lost, and nothing of before a rewind stays."""

from types import SimpleNamespace
from typing import Any

import pytest

from explorer.seq2seq.memory import MemorySettings
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.training.recipe import Recipe
from explorer.training.trainees import KINDS


@pytest.mark.parametrize(
    "plan", [Recipe(), TranslationRecipe(), MemorySettings()], ids=lambda plan: type(plan).__name__
)
def test_news_give_the_record_piece_by_piece(plan: Any) -> None:
    kind = KINDS[type(plan)]
    here, there = kind.unknown(plan), kind.unknown(plan)

    def train(count: int) -> None:
        for place, curve in enumerate(kind.curves_of(here)):
            curve.extend(float(place + here.step + k) for k in range(count))
        here.moments.append(SimpleNamespace(step=here.step))

    def assert_known() -> None:
        assert [list(curve) for curve in kind.curves_of(there)] == [list(c) for c in kind.curves_of(here)]
        assert (there.step, there.moments, there.diverged) == (here.step, here.moments, here.diverged)

    here.moments.append(SimpleNamespace(step=0))
    train(3)
    kind.take(there, kind.news(here, 0, 0))
    assert there.step == 3
    assert_known()
    train(2)
    here.diverged = "Step 6: too large."
    kind.take(there, kind.news(here, 3, 2))
    assert_known()
    late = kind.news(here, 5, 3)
    for one in (here, there):
        kind.forget(one, 3)
    assert_known()
    kind.take(there, late)  # it was on its way when the page went back
    assert there.step == 3 and not there.diverged
    train(4)
    kind.take(there, kind.news(here, 3, 2))
    assert_known()
    kind.take(there, kind.news(here, 0, 0))  # a new process has done it all again
    assert_known()
