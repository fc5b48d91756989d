"""What a member agrees to: shown before, recorded with the text that was shown, and changed on the member's own page."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gridstay.web.site import Form, Visit
from gridstay.web.words import LANGUAGES, Words, instant

OURS = "gridstay-"
"""How the version of the text begins that comes with the program; an operator's own goes before it."""
STAYS, CHARGING, OFFERS = "stays", "charging", "offers"


@dataclass(frozen=True, slots=True)
class Text:
    """What is agreed to, by language."""

    version: str
    texts: Mapping[str, str]

    def said(self, words: Words) -> str:
        """In the reader's language, or in one that there is."""
        return self.texts.get(words.language) or next(iter(self.texts.values()))


async def text_to_agree(visit: Visit) -> Text:
    """The operator's newest text, or the one that comes with the program."""
    kept = [one for one in await visit.door.get("consent-texts") if not one["version"].startswith(OURS)]
    if kept:
        return Text(kept[-1]["version"], kept[-1]["texts"])
    texts = {language: Words(language)("consent.text") for language in LANGUAGES}
    return Text(OURS + sha256(repr(sorted(texts.items())).encode()).hexdigest()[:8], texts)


async def agreed(visit: Visit, form: Form, purposes: list[str]) -> dict[str, Any]:
    """Who agreed on this page, to which purposes and to which text, as the API takes it. The text is kept with it. A text
    that is not the one now was shown before it: then nobody has agreed to this one."""
    text = await text_to_agree(visit)
    if text.version.startswith(OURS):
        await visit.door.put("consent-texts", text.version, body={"texts": dict(text.texts)})
    shown = {"text_version": text.version} if form["text_version"] == text.version else {}
    return {"means": "page", "purposes": purposes, **shown}


async def consent_of(visit: Visit, member: Mapping[str, Any]) -> dict[str, Any]:
    """What the member agrees to now, and the record of it, the newest first."""
    record = await visit.door.get("members", member["id"], "consents")
    purposes = record[-1]["purposes"] if record else None
    return {
        CHARGING: CHARGING in purposes if purposes is not None else member["car"] is not None,
        OFFERS: purposes is None or OFFERS in purposes,
        "is_recorded": purposes is not None,
        "record": [_told(visit.words, one) for one in reversed(record)],
    }


def _told(words: Words, one: Mapping[str, Any]) -> dict[str, Any]:
    purposes = [words(f"purpose.{purpose}") for purpose in one["purposes"] or ()]
    car = [words("purpose.dr") if one["dr"] else "", words("purpose.discharge") if one["discharge"] else ""]
    charge = words("purpose.soc", wanted=one["wanted_soc_pct"], floor=one["floor_soc_pct"])
    return {
        "day": words.day(instant(one["at"]).date()),
        "means": words(f"means.{one['means']}"),
        "to": " · ".join(filter(None, [*purposes, *car, charge])),
        "version": one["text_version"] or "",
    }
