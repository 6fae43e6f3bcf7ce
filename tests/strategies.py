"""Hypothesis strategies made from the fields' own metadata: whatever they draw is a valid experiment."""

from typing import Any

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from explorer.experiment import Experiment
from explorer.layouts import Single
from explorer.link import bounds_of, choices_of, kinds_of, max_length_of
from explorer.parameters import Parameters


def values(field: FieldInfo) -> st.SearchStrategy[Any]:
    """Every value that a field allows; its default and its bounds come often."""
    if kinds := kinds_of(field):
        return st.one_of([groups(option) for option in kinds.values()])
    if choices := choices_of(field):
        return st.sampled_from(choices)
    if field.title == Experiment.model_fields["hold"].title:
        return st.sampled_from(["", "forget=1", "update=0.5@2-3; reset=0#1", "input=-1@7#400"])
    if field.title == Experiment.model_fields["trained"].title:
        return st.sampled_from(["", "0123456789abcdef"])
    if field.title == "settings of the task":
        return st.sampled_from(["", '{"symbols": 4}', '{"symbols": 400}', '{"nothing": 1}'])
    if field.title == "periods":
        return st.sampled_from(["1", "1, 2, 4, 8", "3, 5, 1000"])
    default = st.just(field.default)
    if bounds := bounds_of(field):
        if field.annotation is int:
            return default | st.integers(int(bounds[0]), int(bounds[1]))
        return default | st.floats(*map(float, bounds))
    return default | st.text(max_size=min(40, max_length_of(field) or 40))


def groups(group: type[Parameters]) -> st.SearchStrategy[Parameters]:
    """Every setting of one group, such as an LSTM with its biases."""
    fields = {name: values(field) for name, field in group.model_fields.items() if name != "kind"}
    return st.builds(group, **fields)


def experiments(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Experiment]:
    """Valid experiments; keyword arguments replace the strategy of a field, e.g. to keep runs small."""
    return st.builds(
        Experiment, **{name: values(field) for name, field in Experiment.model_fields.items()} | fixed
    )


def alone(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Experiment]:
    """As ``experiments``, with one cell alone: what ``run`` takes."""
    return experiments(network=st.just(Single()), **fixed)
