"""The command line as a whole."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from typer.testing import CliRunner

from gridstay.cli.main import app


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"gridstay {version('gridstay')}\n")


def test_help_names_every_command_and_completion() -> None:
    shown = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["--help"]).stdout
    commands = ("demo", "simulate", "serve", "simulate-station", "station", "session", "booking", "member", "facility")
    for word in (*commands, "dr", "ledger", "--install-completion", "--show-completion"):
        assert word in shown


def test_nothing_to_do_is_help() -> None:
    for words in ([], ["station"], ["dr"], ["dr", "event"]):
        result = CliRunner(env={"TERM": "dumb"}).invoke(app, words)
        assert "Usage" in result.output
        assert "Traceback" not in result.output


def test_a_command_that_is_not_there_is_told_with_those_that_are_like_it() -> None:
    result = CliRunner(env={"TERM": "dumb"}).invoke(app, ["statoin"])
    assert result.exit_code == 2
    assert "Did you mean 'station'" in result.output


def test_an_operators_command_does_not_load_the_system() -> None:
    look = """
import sys
from gridstay.cli.main import app
for words in ("station", "bookings", "dr"):
    app([words, "--help"], standalone_mode=False)
print([name for name in ("gridstay.compose", "fastapi", "sqlalchemy", "matplotlib") if name in sys.modules])
"""
    command = [sys.executable, "-c", look]
    found = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.splitlines()[-1] == "[]", found.stderr
