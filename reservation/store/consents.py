"""What members have agreed to, and the texts that they have agreed to. Both are only ever added to."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select

from reservation.domain.consent import Consent, ConsentText, Means, Purpose
from reservation.domain.member import Preferences
from reservation.store.tables import consent_texts, consents


def add(connection: Connection, member_id: str, consent: Consent) -> None:
    """From now on this holds for the member."""
    agreed = consent.preferences
    row = {
        "member_id": member_id,
        "at": consent.at,
        "means": consent.means,
        "text_version": consent.text_version,
        "purposes": None if consent.purposes is None else sorted(consent.purposes),
        "dr": agreed.dr,
        "discharge": agreed.discharge,
        "wanted_soc_pct": agreed.wanted_soc_pct,
        "floor_soc_pct": agreed.floor_soc_pct,
    }
    connection.execute(insert(consents).values(row))


def of_member(connection: Connection, member_id: str) -> list[Consent]:
    """All that the member has agreed to, in its order."""
    query = select(consents).where(consents.c.member_id == member_id).order_by(consents.c.position)
    return [_consent(row) for row in connection.execute(query)]


def latest(connection: Connection, member_id: str) -> Consent | None:
    """What holds for the member; None when nothing was recorded."""
    query = select(consents).where(consents.c.member_id == member_id).order_by(consents.c.position.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _consent(row)


def add_text(connection: Connection, text: ConsentText) -> None:
    """Keep a text that members will be shown."""
    connection.execute(insert(consent_texts).values(version=text.version, made_at=text.made_at, texts=text.texts))


def text(connection: Connection, version: str) -> ConsentText | None:
    """The text of that version, or None."""
    row = connection.execute(select(consent_texts).where(consent_texts.c.version == version)).one_or_none()
    return None if row is None else ConsentText(row.version, row.made_at, row.texts)


def texts(connection: Connection) -> list[ConsentText]:
    """All texts, the newest last."""
    query = select(consent_texts).order_by(consent_texts.c.position)
    return [ConsentText(row.version, row.made_at, row.texts) for row in connection.execute(query)]


def _consent(row: Row[Any]) -> Consent:
    return Consent(
        at=row.at,
        means=Means(row.means),
        preferences=Preferences(row.dr, row.discharge, row.wanted_soc_pct, row.floor_soc_pct),
        purposes=None if row.purposes is None else frozenset(map(Purpose, row.purposes)),
        text_version=row.text_version,
    )
