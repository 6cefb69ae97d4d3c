"""Second factors themselves: one code once however many ask at once, budgets that hold, recovery codes and passkeys."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import django_otp
import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.operations.sessions import reset_sign_in_throttle
from credentials import totp
from credentials.mfa import codes, passkeys, recovery_codes, throttle
from credentials.mfa.models import Attempt, GuessBudget, MFADevice, PasskeyChallenge, RecoveryCode, WrongCodes
from credentials.mfa.throttle import MOST_BY_KEY, MOST_FAILURES, Guesser
from credentials.operations.mfa_devices import deactivate_mfa_device, enable_mfa_device, resync_mfa_device
from credentials.operations.passkeys import begin_passkey_registration, finish_passkey_registration
from credentials.operations.recovery_codes import create_recovery_codes, get_recovery_code_count
from iamconsole.errors import AccessDenied, EntityAlreadyExists, Fault, InvalidAuthenticationCode, InvalidInput
from permissions.operations.inline import put_user_policy
from tests.authenticators import App, SecurityKey, give_app, in_mfa_session
from tests.conftest import ROOT, SECRETS, Person, allow, caller_for, make_user

Rounds = Callable[[int, int], int]
MANY, PROCESSES = 20, 4
GUESSES = 60
# Each line of input is a user's id, a device's, and codes; all of a round's processes take theirs at the same moment.
IN_A_PROCESS = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.db import connection
from django.utils import timezone
from accounts.models import User
from credentials.mfa import codes
from credentials.mfa.models import MFADevice
from credentials.mfa.throttle import Guesser

def tried(given):
    at, user, device, code = given
    time.sleep(max(0, at - time.time()))
    try:
        return codes.verify(Guesser(user, "console"), device, code, timezone.now())
    finally:
        connection.close()

print("ready", flush=True)
with ThreadPoolExecutor(20) as pool:
    for line in sys.stdin:
        at, user, device, *given = line.rstrip("\\n").split("\\t")
        user, device = User.objects.get(pk=user), MFADevice.objects.get(pk=device)
        done = pool.map(tried, [(float(at), user, device, code) for code in given])
        print(sum(done), flush=True)
"""


@pytest.fixture
def app(bob: Person) -> App:
    """bob's app, enabled."""
    return give_app(bob.account_id, bob.user, "bobs")


def device_of(app: App) -> MFADevice:
    return MFADevice.objects.get(serial_number=app.serial_number)


def spelled(code: str, number: int) -> str:
    """The code in one of its spellings."""
    return (code, f"{code[:3]} {code[3:]}", f" {code}", f"{code} ", " ".join(code))[number % 5]


def guess_at_once(user: User, device: MFADevice, given: list[str], processes: list[Any]) -> int:
    """How many of the codes are taken when all are tried at one moment, in several processes and threads of each."""
    share = len(given) // len(processes)
    at = timezone.now().timestamp() + 0.1
    for number, process in enumerate(processes):
        mine = given[number * share : (number + 1) * share]
        process.stdin.write("\t".join([str(at), str(user.pk), str(device.pk), *mine]) + "\n")
        process.stdin.flush()
    return sum(int(process.stdout.readline()) for process in processes)


@pytest.fixture(scope="module")
def processes() -> Any:
    """Some processes that try codes."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "iamconsole.settings"}
    command = [sys.executable, "-c", IN_A_PROCESS]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    yield started
    for process in started:
        process.communicate(timeout=120)
        assert process.returncode == 0


# One code, once


@pytest.mark.asvs("6.5.1")
def test_a_code_is_accepted_once_however_many_try_it_at_once(
    root: Person, bob: Person, processes: Any, rounds: Rounds
) -> None:
    for number in range(rounds(50, 1000)):
        app = give_app(root.account_id, bob.user, f"round{number}")
        GuessBudget.objects.filter(user=bob.user).delete()
        code = app.code()  # one, whatever the clock does meanwhile
        given = [spelled(code, each) for each in range(MANY)]
        assert guess_at_once(bob.user, device_of(app), given, processes) == 1
        MFADevice.objects.filter(user=bob.user).delete()


@pytest.mark.asvs("6.5.1")
def test_the_row_lock_alone_takes_a_code_once(root: Person, bob: Person, rounds: Rounds) -> None:
    """Without the budget, which would let only five of them through."""

    def take(device: MFADevice, code: str, together: Barrier) -> bool:
        together.wait(30)
        try:
            return django_otp.verify_token(bob.user, device.persistent_id, Attempt(code, timezone.now())) is not None
        finally:
            connection.close()

    for number in range(rounds(5, 1000)):
        app = give_app(root.account_id, bob.user, f"round{number}")
        device, code, together = device_of(app), app.code(), Barrier(MANY)
        with ThreadPoolExecutor(MANY) as pool:
            done = [pool.submit(take, device, code, together) for _ in range(MANY)]
            assert sum(each.result() for each in done) == 1
        device.delete()


@pytest.mark.asvs("6.5.1")
def test_two_codes_in_a_row_are_accepted_once_however_many_try_them_at_once(
    root: Person, bob: Person, rounds: Rounds
) -> None:
    def give(device: MFADevice, pair: tuple[str, str], together: Barrier, now: datetime) -> bool:
        together.wait(30)
        try:
            return codes.verify_two(Guesser(bob.user, "console"), device, *pair, now)
        finally:
            connection.close()

    for number in range(rounds(5, 100)):
        app = give_app(root.account_id, bob.user, f"pair{number}")
        device, pair, together, now = device_of(app), (app.code(10), app.code(11)), Barrier(5), timezone.now()
        GuessBudget.objects.filter(user=bob.user).delete()
        with ThreadPoolExecutor(5) as pool:
            done = [pool.submit(give, device, pair, together, now) for _ in range(5)]
            assert sum(each.result() for each in done) == 1
        assert failures(bob) == 4
        MFADevice.objects.filter(user=bob.user).delete()


@pytest.mark.asvs("6.5.1")
@pytest.mark.asvs("6.5.5")
def test_codes_in_every_spelling_are_one_code(bob: Person, app: App) -> None:
    device, code = device_of(app), app.code()
    wide = code.translate({ord(digit): 0xFF10 + int(digit) for digit in "0123456789"})
    now = timezone.now()
    for not_a_code in (
        wide,
        f"\t{code}",
        f"{code}\n",
        f"\u00a0{code}",
        f"+{code}",
        f"{code}0",
        code[:5],
        "",
        "\uff11" * 6,
    ):
        assert not codes.verify(Guesser(bob.user, "console"), device, not_a_code, now)
    assert codes.verify(Guesser(bob.user, "console"), device, f" {code[:3]} {code[3:]} ", now)
    for spelling in (code, f"{code[:3]} {code[3:]}", f" {code}"):
        assert not codes.verify(Guesser(bob.user, "console"), device, spelling, now)


@pytest.mark.asvs("6.5.5")
def test_a_code_is_good_one_step_either_way(root: Person, bob: Person) -> None:
    now = timezone.now()
    for off, good in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        app = give_app(root.account_id, bob.user, f"off{off}")
        code = totp.code_at(app.seed, int(now.timestamp()) // 30 + off)
        assert codes.verify(Guesser(bob.user, "console"), device_of(app), code, now) is good
        GuessBudget.objects.filter(user=bob.user).delete()


@pytest.mark.parametrize(("kind", "drift"), [("virtual", 0), ("hardware", 1)])
def test_signing_in_sets_the_clock_of_a_token_right_and_of_no_app(
    root: Person, bob: Person, kind: str, drift: int
) -> None:
    app, now = give_app(root.account_id, bob.user, "TOKEN-DRIFT", kind=kind), timezone.now()
    ahead = totp.code_at(app.seed, int(now.timestamp()) // 30 + 1)
    assert codes.verify(Guesser(bob.user, "console"), device_of(app), ahead, now)
    assert device_of(app).drift == drift


@pytest.mark.asvs("6.5.8")
def test_an_older_code_is_not_good_after_a_newer_one_nor_when_the_clock_goes_back(bob: Person, app: App) -> None:
    device, now = device_of(app), timezone.now()
    assert codes.verify(Guesser(bob.user, "console"), device, app.code(), now)
    spent = MFADevice.objects.get(pk=device.pk).last_t
    assert not codes.verify(Guesser(bob.user, "console"), device, app.code(-1), now)
    earlier = now - timedelta(hours=1)
    assert not codes.verify(Guesser(bob.user, "console"), device, app.code(-120), earlier)
    assert MFADevice.objects.get(pk=device.pk).last_t == spent


def test_the_codes_are_those_of_rfc_6238() -> None:
    seed = b"12345678901234567890"
    for second, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert totp.code_at(seed, second // 30) == code


def test_a_code_is_never_checked_in_a_transaction(bob: Person, app: App) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        codes.verify(Guesser(bob.user, "console"), device_of(app), app.code(), timezone.now())
    assert codes.verify(Guesser(bob.user, "console"), device_of(app), app.code(), timezone.now())


def test_another_users_device_is_no_factor(alice: Person, app: App) -> None:
    assert not codes.verify(Guesser(alice.user, "console"), device_of(app), app.code(), timezone.now())


# Guessing


@pytest.mark.asvs("6.3.1")
def test_a_burst_of_guesses_gets_five_and_no_more(root: Person, bob: Person, processes: Any, rounds: Rounds) -> None:
    for number in range(rounds(3, 100)):
        app = give_app(root.account_id, bob.user, f"burst{number}")
        GuessBudget.objects.filter(user=bob.user).delete()
        wrong = [f"{int(app.code()) + each + 1:06d}"[-6:] for each in range(GUESSES)]
        assert guess_at_once(bob.user, device_of(app), wrong, processes) == 0
        # Every guess that was looked at is counted, and no other.
        assert failures(bob) == 5
        MFADevice.objects.filter(user=bob.user).delete()


def failures(person: Person) -> int:
    """How many wrong guesses have added up."""
    return GuessBudget.objects.get(user=person.user).failures


def test_the_budget_is_the_users_whichever_device_is_guessed_at(root: Person, bob: Person) -> None:
    apps = [give_app(root.account_id, bob.user, f"phone{number}") for number in range(5)]
    now = timezone.now()
    for app in apps:
        assert not codes.verify(Guesser(bob.user, "console"), device_of(app), app.code(-50), now)
    right, again = device_of(apps[0]), Guesser(bob.user, "console")
    assert not codes.verify(again, right, code_at(apps[0], now), now)
    assert again.wait(now) == timedelta(minutes=5)
    soon, later = now + timedelta(minutes=5, seconds=-1), now + timedelta(minutes=5)
    assert not codes.verify(again, right, code_at(apps[0], soon), soon)
    assert again.wait(later) == timedelta(0)
    assert codes.verify(again, right, code_at(apps[0], later), later)


def code_at(app: App, moment: datetime) -> str:
    """What the app shows then."""
    return totp.code_at(app.seed, int(moment.timestamp()) // 30)


def test_recovery_codes_and_passkeys_are_never_held_up(alice: Person) -> None:
    SECRETS.extend(recovery := recovery_codes.issue(alice.user))
    key = SecurityKey()
    registered(alice, key)
    app = give_app(alice.account_id, alice.user, "phone")
    now = timezone.now()
    GuessBudget.objects.create(user=alice.user, failures=MOST_FAILURES, **dict.fromkeys(throttle.WINDOWS, 2**60))
    assert not codes.verify(Guesser(alice.user, "console"), device_of(app), app.code(), now)
    for _ in range(MOST_FAILURES + 1):
        assert not recovery_codes.verify(alice.user, "A" * 16, now)
    assert recovery_codes.verify(alice.user, recovery[0], now)
    for _ in range(MOST_FAILURES + 1):
        assert passkeys.verify(alice.user, "{}", "sign-in", now) is None
    options = passkeys.authentication_options(alice.user, "sign-in", now)
    assert passkeys.verify(alice.user, key.get(options), "sign-in", now) is not None
    assert throttle.stopped(alice.user)  # they end nothing of codes, either


def guesses_whenever_there_is_one(person: Person, door: str, now: datetime, end: datetime) -> list[datetime]:
    """When somebody guesses who never waits longer than the budget makes him."""
    guessed, guesser = list[datetime](), Guesser(person.user, door)
    while now < end:
        while guesser.reserve(now, adds_up=False):
            guessed.append(now)
        waits = guesser.wait(now)
        assert not guesser.reserve(now + waits - timedelta(milliseconds=1), adds_up=False)
        now += waits
    return guessed


def most_in(guessed: list[datetime], length: timedelta) -> int:
    """The most guesses that any time so long sees."""
    return max(sum(begin <= each < begin + length for each in guessed) for begin in guessed)


@pytest.mark.asvs("6.3.1")
@pytest.mark.parametrize(("door", "bounds"), [("console", (5, 20, 50)), ("api", (3, 10, 24)), ("shell", (3, 10, 24))])
def test_no_five_minutes_no_hour_and_no_day_see_more_guesses_than_is_told(
    bob: Person, door: str, bounds: tuple[int, int, int]
) -> None:
    now = timezone.now()
    guessed = guesses_whenever_there_is_one(bob, door, now, now + timedelta(hours=50))
    for length, most in zip((timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)), bounds, strict=True):
        assert most / 2 < most_in(guessed, length) <= most


@pytest.mark.asvs("6.3.1")
def test_both_doors_together_see_no_more(bob: Person) -> None:
    guessed, now = list[datetime](), timezone.now()
    doors = [Guesser(bob.user, door) for door in ("api", "console")]
    end = now + timedelta(hours=50)
    while now < end:
        for guesser in doors:
            while guesser.reserve(now, adds_up=False):
                guessed.append(now)
        now += min(guesser.wait(now) for guesser in doors)
    for length, most in ((timedelta(minutes=5), 5), (timedelta(hours=1), 20), (timedelta(days=1), 50)):
        assert most / 2 < most_in(guessed, length) <= most


def test_who_has_a_key_and_guesses_without_end_leaves_the_browser_guesses(bob: Person) -> None:
    start = timezone.now()
    by_key, hers = Guesser(bob.user, "api"), Guesser(bob.user, "console")
    for minute in (*range(120), *range(120, 50 * 60, 10)):
        now = start + timedelta(minutes=minute)
        while by_key.reserve(now, adds_up=False):
            pass
        # Two at once, at any moment.
        for _ in range(2):
            assert hers.reserve(now, adds_up=False)
        for _ in range(2):
            hers.refund()
    # And when they are spent one comes back in time.
    assert [hers.reserve(now) for _ in range(2)] == [True, True]
    for minute in range(1, 12):
        by_key.reserve(now + timedelta(minutes=minute), adds_up=False)
        if hers.reserve(now + timedelta(minutes=minute)):
            break
    assert minute <= 10


def test_right_codes_cost_nothing(bob: Person, app: App) -> None:
    device, now = device_of(app), timezone.now()
    for number in range(30):
        at = now + timedelta(seconds=30 * number)
        for door in ("console", "api"):
            MFADevice.objects.filter(pk=device.pk).update(last_t=-1)
            assert codes.verify(Guesser(bob.user, door), device, code_at(app, at), at)
    for door in ("console", "api"):
        assert Guesser(bob.user, door).wait(at) == timedelta(0)
    assert failures(bob) == 0


@pytest.mark.asvs("6.3.1")
def test_after_a_hundred_wrong_codes_none_is_looked_at_whoever_signs_in_meanwhile(
    root: Person, bob: Person, app: App
) -> None:
    other, start = give_app(root.account_id, bob.user, "other"), timezone.now()
    looked_at = 0
    for hour in range(24 * 10):
        now = start + timedelta(hours=hour)
        guesser = Guesser(bob.user, "console")  # a new session each time
        looked_at += guesser.reserve(now)
        if hour % 24 == 0 and looked_at < MOST_FAILURES:  # the user signs in each day
            GuessBudget.objects.filter(user=bob.user).update(**dict.fromkeys(throttle.WINDOWS, 0))
            assert codes.verify(Guesser(bob.user, "console"), device_of(other), code_at(other, now), now)
    assert looked_at == failures(bob) == MOST_FAILURES
    assert throttle.stopped(bob.user) == "everywhere"
    much_later = start + timedelta(days=30)
    for each in (app, other):
        assert not codes.verify(Guesser(bob.user, "console"), device_of(each), code_at(each, much_later), much_later)
    # Each guess is at one of three codes of a million.
    assert MOST_FAILURES * (2 * totp.NEAR + 1) / 10**totp.DIGITS <= 3e-4


def test_who_guesses_by_a_key_for_weeks_ends_that_and_not_the_sign_in(bob: Person, app: App) -> None:
    start, looked_at = timezone.now(), 0
    for hour in range(24 * 20):
        looked_at += Guesser(bob.user, "api").reserve(start + timedelta(hours=hour))
    assert looked_at == failures(bob) == MOST_BY_KEY < MOST_FAILURES
    assert throttle.stopped(bob.user) == "by key"
    later, device = start + timedelta(days=30), device_of(app)
    assert not codes.verify(Guesser(bob.user, "api"), device, code_at(app, later), later)
    assert codes.verify(Guesser(bob.user, "console"), device, code_at(app, later), later)
    # What is left to the browser ends with all of them together.
    for hour in range(24 * 20):
        looked_at += Guesser(bob.user, "console").reserve(later + timedelta(hours=hour))
    assert looked_at == MOST_FAILURES
    throttle.forgive(bob.user)
    assert Guesser(bob.user, "api").reserve(later + timedelta(days=30))


def test_a_right_code_by_a_key_takes_back_itself_alone(bob: Person, app: App) -> None:
    now = timezone.now()
    assert not codes.verify(Guesser(bob.user, "api"), device_of(app), "000000", now)
    assert codes.verify(Guesser(bob.user, "api"), device_of(app), code_at(app, now), now)
    budget = GuessBudget.objects.get(user=bob.user)
    assert (budget.failures, budget.key_failures) == (1, 1)


def test_a_right_code_takes_back_the_wrong_ones_of_its_session_and_of_no_other(bob: Person, app: App) -> None:
    stranger, hers = (partial(Guesser, bob.user, "console", each) for each in ("a", "b"))
    now = timezone.now()
    for session in (stranger, hers, stranger, hers):
        assert not codes.verify(session(), device_of(app), "000000", now)
    assert failures(bob) == 4
    assert codes.verify(hers(), device_of(app), code_at(app, now), now)
    assert failures(bob) == 2
    assert list(WrongCodes.objects.filter(user=bob.user).values_list("session_id", "count")) == [("a", 2)]


def test_what_an_administrator_has_forgiven_is_not_taken_back_a_second_time(
    root: Person, bob: Person, app: App
) -> None:
    stranger, hers, now = Guesser(bob.user, "console", "a"), Guesser(bob.user, "console", "b"), timezone.now()
    for _ in range(4):
        assert not codes.verify(hers, device_of(app), "000000", now)
    reset_sign_in_throttle(in_mfa_session(root), user_name="bob")
    assert not WrongCodes.objects.filter(user=bob.user).exists()
    for _ in range(4):
        assert not codes.verify(stranger, device_of(app), "000000", now)
    assert codes.verify(hers, device_of(app), code_at(app, now), now)
    assert failures(bob) == 4


def test_two_right_codes_at_once_take_back_what_their_session_gave_once(bob: Person, app: App) -> None:
    now = timezone.now()
    for session in ("a", "a", "b", "b"):
        assert not codes.verify(Guesser(bob.user, "console", session), device_of(app), "000000", now)
    GuessBudget.objects.filter(user=bob.user).update(**dict.fromkeys(throttle.WINDOWS, 0))
    together = Barrier(2)

    def give_a_right_one(_: int) -> None:
        guesser = Guesser(bob.user, "console", "b")
        try:
            assert guesser.reserve(now)
            together.wait(30)  # both are paid for before either is found right
            guesser.refund()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(give_a_right_one, range(2))) == [None, None]
    assert failures(bob) == 2


def test_a_new_device_begins_the_count_anew_and_taking_one_away_does_not(root: Person, bob: Person, app: App) -> None:
    GuessBudget.objects.create(user=bob.user, failures=MOST_FAILURES)
    assert not codes.verify(Guesser(bob.user, "console"), device_of(app), app.code(), timezone.now())
    deactivate_mfa_device(in_mfa_session(root), user_name="bob", serial_number=app.serial_number)
    assert throttle.stopped(bob.user) == "everywhere"
    enable_mfa_device(in_mfa_session(root), user_name="bob", **app.two_codes(-2))
    assert codes.verify(Guesser(bob.user, "console"), device_of(app), app.code(), timezone.now())


def test_a_resynchronisation_costs_guesses_of_the_caller_that_do_not_add_up(
    root: Person, bob: Person, app: App
) -> None:
    administrator = in_mfa_session(root)
    wrong = {"serial_number": app.serial_number, "authentication_code1": "000000", "authentication_code2": "000000"}
    for _ in range(3):
        with pytest.raises(InvalidAuthenticationCode):
            resync_mfa_device(administrator, user_name="bob", **wrong)
    assert Guesser(root.user, "api").wait(timezone.now()) > timedelta(minutes=9)
    assert failures(root) == 0
    # bob's own sign-in is held off by none of it.
    assert Guesser(bob.user, "console").wait(timezone.now()) == timedelta(0)
    with pytest.raises(InvalidAuthenticationCode):  # none is looked at
        resync_mfa_device(administrator, user_name="bob", **app.two_codes(2))
    GuessBudget.objects.update(**dict.fromkeys([*throttle.WINDOWS, *throttle.KEY_WINDOWS], 0))
    resync_mfa_device(administrator, user_name="bob", **app.two_codes(2))


def test_a_clock_that_was_put_back_locks_nobody_out(bob: Person) -> None:
    now, guesser = timezone.now(), Guesser(bob.user, "console")
    ahead = now + timedelta(days=400)
    while guesser.reserve(ahead):
        pass
    assert not guesser.reserve(now)
    assert guesser.wait(now) <= timedelta(hours=1)
    assert guesser.reserve(now + timedelta(hours=1))


def test_guesses_and_changes_of_devices_do_not_lock_each_other_out(root: Person, bob: Person, rounds: Rounds) -> None:
    first, second = (give_app(root.account_id, bob.user, name) for name in ("first", "second"))
    turns = rounds(15, 300)

    def resync() -> None:
        for turn in range(turns):
            throttle.forget(root.user)
            with suppress(InvalidAuthenticationCode):  # of a moment without a guess left
                resync_mfa_device(in_mfa_session(root), user_name="bob", **first.two_codes(2 * turn))
        connection.close()

    def guess(app: App) -> None:
        for _ in range(turns):
            codes.verify(Guesser(bob.user, "console"), device_of(app), "000000", timezone.now())
        connection.close()

    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(resync), *(pool.submit(guess, app) for app in (first, second, first, second))]
        for each in done:
            each.result()


# Recovery codes


@pytest.fixture
def proven(root: Person, bob: Person, app: App) -> Any:
    """bob as a caller who has shown his second factor and may make recovery codes."""
    document = allow("iamconsole:*")
    put_user_policy(root.caller, user_name="bob", policy_name="own", policy_document=document)
    return replace(caller_for(bob.user, "shell"), mfa_time=timezone.now())


@pytest.mark.asvs("6.5.1")
def test_ten_recovery_codes_each_good_once(bob: Person, proven: Any) -> None:
    made = create_recovery_codes(proven).secret["recovery_codes"]
    SECRETS.extend(made)
    assert len(set(made)) == 10
    now = timezone.now()
    assert recovery_codes.verify(bob.user, made[0].lower().replace("-", " "), now)
    assert not recovery_codes.verify(bob.user, made[0], now)
    assert get_recovery_code_count(proven) == {"recovery_code_count": 9}
    for code in made[1:]:
        assert recovery_codes.verify(bob.user, code, now)
    assert recovery_codes.left(bob.user) == 0
    assert not recovery_codes.verify(bob.user, "A" * 16, now)


def test_a_recovery_code_is_accepted_once_however_many_try_it_at_once(bob: Person, proven: Any, rounds: Rounds) -> None:
    def spend(code: str, together: Barrier) -> bool:
        together.wait(30)
        try:
            return recovery_codes.verify(bob.user, code, timezone.now())
        finally:
            connection.close()

    for _ in range(rounds(3, 100)):
        GuessBudget.objects.filter(user=bob.user).delete()
        code = recovery_codes.issue(bob.user)[0]
        SECRETS.append(code)
        together = Barrier(MANY)
        with ThreadPoolExecutor(MANY) as pool:
            done = [pool.submit(spend, code, together) for _ in range(MANY)]
            assert sum(each.result() for each in done) == 1


def test_new_recovery_codes_end_the_old_and_the_last_device_takes_them_along(
    bob: Person, root: Person, app: App, proven: Any
) -> None:
    old = create_recovery_codes(proven).secret["recovery_codes"]
    new = create_recovery_codes(proven).secret["recovery_codes"]
    SECRETS.extend([*old, *new])
    assert not recovery_codes.verify(bob.user, old[0], timezone.now())
    assert not recovery_codes.verify(root.user, new[0], timezone.now())
    assert not RecoveryCode.objects.filter(code_digest__contains=new[0].replace("-", "")).exists()
    deactivate_mfa_device(in_mfa_session(root), user_name="bob", serial_number=app.serial_number)
    assert not recovery_codes.verify(bob.user, new[0], timezone.now())


@pytest.mark.asvs("6.4.4")
def test_no_recovery_codes_without_a_device_or_without_having_used_it(root: Person, alice: Person) -> None:
    with pytest.raises(InvalidInput):
        create_recovery_codes(alice.caller)
    give_app(alice.account_id, alice.user, "alices")
    with pytest.raises(AccessDenied, match="must use it first"):
        create_recovery_codes(alice.caller)


# Passkeys


def registered(person: Person, key: SecurityKey, **facts: Any) -> MFADevice:
    caller = replace(caller_for(person.user), **facts)
    options = json.loads(begin_passkey_registration(caller)["creation_options"])
    return finish_passkey_registration(caller, mfa_device_name="key", credential=key.create(options))


@pytest.mark.asvs("6.7.2")
def test_a_passkey_is_registered_and_signs_in(alice: Person) -> None:
    key = SecurityKey()
    device = registered(alice, key)
    assert device.serial_number.startswith(f"arn:aws:iam::{alice.account_id}:u2f/user/alice/key-")
    now = timezone.now()
    options = passkeys.authentication_options(alice.user, "sign-in 1", now)
    assert options["rpId"] == "localhost"
    answer = key.get(options)
    assert passkeys.verify(alice.user, answer, "sign-in 2", now) is None
    assert passkeys.verify(alice.user, answer, "sign-in 1", now) == device
    assert passkeys.verify(alice.user, answer, "sign-in 1", now) is None


@pytest.mark.asvs("6.7.2")
def test_a_challenge_is_good_once_for_five_minutes_and_here(alice: Person, bob: Person, trudy: Person) -> None:
    key = SecurityKey()
    registered(alice, key)
    now = timezone.now()

    def asked() -> dict[str, Any]:
        return passkeys.authentication_options(alice.user, "sign-in", now)

    assert passkeys.verify(alice.user, key.get(asked()), "sign-in", now + timedelta(minutes=5)) is None
    assert passkeys.verify(bob.user, key.get(asked()), "sign-in", now) is None
    assert passkeys.verify(alice.user, key.get(asked(), origin="https://evil.example"), "sign-in", now) is None
    assert passkeys.verify(alice.user, key.get(asked() | {"rpId": "evil.example"}), "sign-in", now) is None
    assert passkeys.verify(alice.user, key.get(asked() | {"challenge": "AAAA"}), "sign-in", now) is None
    assert passkeys.verify(alice.user, SecurityKey().get(asked()), "sign-in", now) is None
    other = SecurityKey(credential_id=key.credential_id)
    assert passkeys.verify(alice.user, other.get(asked()), "sign-in", now) is None
    assert passkeys.verify(alice.user, key.get(asked()), "sign-in", now) is not None
    key.sign_count = 0
    assert passkeys.verify(alice.user, key.get(asked()), "sign-in", now) is None


@pytest.mark.asvs("6.7.2")
def test_one_answer_of_many_at_once_is_taken(alice: Person, rounds: Rounds) -> None:
    key = SecurityKey()
    registered(alice, key)

    def answer(given: str, together: Barrier) -> bool:
        together.wait(30)
        try:
            return passkeys.verify(alice.user, given, "sign-in", timezone.now()) is not None
        finally:
            connection.close()

    for _ in range(rounds(3, 100)):
        given = key.get(passkeys.authentication_options(alice.user, "sign-in", timezone.now()))
        together = Barrier(MANY)
        with ThreadPoolExecutor(MANY) as pool:
            done = [pool.submit(answer, given, together) for _ in range(MANY)]
            assert sum(each.result() for each in done) == 1


def test_who_has_a_key_ends_no_registration_that_is_begun_in_the_browser(alice: Person) -> None:
    console, key = caller_for(alice.user, "console"), SecurityKey()
    begun = json.loads(begin_passkey_registration(console)["creation_options"])
    by_key = [json.loads(begin_passkey_registration(alice.caller)["creation_options"]) for _ in range(11)]
    with pytest.raises(InvalidAuthenticationCode):  # what was begun by the key is answered by the key
        finish_passkey_registration(console, mfa_device_name="key", credential=key.create(by_key[-1]))
    made = finish_passkey_registration(console, mfa_device_name="key", credential=key.create(begun))
    assert made.user == alice.user


def test_a_passkey_is_not_added_past_a_factor_that_was_not_shown(alice: Person) -> None:
    begun = json.loads(begin_passkey_registration(alice.caller)["creation_options"])
    give_app(alice.account_id, alice.user, "alices")
    with pytest.raises(AccessDenied, match="must use it first"):
        begin_passkey_registration(alice.caller)
    with pytest.raises(AccessDenied, match="must use it first"):
        finish_passkey_registration(alice.caller, mfa_device_name="key", credential=SecurityKey().create(begun))
    # What was refused spent nothing: neither the challenge that was open nor one more.
    assert PasskeyChallenge.objects.filter(user=alice.user).count() == 1
    assert registered(alice, SecurityKey(), mfa_time=timezone.now()).kind == "passkey"


def test_a_passkey_is_registered_once_and_gone_when_it_is_deactivated(alice: Person, root: Person) -> None:
    key = SecurityKey()
    device = registered(alice, key)
    with pytest.raises(EntityAlreadyExists):
        registered(alice, key, mfa_time=timezone.now())
    deactivate_mfa_device(in_mfa_session(root), user_name="alice", serial_number=device.serial_number)
    assert not MFADevice.objects.filter(credential_id=device.credential_id).exists()
    registered(alice, key)


def test_a_registration_that_does_not_fit_is_refused(alice: Person) -> None:
    caller = caller_for(alice.user)

    def options() -> dict[str, Any]:
        return dict(json.loads(begin_passkey_registration(caller)["creation_options"]))

    good = SecurityKey().create(options())
    for answer in (
        SecurityKey(origin="https://evil.example").create(options()),
        SecurityKey().create(options(), type="webauthn.get"),
        SecurityKey().create(options() | {"rp": {"id": "evil.example"}}),
        SecurityKey().create(options() | {"challenge": "AAAA"}),
        "{}",
        "[]",
        "null",
        "1" * 5000,
        "[" * 5000,
        '{"response": {"clientDataJSON": 1}}',
    ):
        with pytest.raises(InvalidAuthenticationCode):
            finish_passkey_registration(caller, mfa_device_name="key", credential=answer)
    assert finish_passkey_registration(caller, mfa_device_name="key", credential=good)


def test_whatever_a_browser_answers_is_a_refusal_at_most(alice: Person, rounds: Rounds) -> None:
    chance = random.Random(7)
    key = SecurityKey()
    registered(alice, key)
    now = timezone.now()
    for _ in range(rounds(150, 50_000)):
        answer = list(key.get(passkeys.authentication_options(alice.user, "sign-in", now)))
        for _ in range(chance.randrange(1, 4)):
            answer[chance.randrange(len(answer))] = chance.choice('{}[]":,0aA_-\\\u00e9\x00')
        changed = "".join(answer)
        found = passkeys.verify(alice.user, changed, "sign-in", now)
        # What is left of the answer may still be the signed one: clientExtensionResults and rawId are not signed.
        assert found is None or json.loads(changed)["id"] == found.credential_id


def test_open_challenges_are_few_and_swept(alice: Person) -> None:
    now = timezone.now()
    for _ in range(30):
        passkeys.authentication_options(alice.user, "sign-in", now)
    assert PasskeyChallenge.objects.filter(user=alice.user).count() == passkeys.OPEN_CHALLENGES
    passkeys.authentication_options(alice.user, "another sign-in", now)
    assert PasskeyChallenge.objects.filter(user=alice.user).count() == passkeys.OPEN_CHALLENGES + 1
    passkeys.authentication_options(alice.user, "sign-in", now + timedelta(minutes=5))
    assert PasskeyChallenge.objects.filter(user=alice.user).count() == 1


def test_a_policy_against_security_keys_holds(root: Person) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "iam:EnableMFADevice",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:RegisterSecurityKey": "Activate"}},
            },
        ],
    }
    erin = make_user(root, "erin", json.dumps(policy))
    with pytest.raises(Fault, match="iam:EnableMFADevice"):
        registered(erin, SecurityKey())
    enable_mfa_device(caller_for(erin.user), user_name="erin", **give_app(root.account_id, None, "phone").two_codes())
