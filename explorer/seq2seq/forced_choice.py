"""What every choice of hard attention would cost at one decoder step: counted, not drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from explorer.seq2seq.trace import TranslatorTrace
from explorer.seq2seq.vocabulary import BOS


@dataclass(frozen=True)
class ForcedChoices:
    """One decoder step read Te times, each time with another position.

    Attributes:
        scores: e_j, [Te].
        losses: L_j with c_j = h_i, [Te].
        slopes: s_ik = ∂L_j/∂α_k at α_j = onehot_i, [Te, Te].
    """

    scores: np.ndarray
    losses: np.ndarray
    slopes: np.ndarray


def forced_choices(trace: TranslatorTrace, step: int) -> ForcedChoices:
    """Decoder step ``step`` ≥ 0 of a run with hard attention, without dropout.

    Earlier steps read their most probable position; later steps, whose losses the choice changes too, count
    for nothing. Raises ValueError for another kind of attention and for a step that the run does not have.
    """
    if trace.settings.attention != "hard":
        raise ValueError(f"attention is {trace.settings.attention!r}; choices are made by 'hard' alone")
    if not 0 <= step < len(trace.target):
        raise ValueError(f"step is {step}; the decoder has the steps 0 to {len(trace.target) - 1}")
    network, count = trace.translator, len(trace.source)
    target = torch.from_numpy(trace.target)
    with torch.no_grad():
        state, memory = network.begin(torch.from_numpy(trace.source)[:, None])
        assert memory is not None
        if step:
            state = network.steps(target[:step, None], state, memory)[-1].state
        layers = tuple(tuple(part.expand(count, -1) for part in layer) for layer in state.layers)
        state = state._replace(layers=layers, output=state.output.expand(count, -1))
        keys = memory.keys.expand(count, -1, -1)
        last = target[step - 1] if step else torch.tensor(BOS)
    h = memory.values[0]
    context = h.clone().requires_grad_()
    with torch.enable_grad():
        forced = replace(memory, values=context[:, None].expand(-1, count, -1), keys=keys)
        found = network.step(last.expand(count), state, forced)
        losses = torch.nn.functional.cross_entropy(
            network.logits(found.output), target[step].expand(count), reduction="none"
        )
        (slopes,) = torch.autograd.grad(losses.sum(), context)
    assert found.reading is not None
    return ForcedChoices(
        found.reading.scores[0].detach().numpy(), losses.detach().numpy(), (slopes @ h.T).numpy()
    )
