"""The module itself: PyTorch's loops against single steps, filling, dropout, decoding, and bad input."""

from itertools import product

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from explorer.seq2seq import (
    BOS,
    EOS,
    LETTERS,
    PAD,
    NextToken,
    Seq2Seq,
    Translator,
    Vocabulary,
    run_translator,
)
from explorer.seq2seq.answers import answers
from explorer.seq2seq.decoding import beam_search, greedy
from explorer.seq2seq.noise import Noise

SOURCE = LETTERS.encode("gradient")


@pytest.mark.parametrize(
    ("cell", "both_ways", "layers"), product(("rnn", "lstm", "gru"), (False, True), (1, 2))
)
def test_fast_and_observed_encoder_agree(cell, both_ways, layers):
    settings = Seq2Seq(cell=cell, bidirectional=both_ways, layers=layers, residual=True, dropout=0.2)
    translator = Translator(settings, LETTERS, LETTERS)
    embedded = torch.randn(6, 3, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    zeros = torch.zeros(6, 3, settings.annotation_size, dtype=torch.float64)
    one = translator.encoder(embedded, None, Noise(np.random.default_rng(0), 0.2))
    two = translator.encoder.observed(embedded, zeros, Noise(np.random.default_rng(0), 0.2))
    torch.testing.assert_close(one.annotations, two.annotations)
    for first, second in zip(one.ends, two.ends, strict=True):
        torch.testing.assert_close(first.last, second.last)
        torch.testing.assert_close(first.first, second.first)
        torch.testing.assert_close(first.backward, second.backward)


def test_dropout_scales_and_repeats():
    noise = Noise(np.random.default_rng(0), 0.25)
    x = torch.ones(200, 200)
    once = noise.drop(x)
    assert once.unique().tolist() == pytest.approx([0, 4 / 3])
    assert once.mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(once, Noise(np.random.default_rng(0), 0.25).drop(x))
    assert Noise(np.random.default_rng(0)).drop(x) is x
    with_dropout = Seq2Seq(dropout=0.5)
    plain = run_translator(Seq2Seq(), SOURCE, SOURCE).losses
    assert not np.allclose(run_translator(with_dropout, SOURCE, SOURCE).losses, plain)
    np.testing.assert_array_equal(
        run_translator(with_dropout, SOURCE, SOURCE, as_training=False).losses, plain
    )


def test_hard_positions_are_drawn_in_training_and_most_probable_otherwise():
    settings = Seq2Seq(attention="hard")
    trace = run_translator(settings, SOURCE, SOURCE, as_training=False)
    np.testing.assert_array_equal(trace.weights.argmax(axis=1), trace.probabilities.argmax(axis=1))
    translator = trace.translator
    memory = translator.decoder.attention.remember(
        torch.from_numpy(trace.encoder_states)[:, None].expand(-1, 20000, -1)
    )
    query = torch.from_numpy(trace.start).expand(20000, -1)
    with torch.no_grad():
        reading = translator.decoder.attention(query, memory, Noise(np.random.default_rng(3)))
    p = reading.probabilities[0].numpy()
    share = reading.weights.mean(dim=0).numpy()
    assert (np.abs(share - p) < 5 * np.sqrt(p * (1 - p) / 20000)).all()
    np.testing.assert_allclose(
        reading.log_probability.exp(), (reading.weights * reading.probabilities).sum(dim=1)
    )


@pytest.mark.parametrize("attention", ["none", "additive", "local", "hard"])
def test_next_token_is_the_translator(attention):
    settings = Seq2Seq(attention=attention, cell="lstm", hidden_size=16, seed=1)
    trace = run_translator(settings, SOURCE, LETTERS.encode("abc"), as_training=False)
    step = NextToken(trace.translator, SOURCE)
    said = trace.target.tolist()
    for j in (3, 0, 2):  # in any order
        found = step(tuple(said[:j]))
        assert np.exp(found).sum() == pytest.approx(1)
        assert np.isneginf(found[[PAD, BOS]]).all()
        assert -found[said[j]] == pytest.approx(trace.losses[j], abs=1e-12)
    if attention == "none":
        with pytest.raises(ValueError, match="no attention"):
            step.attention((3,))
    else:
        np.testing.assert_allclose(step.attention(tuple(said)), trace.weights, atol=1e-12)
        assert step.attention(()).shape == (0, len(SOURCE))
    with pytest.raises(ValueError, match="token number 29; allowed are 0 to 28"):
        step((29,))


def test_greedy_answers_are_those_of_the_decoding_room():
    translator = Translator(Seq2Seq(hidden_size=16, seed=4), LETTERS, LETTERS)
    sources = np.array([LETTERS.encode("gradient"), [*LETTERS.encode("flow"), *[PAD] * 4]]).T
    found = answers(translator, sources, np.array([8, 4]), 12)
    for b, source in enumerate(("gradient", "flow")):
        step = NextToken(translator, LETTERS.encode(source))
        path: tuple[int, ...] = ()
        while len(path) < 12 and EOS not in path:
            path += (int(step(path).argmax()),)
        assert LETTERS.decode(found[:, b]) == LETTERS.decode(path)
    assert callable(greedy) and callable(beam_search)


def test_without_eos_an_answer_ends_only_where_it_is_cut():
    translator = Translator(Seq2Seq(eos=False, hidden_size=8), LETTERS, LETTERS)
    source = np.array([LETTERS.encode("gradient")]).T
    trace = run_translator(translator.settings, SOURCE, SOURCE, translator=translator, as_training=False)
    assert trace.target.tolist() == SOURCE
    assert np.isneginf(trace.logits[:, EOS]).all() and np.isfinite(trace.logits[:, EOS + 1 :]).all()
    for longest in (1, 40):
        found = answers(translator, source, np.array([8]), longest)
        assert found.shape == (longest, 1) and (found > EOS).all()
    step = NextToken(translator, SOURCE)
    assert np.isneginf(step((3, 4))[EOS]) and np.exp(step((3, 4))).sum() == pytest.approx(1)
    assert translator.goal([3] * 100) == [3] * 100
    for symbols, said in (
        ([], "0 tokens; allowed are 1 to 100"),
        ([3] * 101, "101 tokens; allowed are 1 to 100"),
    ):
        with pytest.raises(ValueError, match=said):
            translator.goal(symbols)


def test_without_bos_the_first_input_is_zero_and_all_weights_else_are_the_same():
    with_it, without = (
        Translator(Seq2Seq(bos=bos, hidden_size=8), LETTERS, LETTERS) for bos in (True, False)
    )
    assert not without.target_embedding(torch.tensor([BOS])).any()
    for (name, a), b in zip(with_it.state_dict().items(), without.state_dict().values(), strict=True):
        same = [row for row in range(len(a)) if (name, row) != ("target_embedding.weight", BOS)]
        torch.testing.assert_close(a[same], b[same], rtol=0, atol=0)


def test_vocabulary():
    words = Vocabulary(("a", "b"))
    assert words.tokens == ("<pad>", "<bos>", "<eos>", "a", "b") and len(words) == 5
    assert words.encode("ab") == [3, 4] and words.decode([1, 4, 3, 2, 4]) == ["b", "a"]
    for call, said in (
        (lambda: words.encode("abc"), "'c' is unknown; known are a, b"),
        (lambda: words.decode([9]), "9 is unknown; allowed are 0 to 4"),
        (lambda: Vocabulary(("a", "a")), "no symbol twice"),
        (lambda: Vocabulary(()), "at least one"),
        (lambda: Vocabulary(("<eos>",)), "none of"),
        (lambda: Vocabulary(tuple(map(str, range(99)))).encode(["x"]), "and 59 more"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ([], [3], "the source has 0 tokens; allowed are 1 to 100"),
        ([3] * 101, [3], "the source has 101 tokens"),
        ([3], [3] * 100, "the target has 100 tokens; allowed are 0 to 99"),
        ([3, 29], [3], "the source holds token number 29; symbols have the numbers 3 to 28"),
        ([3], [EOS], "the target holds token number 2"),
    ],
)
def test_bad_sequences_get_a_sentence(source, target, said):
    with pytest.raises(ValueError, match=said):
        run_translator(Seq2Seq(), source, target)
    if len(source) != 1:
        with pytest.raises(ValueError, match=said):
            NextToken(Translator(Seq2Seq(), LETTERS, LETTERS), source)


def test_bad_settings_get_a_sentence():
    for fields, name in (({"hidden_size": 0}, "hidden_size"), ({"attention": "soft"}, "attention")):
        with pytest.raises(ValidationError, match=name):
            Seq2Seq(**fields)


def test_longest_sequences_run():
    trace = run_translator(Seq2Seq(hidden_size=4), [3] * 100, [4] * 99)
    assert trace.weights.shape == (100, 100) and np.isfinite(trace.losses).all()


def test_every_setting_says_what_it_does():
    for name, field in Seq2Seq.model_fields.items():
        assert field.title and field.description.endswith("."), name
    changed = Seq2Seq(attention="dot")
    assert Seq2Seq.model_validate_json(changed.canonical()) == changed != Seq2Seq()
