"""NextToken: a translator and one source as the function that decoding strategies take."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch

from explorer.seq2seq.decoder import Step
from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import BOS

_KEPT = 5_000  # steps that are remembered


class NextToken:
    r"""For a fixed source the function prefix → :math:`\ln p(\cdot \mid \text{prefix}, x)`, [V].

    V is the size of the target vocabulary; a prefix is a tuple of token numbers without ``<bos>``, and () is
    the beginning. Every prefix costs one step of the decoder: the state after it is remembered, for the last
    5 000 prefixes. Without dropout; hard attention looks at the most probable position.

    Args:
        translator: usually a trained one.
        source: numbers of 1 to 100 symbols.

    Raises:
        ValueError: as ``run_translator``.
    """

    def __init__(self, translator: Translator, source: Sequence[int]) -> None:
        self.translator = translator
        self._source = translator.source.check(source, "source")
        with torch.no_grad():
            self._start, self._memory = translator.begin(torch.tensor(self._source)[:, None])
        self._steps: OrderedDict[tuple[int, ...], Step] = OrderedDict()

    def __call__(self, prefix: tuple[int, ...]) -> np.ndarray:
        """Log-probabilities [V] in float64; −inf for what is never said.

        Raises ValueError for a number that no token has.
        """
        self._check(prefix)
        with torch.no_grad():
            logits = self.translator.logits(self._step(prefix).output)
            return logits[0].double().log_softmax(dim=0).numpy()

    def attention(self, tokens: tuple[int, ...]) -> np.ndarray:
        """Weights α [|y|, Te]; row j was used to choose token j.

        Raises ValueError without attention, or for a number that no token has.
        """
        if self._memory is None:
            raise ValueError("this translator has no attention; choose one other than 'none'")
        self._check(tokens)
        rows = [self._step(tokens[:j]).reading for j in range(len(tokens))]
        found = [row.weights[0].double().numpy() for row in rows if row is not None]
        return np.array(found).reshape(len(tokens), len(self._source))

    def _check(self, prefix: tuple[int, ...]) -> None:
        for number in prefix:
            if not 0 <= number < len(self.translator.target):
                allowed = len(self.translator.target) - 1
                raise ValueError(f"the prefix holds token number {number}; allowed are 0 to {allowed}")

    def _step(self, prefix: tuple[int, ...]) -> Step:
        """The decoder's step after a prefix, from the longest part of it that is remembered."""
        known = len(prefix)
        while known >= 0 and prefix[:known] not in self._steps:
            known -= 1
        if known >= 0:
            self._steps.move_to_end(prefix[:known])
        step = self._steps[prefix[:known]] if known >= 0 else None
        for count in range(known + 1, len(prefix) + 1):
            token = torch.tensor([prefix[count - 1] if count else BOS])
            state = self._start if step is None else step.state
            with torch.no_grad():
                step = self.translator.step(token, state, self._memory)
            self._steps[prefix[:count]] = step
        while len(self._steps) > _KEPT:
            self._steps.popitem(last=False)
        assert step is not None
        return step
