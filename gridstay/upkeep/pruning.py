"""The retention of all three databases, once and now: in the running service, or on the files of one that is stopped."""

import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from csms.retention import RetentionSettings as CsmsRetention
from csms.retention import rules as csms_rules
from dr_engine.retention import RetentionSettings as DrRetention
from dr_engine.retention import rules as dr_rules
from gridstay.upkeep.folder import MAILBOXES, TABLES, check_databases, check_revision, file_of, opened, revision_of, url_of
from runtime.activity import Activity
from runtime.clock import Clock
from runtime.settings import Days
from runtime.storage.database import Database
from runtime.storage.migrate import upgrade
from runtime.storage.sweep import Rules, mailbox_rules, sweep, unsent_ids

WORTH_IT = 0.05
"""A file is written anew when at least this part of it is free."""


class Keep(BaseModel):
    """For how long what is kept; None is for ever."""

    model_config = ConfigDict(extra="forbid")

    csms: CsmsRetention = Field(default_factory=CsmsRetention)
    dr: DrRetention = Field(default_factory=DrRetention)
    mailboxes_days: Days = 30


def of_mailboxes(databases: Mapping[str, Database], days: int | None) -> dict[str, Rules]:
    """What goes of outbox and inbox of each database. They are looked at together: see `mailbox_rules`."""
    if days is None:
        return {name: {} for name in databases}

    async def unsent() -> frozenset[str]:
        found = [await database.read(unsent_ids(MAILBOXES[name])) for name, database in databases.items()]
        return frozenset().union(*found)

    return {name: mailbox_rules(MAILBOXES[name], days, unsent) for name in databases}


async def prune(
    databases: Mapping[str, Database], clock: Clock, keep: Keep, *, gently: bool
) -> AsyncGenerator[tuple[str, str, int], None]:
    """Sweep once; yields after every write the database, what went of it and how much. Where the caller stops, the next
    time goes on. `gently` beside a service at work."""
    wanted = of_mailboxes(databases, keep.mailboxes_days)
    wanted["csms"] = {**csms_rules(keep.csms), **wanted["csms"]}
    wanted["dr_engine"] = {**dr_rules(keep.dr), **wanted["dr_engine"]}
    for name, chosen in wanted.items():
        async with aclosing(sweep(databases[name], clock, chosen, gently=gently)) as steps:
            async for what, rows in steps:
                yield name, what, rows


async def prune_stopped(folder: Path, clock: Clock, keep: Keep) -> AsyncGenerator[tuple[str, str, int], None]:
    """The same on the files of a service that is stopped, in whose folder the caller must be alone. Brings the tables up
    to date as a start would. Raises UpkeepError, sqlite3.Error, SQLAlchemyError."""
    check_databases(folder)
    for name in TABLES:
        with opened(file_of(folder, name)) as connection:
            check_revision(name, revision_of(connection))
    async with AsyncExitStack() as stack:
        databases = {}
        for name, metadata in TABLES.items():
            url = url_of(folder, name)
            databases[name] = await stack.enter_async_context(Database.open(url, activity=Activity()))
            await upgrade(databases[name], name, metadata)
        async with aclosing(prune(databases, clock, keep, gently=False)) as steps:
            async for step in steps:
                yield step


def give_back(folder: Path, name: str) -> tuple[int, str]:
    """Write a database anew without its free pages, if that is worth it; how many bytes smaller it is, and why not.

    Nobody else may have it open. VACUUM writes a copy beside it and then the whole of it through the log, so it needs twice
    the space for a while. Raises sqlite3.Error, OSError.
    """
    file = file_of(folder, name)
    before = file.stat().st_size
    with opened(file, "mode=rw") as connection:
        free, pages = (connection.execute(f"PRAGMA {told}").fetchone()[0] for told in ("freelist_count", "page_count"))
        if free < WORTH_IT * pages:
            return 0, f"{free} of {pages} pages are free, which is not worth writing it anew; they are used again"
        if shutil.disk_usage(folder).free < 2 * before:
            return (
                0,
                f"writing it anew needs {2 * before} bytes for a while, which the disk has not; free pages are used again",
            )
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before - file.stat().st_size, ""
