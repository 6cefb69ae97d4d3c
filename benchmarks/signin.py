"""Whether the time of a sign-in that fails tells what exists: the whole request, of each kind of failure, in turn.

AUC is the chance that a request of one kind takes longer than one of another: 0.5 is what tells nothing. Run it on a machine that
does nothing else.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import combinations

from benchmarks.stage import ROOT, Stage, quantiles, stage

EACH = {"evaluated": 300, "throttled": 1000}  # of each kind; those that hash nothing are quick
WARM_UP = 10
SHUFFLED = random.Random(0)
PASSWORD = "Blue-Horse-7-Battery"
ROOT_ADDRESS, BARE_ROOT_ADDRESS = "root@example.org", "bare@example.org"


def run() -> None:
    """Print the figures."""
    with stage() as on:
        made = [_account(on, address) for address in (ROOT_ADDRESS, BARE_ROOT_ADDRESS)]
        # In a process of its own, for Django takes its settings once.
        command = [sys.executable, "-m", "benchmarks.signin", made[0]["account_id"]]
        subprocess.run(
            command, cwd=ROOT, env=on.environment | {"DJANGO_SETTINGS_MODULE": "iamconsole.settings"}, check=True
        )


def _account(on: Stage, address: str) -> dict[str, str]:
    """An account whose root user, with the e-mail address, is all there is."""
    for command in (["prepare", "--no-account"], ["createaccount", "Bench", "--root-email", address, "--json"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=on.environment, capture_output=True, check=True
        )
    made: dict[str, str] = json.loads(done.stdout)
    return made


def measure(account_id: str) -> None:
    """Make users of every kind, and time their failures; each try has an address of its own."""
    import django

    os.environ["LOG_STREAM"] = "stderr"
    django.setup()
    import logging

    from django.contrib.auth.hashers import make_password

    from accounts.management.commands._shell import root_of
    from accounts.models import User
    from accounts.operations.suspension import suspend_user
    from accounts.operations.users import create_user
    from accounts.signin import nobodys_password
    from credentials.operations.login_profiles import create_login_profile

    logging.getLogger("iamconsole.request").disabled = True
    root = root_of(account_id)
    User.objects.filter(email=ROOT_ADDRESS).update(password=make_password(PASSWORD))
    for name in ("alice", "bare", "away"):
        create_user(root, user_name=name)
    for name in ("alice", "away"):
        create_login_profile(root, user_name=name, password=PASSWORD)
    suspend_user(root, user_name="away")
    nobodys_password()
    account = {"account": account_id}
    classes = {
        "wrong password": {**account, "user_name": "alice"},
        "no password": {**account, "user_name": "bare"},
        "suspended": {**account, "user_name": "away"},
        "unknown user": {**account, "user_name": "nobody"},
        "unknown account": {"account": "100000000001", "user_name": "alice"},
        "unknown alias": {"account": "no-such-alias", "user_name": "alice"},
    }
    roots = {
        "root's wrong password": {"email": ROOT_ADDRESS},
        "root without a password": {"email": BARE_ROOT_ADDRESS},
        "unknown root": {"email": "nobody@example.org"},
    }
    for each in (classes, roots):
        _compare("evaluated", 200, each, _fresh)
    throttled = {name: classes[name] for name in classes if name != "unknown alias"}
    for each in (throttled, roots):
        _compare("throttled", 429, each, _used_up)


def _fresh(fields: dict[str, str]) -> None:
    """Every budget is full."""
    from accounts.models import Throttle

    Throttle.objects.all().delete()


def _used_up(fields: dict[str, str]) -> None:
    """The user's budget is empty, whether or not there is the user."""
    from accounts import throttle
    from accounts.models import Throttle

    _fresh(fields)
    account, who = (fields.get("email") or fields[name] for name in ("account", "user_name"))
    user = throttle.sign_in_budgets(account=account, who=who, address="")[0]
    Throttle.objects.create(key=user.key, tat=int(time.time() * 1_000_000) + user.rate.full)


def _compare(
    label: str, status: int, classes: dict[str, dict[str, str]], before: Callable[[dict[str, str]], None]
) -> None:
    times: dict[str, list[float]] = {name: [] for name in classes}
    turns = list(enumerate(classes.items()))
    rounds = EACH[label] + WARM_UP
    for turn in range(rounds):
        if turn % 100 == 0:
            print(f"{label}: {turn} of {rounds} rounds", file=sys.stderr)
        SHUFFLED.shuffle(turns)  # so that none is always the one after the same other
        for number, (name, fields) in turns:
            before(fields)
            took = _attempt(fields, f"127.{1 + number}.{turn // 250}.{1 + turn % 250}", status)
            if turn >= WARM_UP:
                times[name].append(took)
    for name, each in times.items():
        quantiles(f"{label}, {name}", each)
    for one, other in combinations(classes, 2):
        print(f"{label}, AUC of {one} and {other}: {auc(times[one], times[other]):.3f}")


def _attempt(fields: dict[str, str], address: str, status: int) -> float:
    """One try in a browser of its own; the milliseconds it took."""
    from django.test import Client

    client = Client(HTTP_HOST="localhost", REMOTE_ADDR=address)
    started = time.perf_counter()
    answer = client.post("/signin/?as=root" if "email" in fields else "/signin/", {**fields, "password": "wrong"})
    took = (time.perf_counter() - started) * 1000
    if answer.status_code != status:
        raise RuntimeError(re.sub(r"\s+", " ", answer.content.decode())[:500])
    return took


def auc(one: Sequence[float], other: Sequence[float]) -> float:
    """The chance that a value of ``one`` is above one of ``other`` (Mann and Whitney's U)."""
    above = sum((a > b) + (a == b) / 2 for a in one for b in other)
    return above / (len(one) * len(other))


if __name__ == "__main__":
    measure(sys.argv[1])
