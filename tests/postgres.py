"""A PostgreSQL server for tests: of Debian's package, in a folder of its own, on a free port, as a user who is not root."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, MetaData, create_engine, make_url, text

from runtime.storage.migrate import upgrade_on

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
LONGEST_S = 60
SERVER = "GRIDSTAY_TEST_POSTGRES"
"""The environment's name for the server, by a URL, on which tests shall run that else run on SQLite."""


@contextmanager
def served() -> Iterator[str]:
    """A server until the block ends, by the URL of one of its databases."""
    if not PROGRAMS:
        raise FileNotFoundError("there is no PostgreSQL server; `make postgres` installs it")
    programs, port, user = PROGRAMS[-1], _free_port(), "postgres" if os.geteuid() == 0 else None
    with TemporaryDirectory() as made:
        folder = Path(made)
        if user is not None:
            shutil.chown(folder, user)
        data, log = folder / "data", folder / "log"
        _run(user, programs / "initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "-D", data)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300"
        _run(user, programs / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def prepare(server: str, service: str, metadata: MetaData) -> None:
    """Make the database with the service's tables of which all others of it are copies."""
    with _administering(server) as connection:
        connection.execute(text(f"CREATE DATABASE {service}"))
    engine = create_engine(_of(server, service))
    with engine.begin() as own:
        upgrade_on(own, service, metadata)
    engine.dispose()


@contextmanager
def new_database(server: str, service: str) -> Iterator[str]:
    """A database of the server with the service's tables, until the block ends."""
    name = f"test_{uuid4().hex}"
    with _administering(server) as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {service}"))
    try:
        yield _of(server, name)
    finally:
        with _administering(server) as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _administering(server: str) -> Iterator[Connection]:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _of(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _run(user: str | None, *command: str | Path) -> None:
    identity: dict[str, Any] = {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run(
        [str(part) for part in command],
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a server that is started keeps what it inherits
        stderr=subprocess.DEVNULL,
        timeout=LONGEST_S,
        check=False,
        **identity,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed with {done.returncode}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
