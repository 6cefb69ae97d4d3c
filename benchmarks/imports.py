"""What an import of 1,000 users by CSV costs, each in two groups, every second one with a set-up link: preview and making.

On SQLite, or on what DATABASE_URL names, which is to be empty.
"""

import time

from benchmarks.stage import stage

USERS, GROUPS = 1_000, 20


def run() -> None:
    """Print the figures."""
    with stage() as on:
        on.manage("prepare", "--no-account")
        print(on.call("imports.measure", USERS), flush=True)


def file_of(size: int) -> bytes:
    """A file of so many users, each in two of the groups."""
    lines = ["user_name,path,groups,tags,console_access"]
    for number in range(size):
        groups = f"Team-{number % GROUPS};Team-{(number + 1) % GROUPS}"
        access = "setup_link" if number % 2 else "none"
        lines.append(f"new-{number:05},/staff/,{groups},team=blue;number={number},{access}")
    return "\n".join(lines).encode()


def measure(size: int) -> str:
    """Import a file as the page does: parts that fit a request, of which each tells how far it is."""
    from django.db import connection

    from accounts import user_files, user_import
    from accounts.import_words import LATER, MADE
    from accounts.management.commands._shell import operator, root_of
    from accounts.operations.groups import create_group
    from accounts.operations.installation import create_account
    from benchmarks.pages import timing

    made = create_account(operator(), name="Bench", root_email="import@example.org").entity["account_id"]
    caller = root_of(str(made))
    for number in range(GROUPS):
        create_group(caller, group_name=f"Team-{number}")
    rows = user_files.read(user_files.text_of(file_of(size)))
    queries: list[tuple[float, str, object]] = []
    with connection.execute_wrapper(timing(queries)):
        started = time.perf_counter()
        user_import.preview(caller, rows)
        told(f"preview of {size:,} users", started, size, queries)
        begun, done, left = time.perf_counter(), 0, size
        while left:
            started = time.perf_counter()
            words = [line.word for line in user_import.run(lambda: caller, rows)]
            done, left = done + words.count(MADE), words.count(LATER)
            told(f"{done:,} of {size:,} users made", started, words.count(MADE), queries)
    took = time.perf_counter() - begun
    return f"{size:,} users by CSV: {took:.1f} s, {took / size * 1e3:.1f} ms a user"


def told(what: str, started: float, number: int, queries: list[tuple[float, str, object]]) -> None:
    """Print what a step took, and forget its queries."""
    took = time.perf_counter() - started
    asked, waited = len(queries), sum(each[0] for each in queries)
    print(f"{what}: {took:.2f} s, {asked / max(number, 1):.1f} queries a user ({waited / 1e3:.2f} s of it)", flush=True)
    queries.clear()
