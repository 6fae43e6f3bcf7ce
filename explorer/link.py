"""Experiment ↔ URL query: only what is not a default, readable, and safe against any string."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin
from urllib.parse import quote_plus, unquote_plus

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from explorer.experiment import Experiment
from explorer.parameters import Parameters

RESERVED = ("pin", "view.")  # one key and one beginning that belong to the page
MAX_PAIRS = 1000  # key=value pairs that are looked at
MAX_VALUE = 100_000  # characters of a value that are looked at; 5000 percent-encoded emoji take 60 000
MAX_SENTENCES = 20

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def field_paths(experiment: Experiment) -> Iterator[tuple[str, Any, FieldInfo]]:
    """(path, value, field) of every setting, in the order in which the fields are declared.

    A group comes first with its kind, ``("cell", "lstm", …)``, then with the fields of that kind,
    ``("cell.forget_bias", 1.0, …)``. ``experiment.changed(path, value)`` takes all of them.
    """
    for name, field in type(experiment).model_fields.items():
        value = getattr(experiment, name)
        if not isinstance(value, Parameters):
            yield name, value, field
            continue
        fields = type(value).model_fields
        yield name, fields["kind"].default, field
        yield from ((f"{name}.{key}", getattr(value, key), fields[key]) for key in fields if key != "kind")


def kinds_of(field: FieldInfo) -> dict[str, type[Parameters]]:
    """Kind → class for a field that holds a group; empty for every other field."""
    classes = [option for option in get_args(field.annotation) if isinstance(option, type)]
    return {
        option.model_fields["kind"].default: option for option in classes if issubclass(option, Parameters)
    }


def choices_of(field: FieldInfo) -> list[Any]:
    """The values a choice may take, or the kinds of a group; empty for numbers and text."""
    if get_origin(field.annotation) is Literal:
        return list(get_args(field.annotation))
    return list(kinds_of(field))


def bounds_of(field: FieldInfo) -> tuple[float, float] | None:
    """Smallest and largest allowed number, both included."""
    found = {
        name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)
    }
    return (found["ge"], found["le"]) if len(found) == 2 else None


def max_length_of(field: FieldInfo) -> int | None:
    """Longest text allowed."""
    return next((rule.max_length for rule in field.metadata if hasattr(rule, "max_length")), None)


def display_name(field: FieldInfo, value: Any) -> str:
    """How a value is written on screen: the name of a choice, the shortest form of a number."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    names = extra.get("names")
    if isinstance(names, dict) and value in names:
        return str(names[value])
    if isinstance(value, float):
        return f"{value:.6g}"
    if value == "":
        return "none"
    return f"“{_shorten(value, 24)}”" if isinstance(value, str) and not choices_of(field) else str(value)


# ---- writing ----


def to_query(experiment: Experiment) -> str:
    """The query string of everything that is not a default; "" for the default experiment.

    Floats carry all their digits, so the link gives the same picture to the last one.
    """
    pairs = _differences(type(experiment)(), experiment)
    return "&".join(f"{path}={quote_plus(_plain(value))}" for path, value, _ in pairs)


def _differences(a: Experiment, b: Experiment) -> Iterator[tuple[str, Any, FieldInfo]]:
    """What one has to set to come from ``a`` to ``b``; a new kind starts from its own defaults."""
    before = {path: value for path, value, _ in field_paths(a)}
    new_kind = ""
    for path, value, field in field_paths(b):
        group, dot, _ = path.partition(".")
        old = field.default if dot and group == new_kind else before.get(path)
        if value != old:
            new_kind = path if not dot and kinds_of(field) else new_kind
            yield path, value, field


def _plain(value: Any) -> str:
    """A value as it stands in the query: repr of numbers, without the ".0" of whole ones."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def describe_change(a: Experiment, b: Experiment, longest: int = 60) -> str:
    """A short label of what ``b`` does differently, such as "LSTM · forget bias 3"; "" when equal."""
    parts = []
    for _, value, field in _differences(a, b):
        name = display_name(field, value)
        parts.append(_shorten(name if kinds_of(field) else f"{field.title} {name}", 60))
    label = " · ".join(parts)
    while len(label) > longest:
        parts.pop()
        label = " · ".join([*parts, "…"])
    return label


# ---- reading ----


def from_query(query: str | Mapping[str, str]) -> tuple[Experiment, list[str]]:
    """The experiment of a URL, a query string or a mapping, and one sentence for everything rejected.

    Never raises: each setting is judged on its own, and what is not allowed keeps its default.
    """
    sentences: list[str] = []
    pairs = _pairs(query, sentences)
    counts = Counter(key for key, _ in pairs)
    sentences += [
        f"{_shorten(key)} appears {count} times: the last one counts."
        for key, count in counts.items()
        if count > 1
    ]
    given = dict(pairs)
    experiment = Experiment()
    kinds = {path: field for path, _, field in field_paths(experiment) if kinds_of(field)}
    for key in sorted(given, key=lambda key: key not in kinds):  # kinds first: they decide which fields exist
        experiment, sentence = _apply(experiment, key, given[key])
        sentences += sentence
    if len(sentences) > MAX_SENTENCES:
        rest = len(sentences) - MAX_SENTENCES + 1
        sentences = [
            *sentences[: MAX_SENTENCES - 1],
            f"{rest} more settings of this link are not as they should be.",
        ]
    return experiment, sentences


def _pairs(query: str | Mapping[str, str], sentences: list[str]) -> list[tuple[str, str]]:
    """Decoded (key, value) pairs without those that belong to the page."""
    if isinstance(query, str):
        # What stands before "?" is an address, unless the mark is part of a value.
        address, mark, rest = query.partition("?")
        if mark and "=" not in address:
            query = rest
        elif "://" in address and "=" not in address:
            query = ""
        pieces = query.partition("#")[0].split("&", MAX_PAIRS)
        split = [piece.partition("=") for piece in pieces[:MAX_PAIRS] if piece]
        pairs = [(unquote_plus(key[:MAX_VALUE]), unquote_plus(value[:MAX_VALUE])) for key, _, value in split]
        dropped = len(pieces) > MAX_PAIRS
    else:
        pairs = [(str(key), str(value)[:MAX_VALUE]) for key, value in list(query.items())[:MAX_PAIRS]]
        dropped = len(query) > MAX_PAIRS
    if dropped:
        sentences.append(
            f"This link has more than {MAX_PAIRS} settings: only the first {MAX_PAIRS} are read."
        )
    return [
        (_valid_unicode(key.strip()), _valid_unicode(value))
        for key, value in pairs
        if key != RESERVED[0] and not key.startswith(RESERVED[1])
    ]


def _apply(experiment: Experiment, key: str, text: str) -> tuple[Experiment, list[str]]:
    """The experiment with one setting changed, or unchanged with a sentence."""
    settings = {path: (value, field) for path, value, field in field_paths(experiment)}
    if key not in settings:
        return experiment, [_unknown(experiment, key, list(settings))]
    current, field = settings[key]
    longest = max_length_of(field)
    sentences = []
    if longest is not None and len(text) > longest:
        text = text[:longest]
        sentences = [f"{key} is longer than {longest} characters: only the first {longest} are used."]
    value, problem = _parse(text, field)
    if not problem:
        try:
            return experiment.changed(key, value), sentences
        except ValidationError as error:
            problem = _why_not_allowed(error)
    allowed = f" ({_allowed(field)})" if _allowed(field) else ""
    return experiment, [
        f"{key} = {_shorten(text) or '(nothing)'} {problem}{allowed}: "
        f"{_plain(current) or 'nothing'} is used instead."
    ]


def _why_not_allowed(error: ValidationError) -> str:
    """Is not allowed, with the sentence of a validator of ours in parentheses where there is one."""
    reasons = [str(item["ctx"]["error"]) for item in error.errors() if item["type"] == "value_error"]
    return f"is not allowed ({_shorten(reasons[0], 160)})" if reasons else "is not allowed"


def _parse(text: str, field: FieldInfo) -> tuple[Any, str]:
    """The value in the field's type, and what is wrong with it or ""."""
    choices = {str(choice): choice for choice in choices_of(field)}
    if choices:
        return choices.get(text), "" if text in choices else "is not one of the choices"
    if field.annotation not in (int, float):
        return text, ""
    text = text.strip()
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return None, "is not allowed"
    number = float(text) if _NUMBER.fullmatch(text) else None
    if number is None:
        return None, "is not a number" if field.annotation is float else "is not a whole number"
    if field.annotation is float or number in (float("inf"), float("-inf")):
        return number, ""
    return int(number), "" if number.is_integer() else "is not a whole number"


def _allowed(field: FieldInfo) -> str:
    """What a field takes, in words."""
    bounds = bounds_of(field)
    if bounds:
        return f"{bounds[0]} to {bounds[1]}"
    *others, last = [str(choice) for choice in choices_of(field)] or [""]
    return f"{', '.join(others)} or {last}" if others else last


def _unknown(experiment: Experiment, key: str, known: list[str]) -> str:
    """Why a key is not a setting, and which ones there are."""
    group, dot, name = key.partition(".")
    field = type(experiment).model_fields.get(group)
    if dot and field and (kinds := kinds_of(field)):
        owners = [kind for kind, owner in kinds.items() if name in owner.model_fields and name != "kind"]
        chosen = getattr(experiment, group).kind
        own = ", ".join(path for path in known if path.startswith(f"{group}.")) or "no settings"
        belongs = (
            f"{key} belongs to {group} = {' or '.join(owners)}, not to"
            if owners
            else f"{_shorten(key)} is unknown to"
        )
        return f"{belongs} {group} = {chosen}, which has {own}: it is ignored."
    close = get_close_matches(key[:100], known, 1)
    names = ", ".join(path for path in known if "." not in path)
    hint = f"perhaps {close[0]} was meant." if close else f"there are {names}."
    return f"{_shorten(key) or '(nothing)'} is not a setting and is ignored; {hint}"


def _shorten(text: str, length: int = 40) -> str:
    """At most ``length`` visible characters, on one line."""
    text = text[: 20 * length]
    spaced = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    clean = " ".join(spaced.split())
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def _valid_unicode(text: str) -> str:
    """The text with half surrogates, which no URL can hold, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
