"""The database's own rules for the trail: events are added and never changed; they go as a prefix that the anchor covers.

A mistake in this program, or a statement typed by hand, is refused by them. Who owns the database can take them off: the
chain of hashes is there for that.
"""

from typing import Any, Final

TABLES: Final = ("audit_event", "audit_eventkey")
REFUSED: Final = "the trail is only added to"
HEAD: Final = "the head of a chain only goes forward"
_PRUNED: Final = (
    "EXISTS (SELECT 1 FROM audit_chainhead h WHERE h.chain = OLD.chain AND h.anchor_sequence >= OLD.sequence)"
)
_BACK: Final = (
    "NEW.chain <> OLD.chain OR NEW.sequence < OLD.sequence OR NEW.anchor_sequence < OLD.anchor_sequence"
    " OR NEW.anchor_sequence > NEW.sequence"
)


def names(vendor: str) -> list[str]:
    """What the triggers are called."""
    every = [f"{table}_{what}" for table in TABLES for what in ("update", "delete")]
    every += ["audit_chainhead_update", "audit_chainhead_delete"]
    if vendor == "sqlite":
        return [*every, "audit_event_replace"]
    return [*every, *(f"{table}_truncate" for table in (*TABLES, "audit_chainhead"))]


def create(vendor: str) -> list[str]:
    """The statements that make them."""
    return _sqlite() if vendor == "sqlite" else _postgresql()


def drop(vendor: str) -> list[str]:
    """The statements that take them off."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in names(vendor)]
    dropped = [f"DROP TRIGGER IF EXISTS {name} ON {name.rpartition('_')[0]}" for name in names(vendor)]
    functions = ["audit_refuse", *(f"{table}_delete" for table in TABLES)]
    return [*dropped, *(f"DROP FUNCTION IF EXISTS {name}()" for name in functions)]


def missing(connection: Any) -> list[str]:
    """The triggers that are not there, or switched off."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in names(connection.vendor) if name not in there]


def _sqlite() -> list[str]:
    made = []
    for table in TABLES:
        made += [
            f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END",
            (
                f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} WHEN NOT {_PRUNED}"
                f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
            ),
        ]
    return [
        *made,
        # INSERT OR REPLACE deletes without asking the trigger above.
        (
            "CREATE TRIGGER audit_event_replace BEFORE INSERT ON audit_event WHEN EXISTS (SELECT 1 FROM audit_event e"
            " WHERE e.id = NEW.id OR e.event_id = NEW.event_id OR (e.chain = NEW.chain AND e.sequence = NEW.sequence))"
            f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        ),
        (
            f"CREATE TRIGGER audit_chainhead_update BEFORE UPDATE ON audit_chainhead WHEN {_BACK}"
            f" BEGIN SELECT RAISE(ABORT, '{HEAD}'); END"
        ),
        (
            "CREATE TRIGGER audit_chainhead_delete BEFORE DELETE ON audit_chainhead"
            f" BEGIN SELECT RAISE(ABORT, '{HEAD}'); END"
        ),
    ]


def _postgresql() -> list[str]:
    made = [
        (
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    ]
    for table in TABLES:
        made += [
            (
                f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} FOR EACH ROW"
                f" EXECUTE FUNCTION audit_refuse('{REFUSED}')"
            ),
            # A WHEN of PostgreSQL may not ask other tables, so the condition stands in a function of its own.
            (
                f"CREATE OR REPLACE FUNCTION {table}_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF {_PRUNED} THEN RETURN OLD; END IF;"
                f" RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            ),
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_delete()",
        ]
    made += [
        (
            f"CREATE TRIGGER audit_chainhead_update BEFORE UPDATE ON audit_chainhead FOR EACH ROW WHEN ({_BACK})"
            f" EXECUTE FUNCTION audit_refuse('{HEAD}')"
        ),
        (
            "CREATE TRIGGER audit_chainhead_delete BEFORE DELETE ON audit_chainhead FOR EACH ROW"
            f" EXECUTE FUNCTION audit_refuse('{HEAD}')"
        ),
    ]
    return made + [
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION audit_refuse('{REFUSED}')"
        for table in (*TABLES, "audit_chainhead")
    ]
