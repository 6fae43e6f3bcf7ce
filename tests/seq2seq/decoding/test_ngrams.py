"""Kneser–Ney against a slow definition with dictionaries, and against counts by hand."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.seq2seq.decoding import CharacterNgrams
from explorer.tasks.text import CharacterText


def by_definition(text: str, order: int, context: str) -> dict[str, float]:
    """P(w | context), term by term."""
    symbols = sorted(set(text))
    order = min(order, len(text))

    def counts(k: int) -> Counter[str]:
        if k == order:
            return Counter(text[at : at + k] for at in range(len(text) - k + 1))
        before = defaultdict(set)
        for gram in counts(k + 1):
            before[gram[1:]].add(gram[0])
        return Counter({gram: len(found) for gram, found in before.items()})

    found = dict.fromkeys(symbols, 1 / len(symbols))
    for k in range(1, order + 1):
        if k - 1 > len(context):
            break
        table, history = counts(k), context[len(context) - (k - 1) :]
        once, twice = (sum(count == j for count in table.values()) for j in (1, 2))
        discount = once / (once + 2 * twice) if once and twice else 0.5
        total = sum(table[history + w] for w in symbols)
        if not total:
            break
        kinds = sum(table[history + w] > 0 for w in symbols)
        found = {
            w: max(table[history + w] - discount, 0) / total + discount * kinds / total * found[w]
            for w in symbols
        }
    return found


@given(text=st.text("abc ", min_size=1, max_size=40), order=st.integers(1, 5), data=st.data())
@settings(max_examples=80, deadline=None)
def test_it_is_the_definition(text: str, order: int, data: st.DataObject) -> None:
    model = CharacterNgrams(text, order)
    context = data.draw(st.text(sorted(set(text)), max_size=6))
    codes, unknown = model.codes(context)
    assert not unknown and model.text(codes) == context
    found = np.exp(model(codes))
    expected = by_definition(text, order, context)
    np.testing.assert_allclose(found, [expected[symbol] for symbol in model.symbols], rtol=1e-10)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_a_longer_history_helps_on_real_text() -> None:
    found = CharacterText().encoded
    text = "".join(np.array(found.symbols)[found.codes])
    cut = len(text) * 9 // 10
    bits = []
    for order in (1, 2, 4, 6):
        model = CharacterNgrams(text[:cut], order)
        codes, _ = model.codes(text[cut : cut + 1500])
        bits.append(-np.mean([model(codes[:k])[token] for k, token in enumerate(codes)]) / np.log(2))
    assert bits == sorted(bits, reverse=True)
    assert bits[0] > 4 and bits[-1] < 2.3


def test_unknown_characters_are_named() -> None:
    model = CharacterNgrams("abab", 2)
    assert model.codes("aXbXY") == ((0, 1), ["X", "Y"])


@pytest.mark.parametrize(
    ("text", "order", "said"),
    [("", 2, "text is empty"), ("abc", 0, "order = 0"), ("abc", 10, "order = 10")],
)
def test_what_cannot_be_counted_is_refused(text: str, order: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CharacterNgrams(text, order)


def test_the_smallest_texts() -> None:
    np.testing.assert_allclose(np.exp(CharacterNgrams("a", 9)((0, 0, 0))), [1.0])
    many = "".join(chr(0x4E00 + k) for k in range(300)) * 2
    model = CharacterNgrams(many, 9)  # 96 symbols, the rest share one
    assert len(model.symbols) == 96
    assert np.exp(model(())).sum() == pytest.approx(1)
