"""A backup back into its place, when it has shown to be whole; what was there is kept aside until that is done."""

import shutil
import sqlite3
from pathlib import Path
from tempfile import mkdtemp

from gridstay.upkeep.backup import MANIFEST, Manifest, Told, check_space, flushed, read_backup
from gridstay.upkeep.folder import ASIDE, SECRETS, TABLES, UpkeepError, check_revision, file_of, opened, revision_of
from runtime.folder import FolderInUse, alone_in

STAGED = ".restore-"
BESIDE = ("", "-wal", "-shm")
"""What belongs to a database's file: its log would be played into the wrong one."""


def restore(source: Path, data: Path, *, force: bool, told: Told) -> Manifest:
    """Put a backup into the data folder. Raises UpkeepError, OSError, sqlite3.Error; then the folder is as it was."""
    if not source.exists():
        raise UpkeepError(f"there is no {source}")
    try:
        with alone_in(data):
            return _restore(source, data, force=force, told=told)
    except FolderInUse as error:
        raise UpkeepError(f"{error}: stop it first") from error


def _restore(source: Path, data: Path, *, force: bool, told: Told) -> Manifest:
    there = [file.name for name in TABLES if (file := file_of(data, name)).exists()]
    if (there or (data / ASIDE).exists()) and not force:
        raise UpkeepError(f"{data} holds {', '.join(there) or ASIDE} already; --force replaces what is there")
    for left in data.glob(f"{STAGED}*"):
        shutil.rmtree(left)
    check_space(data, _size(source))
    staged = Path(mkdtemp(prefix=STAGED, dir=data))
    try:
        manifest = read_backup(source, staged, told)
        _check(staged, manifest, told)
        for path in manifest.files:
            flushed(staged / path)
        (staged / MANIFEST).unlink()
        _exchange(staged, data)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return manifest


def _size(source: Path) -> int:
    files = [source] if source.is_file() else source.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _check(folder: Path, manifest: Manifest, told: Told) -> None:
    """Raises UpkeepError unless every database is sound and one that we know how to use."""
    for number, name in enumerate(TABLES):
        told(f"looking through {name}", number, len(TABLES))
        with opened(file_of(folder, name), "immutable=1") as connection:
            try:
                faults = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            except sqlite3.DatabaseError as error:
                faults = [str(error)]
            if faults != ["ok"]:
                raise UpkeepError(f"the backup's database {name} is damaged: {'; '.join(faults)}")
            revision = revision_of(connection)
            if revision != manifest.revisions[name]:
                raise UpkeepError(f"the backup's database {name} is of step {revision}, its {MANIFEST} says otherwise")
            check_revision(name, revision)


def _exchange(staged: Path, data: Path) -> None:
    """What is in its place goes aside, and the new comes. While the folder aside is there, `serve` does not start; after a
    crash in the middle the next restore goes on, and what stands aside already is the old one."""
    aside = data / ASIDE
    aside.mkdir(exist_ok=True)
    flushed(data)
    names = [f"{file_of(data, name).name}{end}" for name in TABLES for end in BESIDE] + list(SECRETS)
    placed: list[Path] = []
    try:
        for name in names:
            if (data / name).exists():
                _gone(data / name) if (aside / name).exists() else (data / name).rename(aside / name)
        for new in staged.iterdir():
            new.rename(data / new.name)
            placed.append(data / new.name)
        flushed(data)
    except OSError:
        for new in placed:
            _gone(new)
        for old in aside.iterdir():
            _gone(data / old.name)
            old.rename(data / old.name)
        aside.rmdir()
        raise
    shutil.rmtree(aside)
    flushed(data)


def _gone(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
