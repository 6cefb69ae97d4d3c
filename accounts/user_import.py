"""Importing users from a file: what would be done with each line, and doing it, a user in a transaction of its own.

Each user is made by one call of CreateUserWithAccess: whole, or not at all. A line that fails keeps no other from being done,
and a name that is taken is left alone, so a file may be sent again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.caller import Caller
from accounts.forms import GROUP_RULE, NAME_RULE, PATH_RULE, TAG_RULE
from accounts.import_words import KINDS, LATER, LEFT_ALONE, MADE, THERE, WILL, WRONG, names_of
from accounts.operations.groups import list_groups
from accounts.operations.users import list_users
from accounts.operations.whole_users import create_user_with_access
from accounts.steps import refuse_past
from accounts.tags import checked
from accounts.user_files import UserRow
from api import shapes
from iamconsole.errors import EntityAlreadyExists, Fault, SudoRequired
from iamconsole.forms import may, places_of

# Set-up links are shown by the answer to the request that makes them and are kept nowhere, so no worker in the background can
# make them; and a request must end. So many users are made by one, and the next goes on where it stopped.
AT_ONCE: Final = 200
RULES: Final = {"user_name": NAME_RULE, "path": PATH_RULE, "group_names": GROUP_RULE, "tags": TAG_RULE}


@dataclass(frozen=True)
class Line:
    """A line of the file with what will become or has become of it."""

    row: UserRow
    word: str
    detail: str = ""
    setup_url: str = ""
    expire_date: datetime | None = None

    @property
    def kind(self) -> str:
        """How the word is shown."""
        return KINDS[self.word]


def preview(caller: Caller, rows: Sequence[UserRow]) -> list[Line]:
    """What would be done with each line, as far as the caller may know. Changes nothing."""
    return [line if line.word != WILL else _foreseen(caller, line) for line in _checked(caller, rows)]


def run(caller_for_each: Callable[[], Caller], rows: Sequence[UserRow], *, most: int = AT_ONCE) -> list[Line]:
    """Make the users, so many at most. ``caller_for_each``: the caller, anew for each that is made."""
    done: list[Line] = []
    made = 0
    for line in _checked(caller_for_each(), rows):
        if line.word == WILL:
            made += 1
            done.append(_make(caller_for_each(), line.row) if made <= most else Line(line.row, LATER))
        else:
            done.append(line)
    return done


def _checked(caller: Caller, rows: Iterable[UserRow]) -> Iterator[Line]:
    users, groups = names_of(caller, list_users, "user_name_key"), names_of(caller, list_groups, "group_name_key")
    for row in rows:
        errors = [*row.errors, *_refused(row)]
        if groups is not None:
            unknown = [name for name in row.parameters.get("group_names", ()) if name.lower() not in groups]
            errors += [f"There is no group {name}." for name in unknown]
        if users is not None and row.user_name.lower() in users and not row.errors:
            yield Line(row, THERE, LEFT_ALONE)
        elif errors:
            yield Line(row, WRONG, " ".join(dict.fromkeys(errors)))
        else:
            yield Line(row, WILL)


def _refused(row: UserRow) -> list[str]:
    """What the operation would say of the parameters, before anything is asked of the database."""
    try:
        if row.parameters:
            shapes.validate(create_user_with_access.model, row.parameters)
            checked(row.parameters.get("tags", ()))
            refuse_past(row.parameters.get("end_date"), "end_date")
    except Fault as fault:
        return [RULES.get(place, fault.message) for place in places_of(fault)] or [fault.message]
    return []


def _foreseen(caller: Caller, line: Line) -> Line:
    allowed = may(caller, create_user_with_access, **line.row.parameters)
    return line if allowed.allowed else Line(line.row, WRONG, f"You may not: {allowed.action} on {allowed.resource}.")


def _make(caller: Caller, row: UserRow) -> Line:
    try:
        made = create_user_with_access(caller, **row.parameters)
    except SudoRequired:  # at the first one: nothing is done yet, and the same comes again
        raise
    except EntityAlreadyExists as fault:
        return Line(row, THERE, fault.message)
    except Fault as fault:
        return Line(row, WRONG, fault.message)
    link = made.setup_link
    return Line(row, MADE, "", link.secret["setup_url"], link.entity.expire_date) if link else Line(row, MADE)
