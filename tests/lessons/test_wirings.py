"""Wirings: every arrow against the gradient map, the engine's norms and products of Jacobians."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer import Experiment, run
from explorer.lessons.wirings import ALIGNED, Aligned, Heard, Wiring, aligned_wiring, translator_wiring
from explorer.measures import gradient_norms
from explorer.seq2seq import EOS, LETTERS, Seq2Seq, Translator, gradient_map, run_translator

SOURCE, TARGET = LETTERS.encode("abcde"), LETTERS.encode("xyzw")


@pytest.mark.parametrize("kind", ALIGNED)
@pytest.mark.parametrize("heard", ["all", "last"])
def test_one_cell_is_what_run_says(kind: Aligned, heard: Heard) -> None:
    found = aligned_wiring(kind, cell="gru", hidden_size=8, num_steps=6, seed=3, heard=heard)
    signal, loss = ALIGNED[kind]
    trace = run(
        Experiment.model_validate(
            {
                "cell": {"kind": "gru"}, "hidden_size": 8, "num_steps": 6, "batch_size": 1, "seed": 3,
                "signal": {"kind": signal}, "loss": {"kind": "last" if heard == "last" else loss},
            }
        )
    )  # fmt: skip
    np.testing.assert_allclose(found.reached, gradient_norms(trace)[1:, 0], atol=1e-12)
    read = 6 if (loss, heard) == ("every", "all") else 1
    assert np.isfinite(found.losses).sum() == read
    np.testing.assert_allclose(found.losses[-read:], 0, atol=1e-12)  # a linear loss of length 1
    assert np.isnan(found.along[-1]) and np.isnan(found.shortcuts).all()
    if read == 1:
        np.testing.assert_allclose(found.along[:-1], found.reached[:-1], atol=1e-12)
    assert np.isfinite(found.inputs).tolist() == [True] + [kind != "one_to_many"] * 5


def wired(heard: Heard = "all", **settings: object) -> Wiring:
    return translator_wiring(Seq2Seq(hidden_size=7, **settings), SOURCE, TARGET, heard)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("attention", ["none", "additive", "general", "local", "hard"])
def test_the_last_loss_reaches_the_encoder_as_in_the_gradient_map(cell: str, attention: str) -> None:
    settings = Seq2Seq(cell=cell, attention=attention, hidden_size=7)
    found = translator_wiring(settings, SOURCE, TARGET, "last")
    trace = run_translator(settings, SOURCE, TARGET, as_training=False)
    np.testing.assert_allclose(found.reached[: len(SOURCE)], gradient_map(trace)[-1], atol=1e-9)
    assert found.states == ("h₁", "h₂", "h₃", "h₄", "h₅", "s₁", "s₂", "s₃", "s₄", "s₅")
    if attention == "none":
        assert np.isnan(found.shortcuts).all()
        np.testing.assert_allclose(found.along[:5], found.reached[:5], atol=1e-12)


@pytest.mark.parametrize(("bos", "eos"), [(True, False), (False, True), (False, False)])
def test_without_special_tokens_the_map_is_the_same_too(bos: bool, eos: bool) -> None:
    settings = Seq2Seq(cell="gru", hidden_size=7, bos=bos, eos=eos)
    found = translator_wiring(settings, SOURCE, TARGET, "last")
    trace = run_translator(settings, SOURCE, TARGET, as_training=False)
    np.testing.assert_allclose(found.reached[: len(SOURCE)], gradient_map(trace)[-1], atol=1e-9)
    assert found.reads == (*"xxxxx", "‹bos›" if bos else "0", *"yyyy"[: 3 + eos]) and found.ends == eos
    assert len(found.states) == len(found.reads) == 9 + eos


@pytest.mark.parametrize("attention", ["additive", "dot"])
def test_the_looks_of_one_step_are_the_shortcut_of_the_map(attention: str) -> None:
    settings = Seq2Seq(attention=attention, hidden_size=7, eos=False)
    found = translator_wiring(settings, SOURCE, TARGET[:1])
    decades = gradient_map(run_translator(settings, SOURCE, TARGET), "attention")[0]
    np.testing.assert_allclose(found.shortcuts[5, :5], decades, atol=1e-9)
    assert np.isnan(found.shortcuts[:5]).all() and np.isnan(found.shortcuts[:, 5:]).all()


def test_a_decoder_of_tanh_units_hands_back_products_of_its_jacobians() -> None:
    settings = Seq2Seq(attention="none", hidden_size=7)
    found = translator_wiring(settings, SOURCE, TARGET, "last")
    network = Translator(settings, LETTERS, LETTERS)
    trace = run_translator(settings, SOURCE, TARGET)
    w = network.decoder.cells[0].weight_hh.detach().numpy()
    v = network.readout.weight.detach().numpy()
    last = len(TARGET)
    p = torch.softmax(torch.from_numpy(trace.logits[last]), 0).numpy()
    g = v.T @ (p - np.eye(len(p))[EOS])
    for j in range(last, -1, -1):
        assert found.reached[5 + j] == pytest.approx(np.log10(np.linalg.norm(g)), abs=1e-10)
        g = w.T @ ((1 - trace.decoder_states[j] ** 2) * g)


def test_all_losses_together_enter_each_its_state() -> None:
    every, last = wired(attention="none"), wired("last", attention="none")
    assert np.isfinite(every.losses).tolist() == [False] * 5 + [True] * 5
    assert np.isfinite(last.losses).tolist() == [False] * 9 + [True]
    assert every.losses[-1] == last.losses[-1] == last.reached[-1]
    assert (every.reached[:5] > last.reached[:5]).all()


def test_other_wirings_are_refused() -> None:
    with pytest.raises(ValueError, match="layers is 2; this wiring has 1"):
        wired(layers=2)
    with pytest.raises(ValueError, match="start is 'zeros'; this wiring has 'last'"):
        wired(start="zeros")
