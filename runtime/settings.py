"""Settings from a TOML file, checked as a whole before anything starts."""

import os
import secrets
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

M = TypeVar("M", bound=BaseModel)
FOREVER = "forever"
"""What a settings file says for None, which TOML has no word for."""
Days = Annotated[
    Annotated[int, Field(ge=1, le=36_500)] | None,
    BeforeValidator(lambda given: None if given == FOREVER else given),
]
"""For how many days something is kept; None is for ever."""


class BadSettings(ValueError):
    """The settings cannot be used; the text names each wrong one."""


def load(model: type[M], path: Path | None) -> M:
    """The settings in the file, or the defaults when there is none. Raises BadSettings."""
    try:
        given = tomllib.loads(path.read_text("utf-8")) if path else {}
        return model.model_validate(given)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path}: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise BadSettings(f"{path or 'settings'}: {faults}") from error


def kept_secret(path: Path) -> str:
    """The secret in the file, made at first use: 32 random bytes as text, readable by the owner alone (mode 600).

    Raises BadSettings for an empty file, which would be a door without a lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make_secret(path)
    secret = path.read_text("ascii").strip()
    if not secret:
        raise BadSettings(f"{path} is empty: delete it, and a new secret is made")
    return secret


def _make_secret(path: Path) -> None:
    """The file appears whole or not at all, whenever the process may die."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(file.name, path)
