"""Triggers of the database that note each row in which something of an account changes, whoever changes it."""

from collections.abc import Iterator, Mapping
from typing import Final

from django.db import connection

# What tells of an account: tables, and of a table whose rows also note their use or a try, the columns that an operation changes.
# Of a password it is when it was changed: a sign-in hashes it anew where that is at other costs than the product's.
WATCHED: Final = {
    "accounts_account": "name, alias, quotas, access_key_maximum_days",
    "accounts_user": "user_name, path, tags, email, boundary_id, password_last_changed, suspended_date, suspended_until,"
    " end_date",
    "accounts_group": "",
    "accounts_membership": "",
    "accounts_userlistview": "",
    "credentials_accesskey": "status, user_id, description, expire_date",
    "credentials_deactivation": "",
    "credentials_loginprofile": "",
    "credentials_passwordpolicy": "",
    "credentials_servicespecificcredential": "user_id, active, expiration_date",
    "credentials_servicetoken": "description, expire_date",
    "credentials_mfadevice": "user_id, confirmed, tags",
    "credentials_mfarequirement": "",
    "credentials_servercertificate": "server_certificate_name, path, tags, certificate_body",
    "credentials_signingcertificate": "",
    "credentials_sshpublickey": "status, user_id",
    "credentials_credentialreport": "account_id",
    "accounts_job": "account_id, kind",
    "permissions_userpolicy": "",
    "permissions_grouppolicy": "",
    "permissions_managedpolicy": "",
    "permissions_policyversion": "",
    "permissions_attacheduserpolicy": "",
    "permissions_attachedgrouppolicy": "",
}
EVENTS: Final = "audit_event"


def watching(prefix: str, tables: Mapping[str, str], note: str) -> Iterator[tuple[str, str]]:
    """The statements that make the triggers, and those that take them off.

    prefix: what their names begin with. tables: as WATCHED has them. note: the statement to run for a row, ``{table}`` in it
    being the table's name.
    """
    sqlite = connection.vendor == "sqlite"
    for table, columns in tables.items():
        noted, name = note.format(table=table), f"{prefix}_{table}"
        if not sqlite:
            body = f"BEGIN {noted}; RETURN NULL; END"
            yield (
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
                f"DROP FUNCTION {name}()",
            )
        for what in ("INSERT", "DELETE", f"UPDATE OF {columns}" if columns else "UPDATE"):
            trigger = f"{name}_{what[:6].lower()}"
            # Writing what is there already changes nothing.
            differs = "IS NOT" if sqlite else "IS DISTINCT FROM"
            when = " OR ".join(f"OLD.{each} {differs} NEW.{each}" for each in columns.split(", ") if each)
            condition = f"WHEN ({when}) " if when and what.startswith("UPDATE") else ""
            act = f"BEGIN {noted}; END" if sqlite else f"EXECUTE FUNCTION {name}()"
            yield (
                f"CREATE TRIGGER {trigger} AFTER {what} ON {table} FOR EACH ROW {condition}{act}",
                f"DROP TRIGGER {trigger}" + ("" if sqlite else f" ON {table}"),
            )
