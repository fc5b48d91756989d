"""Tables whose rows can be added, but neither changed nor taken away: forbidden in the database itself."""

from collections.abc import Iterator


def statements(dialect: str, table: str, what: str) -> Iterator[str]:
    """What a migration executes for a table; a change is refused with "`what` is append only". A table that is dropped takes
    its triggers along."""
    if dialect == "postgresql":
        yield (
            f"CREATE FUNCTION {table}_forbid() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{what} is append only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for deed in ("UPDATE", "DELETE"):
        trigger = f"CREATE TRIGGER {table}_forbid_{deed.lower()} BEFORE {deed} ON {table}"
        if dialect == "postgresql":
            yield f"{trigger} FOR EACH ROW EXECUTE FUNCTION {table}_forbid()"
        else:
            yield f"{trigger} BEGIN SELECT RAISE(ABORT, '{what} is append only'); END"
