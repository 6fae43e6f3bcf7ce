"""Every choice of hard attention, against the decoder's step written out in NumPy and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.seq2seq import BOS, LETTERS, Seq2Seq, TranslatorTrace, run_translator
from explorer.seq2seq.forced_choice import forced_choices

SOURCE, TARGET = LETTERS.encode("gradients"), LETTERS.encode("flow")


def loss_of(trace: TranslatorTrace, step: int, context: np.ndarray) -> float:
    """L_j of a tanh network whose context is given."""
    weights = {name: value.detach().numpy() for name, value in trace.translator.state_dict().items()}
    last = trace.target[step - 1] if step else BOS
    before = trace.decoder_states[step - 1] if step else trace.start
    x = np.concatenate([weights["target_embedding.weight"][last], context])
    cell = {
        name: weights[f"decoder.cells.0.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    s = np.tanh(cell["weight_ih"] @ x + cell["bias_ih"] + cell["weight_hh"] @ before + cell["bias_hh"])
    o = np.tanh(weights["decoder.W_c.weight"] @ np.concatenate([context, s]))
    logits = weights["readout.weight"] @ o + weights["readout.bias"]
    logits[[0, 1]] = -np.inf  # <pad> and <bos> are never said
    return float(np.log(np.exp(logits).sum()) - logits[trace.target[step]])


@pytest.mark.parametrize("step", [0, 3])
def test_losses_and_slopes_of_every_choice(step: int) -> None:
    trace = run_translator(Seq2Seq(attention="hard", hidden_size=6), SOURCE, TARGET, as_training=False)
    found = forced_choices(trace, step)
    assert trace.scores is not None and trace.weights is not None
    np.testing.assert_allclose(found.scores, trace.scores[step], atol=1e-12)
    h = trace.encoder_states
    for i in range(len(SOURCE)):
        assert found.losses[i] == pytest.approx(loss_of(trace, step, h[i]), abs=1e-12)
        for k in range(len(SOURCE)):
            ends = [loss_of(trace, step, h[i] + sign * 1e-6 * h[k]) for sign in (1, -1)]
            assert found.slopes[i, k] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)
    assert found.losses[trace.weights[step].argmax()] == pytest.approx(trace.losses[step], abs=1e-12)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_chosen_position_costs_what_the_run_says(cell: str) -> None:
    settings = Seq2Seq(
        cell=cell, attention="hard", hidden_size=6, layers=2, bidirectional=True, start="backward"
    )
    trace = run_translator(settings, SOURCE, TARGET, as_training=False)
    assert trace.weights is not None
    for step in range(len(trace.target)):
        losses = forced_choices(trace, step).losses
        assert losses[trace.weights[step].argmax()] == pytest.approx(trace.losses[step], abs=1e-12)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="attention is 'dot'"):
        forced_choices(run_translator(Seq2Seq(attention="dot", hidden_size=4), SOURCE, TARGET), 0)
    with pytest.raises(ValueError, match="step is 5; the decoder has the steps 0 to 4"):
        forced_choices(run_translator(Seq2Seq(attention="hard", hidden_size=4), SOURCE, TARGET), 5)
