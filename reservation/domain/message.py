"""Texts for members, in Japanese and English: a template for each kind, which a facility may replace by its own."""

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter

Templates = Mapping[str, Mapping[str, str]]
"""By language, then by kind of message."""


class Language(StrEnum):
    """The languages in which members are told things (ISO 639)."""

    JA = "ja"
    EN = "en"


_STAY = frozenset({"facility", "when", "resource"})
FIELDS: dict[str, frozenset[str]] = {
    "booked": _STAY | {"place", "service", "bay", "member", "code", "car", "party"},
    "changed": _STAY | {"place", "service", "bay", "member", "code", "car", "party"},
    "cancelled": _STAY | {"service", "member"},
    "no_show": _STAY | {"service", "member"},
    "free": frozenset({"facility", "when", "service", "member"}),
    "offer": frozenset({"facility", "periods", "reward", "link", "unsubscribe", "member"}),
}
"""What a facility may have its own words for, and what can be named in them, in braces: {when}."""


def check_templates(templates: Templates) -> None:
    """Raises ValueError for a language, a kind or a field that nobody knows."""
    for language, texts in templates.items():
        if language not in set(Language):
            raise ValueError(f"no messages in {language!r}; take one of {', '.join(Language)}")
        for kind, text in texts.items():
            if kind not in FIELDS:
                raise ValueError(f"no message {kind!r}; take one of {', '.join(FIELDS)}")
            _check(f"messages.{language}.{kind}", text, FIELDS[kind])


def _check(where: str, text: str, known: frozenset[str]) -> None:
    try:
        named = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    for name, spec, conversion in named:
        if name not in known or spec or conversion:
            shown = ", ".join(f"{{{field}}}" for field in sorted(known))
            raise ValueError(f"{where} cannot name {{{name}}}; it can name {shown}")
