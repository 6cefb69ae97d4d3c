"""Tries of passwords: reserved before anything is hashed, exact however many come at once, and never a lock on who is known."""

import hashlib
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar

import pytest
import time_machine
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import throttle
from accounts.models import Throttle, User
from accounts.operations.sessions import reset_sign_in_throttle
from accounts.operations.suspension import suspend_user
from accounts.throttle import ACCOUNT, ADDRESS, EVERYBODY, USER, USER_DAY, Budget, Rate
from credentials.hashers import Argon2id
from credentials.mfa import codes, text_codes
from credentials.mfa.models import GuessBudget, MFADevice
from credentials.mfa.throttle import MOST_FAILURES, Guesser
from credentials.operations.login_profiles import change_password
from iamconsole.errors import AccessDenied, Throttling
from tests.authenticators import give_app, give_number, in_mfa_session
from tests.browser import PASSWORD, a_client, give_password, normal, signed_in
from tests.conftest import ROOT, Person, caller_for, make_account, make_user
from tests.logs import log_of

Rounds = Any
IN_A_PROCESS = """
import sys
import django
import time_machine
django.setup()
from django.test import Client
from concurrent.futures import ThreadPoolExecutor
from tests.test_signin_throttle import Counting
from django.conf import settings
settings.PASSWORD_HASHERS = ["tests.test_signin_throttle.Counting"]
from accounts.signin import nobodys_password
nobodys_password()
Counting.counted.clear()
account, user_name, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
def one(number):
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR=f"127.200.{first}.{1 + number}")
    return client.post("/signin/", {"account": account, "user_name": user_name, "password": "wrong"}).status_code
print("ready", flush=True)
sys.stdin.readline()
with time_machine.travel(float(sys.argv[4]), tick=False), ThreadPoolExecutor(5) as pool:
    statuses = list(pool.map(one, range(15)))
print(len(Counting.counted), statuses.count(200), statuses.count(429))
"""


class Counting(Argon2id):
    """The hasher of the product, which notes each time it works."""

    counted: ClassVar[list[str]] = []

    def verify(self, password: str, encoded: str) -> bool:
        """Check, and note it."""
        self.counted.append("verify")
        return super().verify(password, encoded)

    def encode(self, password: str, salt: str) -> str:
        """Hash, and note it."""
        self.counted.append("encode")
        return super().encode(password, salt)


@pytest.fixture
def hashes(settings: Any) -> list[str]:
    """What the hasher has done; nobody's password is made already, as the server makes it at its start."""
    from accounts.signin import nobodys_password

    nobodys_password()
    settings.PASSWORD_HASHERS = ["tests.test_signin_throttle.Counting"]
    Counting.counted.clear()
    return Counting.counted


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """What other tests have spent of everybody's tries is no matter here."""
    Throttle.objects.all().delete()


def attempt(client: Client, account: str, user_name: str = "alice", password: str = "wrong") -> Any:
    """One try by the form."""
    return client.post("/signin/", {"account": account, "user_name": user_name, "password": password})


def statuses(number: int, account: str, user_name: str = "alice", client: Client | None = None) -> Counter[int]:
    """The statuses of so many wrong passwords, each from an address of its own unless a client is given."""
    return Counter(attempt(client or a_client(), account, user_name).status_code for _ in range(number))


def tries(number: int, account: str, user_name: str = "alice") -> Counter[bool]:
    """How many of so many tries, each from an address of its own, were let through, without the form and its hashes."""
    let = Counter[bool]()
    for n in range(number):
        address = f"10.{n // 62500}.{n // 250 % 250}.{n % 250}"
        try:
            throttle.reserve(throttle.sign_in_budgets(account=account, who=user_name, address=address))
        except Throttling:
            let[False] += 1
        else:
            let[True] += 1
    return let


@pytest.fixture
def clock() -> Iterator[Any]:
    """A clock that stands still until it is moved."""
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False) as clock:
        yield clock


# Exact


@pytest.mark.usefixtures("full_hashes")
@pytest.mark.asvs("6.3.1")
def test_sixty_wrong_passwords_at_once_from_several_processes_are_hashed_ten_times(alice: Person, rounds: Rounds):
    give_password(alice)
    for _ in range(rounds(1, 100)):
        Throttle.objects.all().delete()
        command = [sys.executable, "-c", IN_A_PROCESS, alice.account_id, "alice"]
        now = str(time.time())  # the same for all, so that none comes back meanwhile
        with log_of("signin").open("ab") as log:
            processes = [
                subprocess.Popen(
                    [*command, str(number), now],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
                for number in range(1, 5)
            ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [tuple(map(int, process.communicate(timeout=300)[0].split())) for process in processes]
        hashed, evaluated, refused = (sum(column) for column in zip(*told, strict=True))
        assert (hashed, evaluated, refused) == (USER.burst, USER.burst, 60 - USER.burst)


def test_a_budget_is_not_overdrawn_by_many_threads(alice: Person, rounds: Rounds):
    for turn in range(rounds(5, 50)):
        budget = Budget("test", f"{alice.account_id} {turn}", Rate(5, timedelta(minutes=5)))
        together = threading.Barrier(12)

        def take(budget: Budget = budget, together: threading.Barrier = together) -> bool:
            together.wait(30)
            try:
                throttle.reserve([budget])
            except Throttling:
                return False
            else:
                return True
            finally:
                connection.close()

        with ThreadPoolExecutor(12) as pool:
            assert sum(pool.map(lambda _: take(), range(12))) == 5


def test_each_budget_holds_what_it_says(alice: Person, clock: Any):
    account = alice.account_id
    assert statuses(11, account) == {200: 10, 429: 1}
    one_address = a_client()
    assert Counter(attempt(one_address, account, f"u{n}").status_code for n in range(21)) == {200: 20, 429: 1}
    Throttle.objects.all().delete()
    for n in range(ACCOUNT.burst):
        throttle.reserve(throttle.sign_in_budgets(account=account, who=f"u{n}", address=f"10.0.{n // 200}.{n % 200}"))
    assert statuses(1, account, "somebody-else") == {429: 1}
    assert statuses(1, "another-account") == {200: 1}


def test_everybody_together_has_a_budget_too(clock: Any):
    everybody = throttle.sign_in_budgets(account="a", who="x", address="192.0.2.1")[-1]
    for _ in range(EVERYBODY.burst):
        throttle.reserve([everybody])
    assert tries(1, "new") == {False: 1}


def test_what_is_refused_costs_nothing_of_the_other_budgets(alice: Person):
    statuses(10, alice.account_id)
    before = dict(Throttle.objects.values_list("key", "tat"))
    assert statuses(3, alice.account_id) == {429: 3}
    assert dict(Throttle.objects.values_list("key", "tat")) == before


def test_an_ipv6_customer_is_one_address(clock: Any):
    for n in range(ADDRESS.burst):
        throttle.reserve(throttle.sign_in_budgets(account=f"a{n}", who="x", address=f"2001:db8::{n + 1:x}"))
    with pytest.raises(Throttling):
        throttle.reserve(throttle.sign_in_budgets(account="new", who="x", address="2001:db8::ffff"))
    throttle.reserve(throttle.sign_in_budgets(account="new", who="x", address="2001:db8:0:1::1"))
    for n in range(ADDRESS.burst):
        throttle.reserve(throttle.sign_in_budgets(account=f"b{n}", who="x", address="::ffff:192.0.2.9"))
    with pytest.raises(Throttling):
        throttle.reserve(throttle.sign_in_budgets(account="new", who="x", address="192.0.2.9"))


def test_an_alias_and_the_case_of_a_name_are_no_further_budget(root: Person, alice: Person):
    from accounts.operations.account import create_account_alias

    alias = f"acme-{alice.account_id}"
    create_account_alias(root.caller, account_alias=alias)
    assert tries(8, alice.account_id) == {True: 8}
    assert statuses(2, alias.upper(), "ALICE ") == {200: 2}
    assert statuses(1, alias) == {429: 1}


# In time


def test_a_budget_comes_back_steadily_and_the_answer_says_when(alice: Person, clock: Any):
    account = alice.account_id
    assert tries(10, account) == {True: 10}
    refused = attempt(a_client(), account)
    assert refused["Retry-After"] == "30"
    assert "Too many attempts. Try again in 30 seconds." in refused.content.decode()
    clock.shift(28)
    assert tries(1, account) == {False: 1}
    clock.shift(2)
    assert tries(2, account) == {True: 1, False: 1}
    clock.shift(300)
    assert tries(11, account) == {True: 10, False: 1}


@pytest.mark.asvs("6.3.1")
def test_no_day_sees_more_than_fifty_passwords_of_strangers(alice: Person, clock: Any):
    budgets = throttle.sign_in_budgets(account=alice.account_id, who="alice", address="192.0.2.1")[:2]
    let_through: list[int] = []
    for minute in range(0, 2 * 24 * 60, 10):
        clock.move_to(datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=minute))
        for _ in range(3):
            try:
                throttle.reserve(budgets)
            except Throttling:
                break
            let_through.append(minute)
    days = [sum(1 for each in let_through if first <= each < first + 24 * 60) for first in let_through]
    assert max(days) <= 50
    assert 2 * USER_DAY.burst == 50


def test_a_clock_that_jumps_locks_nobody_for_ever(alice: Person):
    now = datetime(2030, 1, 1, tzinfo=UTC)
    with time_machine.travel(now + timedelta(days=400), tick=False):
        assert tries(11, alice.account_id) == {True: 10, False: 1}
    with time_machine.travel(now, tick=False) as clock:
        assert tries(2, alice.account_id)[True]
        clock.shift(timedelta(days=1))
        assert tries(10, alice.account_id) == {True: 10}


def test_old_rows_are_swept_and_those_in_use_are_kept(alice: Person, clock: Any):
    tries(1, alice.account_id)
    clock.shift(timedelta(days=2))
    tries(1, "another")
    assert Throttle.objects.count() == 8  # the rows of the address and of everybody are one each
    throttle.sweep()
    assert Throttle.objects.count() == 5


# What is right costs nothing, and who is known is not kept out


def test_a_right_password_is_refunded(alice: Person, clock: Any):
    give_password(alice)
    for _ in range(11):
        assert attempt(a_client(), alice.account_id, password=PASSWORD).status_code == 302
    assert tries(11, alice.account_id) == {True: 10, False: 1}


@pytest.mark.asvs("6.1.1")
def test_who_signed_in_here_before_comes_in_during_an_attack_and_strangers_do_not(alice: Person, clock: Any):
    give_password(alice)
    hers = a_client()
    assert attempt(hers, alice.account_id, password=PASSWORD).status_code == 302
    cookie = hers.cookies["browser"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
    hers.post("/signout/")
    for _ in range(10):
        tries(11, alice.account_id)
        assert statuses(1, alice.account_id) == {429: 1}
        assert attempt(hers, alice.account_id, password=PASSWORD).status_code == 302
        hers.post("/signout/")
    assert attempt(a_client(), alice.account_id, password=PASSWORD).status_code == 429


def test_an_attack_on_all_budgets_keeps_no_known_browser_and_no_key_out(alice: Person, server: Any):
    give_password(alice)
    hers = a_client()
    attempt(hers, alice.account_id, password=PASSWORD)
    with time_machine.travel(datetime.now(UTC), tick=False):
        account, everybody = throttle.sign_in_budgets(account=alice.account_id, who="x", address="")[-2:]
        for budget in (account, everybody):
            for _ in range(budget.rate.burst):
                throttle.reserve([budget])
        assert statuses(1, alice.account_id) == {429: 1}
        assert attempt(hers, alice.account_id, password=PASSWORD).status_code == 302
    assert alice.client("sts").get_caller_identity()["Arn"].endswith("user/alice")


def test_a_known_browser_has_its_own_limit_and_is_known_for_its_users_alone(alice: Person, bob: Person, clock: Any):
    give_password(alice)
    give_password(bob)
    hers = a_client()
    attempt(hers, alice.account_id, password=PASSWORD)
    assert statuses(11, alice.account_id, client=hers) == {200: 10, 429: 1}
    assert tries(10, alice.account_id) == {True: 10}  # what strangers have is untouched
    assert tries(11, bob.account_id, "bob") == {True: 10, False: 1}
    assert attempt(hers, bob.account_id, "bob", PASSWORD).status_code == 429


@pytest.mark.asvs("6.1.1")
def test_who_collected_cookies_by_the_password_of_before_has_no_more_tries_at_the_new_one_than_from_one_browser(
    alice: Person, clock: Any
):
    give_password(alice)
    hers, *collected = [a_client() for _ in range(26)]
    for client in (hers, *collected):
        assert attempt(client, alice.account_id, password=PASSWORD).status_code == 302
        if client is not hers:
            client.post("/signout/")
    clock.shift(timedelta(seconds=1))
    new = "Green-Goose-8-Ladder"
    fields = {"old_password": PASSWORD, "new_password": new, "confirm_password": new}
    assert hers.post("/console/my-security-credentials/password/", fields).status_code == 302
    hers.post("/signout/")
    let = sum(statuses(1, alice.account_id, client=client)[200] for client in collected)
    assert let == USER.burst
    clock.shift(USER.window)
    let = sum(statuses(1, alice.account_id, client=client)[200] for client in collected)
    assert let == USER.burst
    tries(11, alice.account_id)
    assert attempt(hers, alice.account_id, password=new).status_code == 302  # the browser in which it was changed


def test_a_browser_has_a_budget_of_its_own_again_when_the_new_password_was_right_in_it(alice: Person, clock: Any):
    give_password(alice)
    first, second = a_client(), a_client()
    for client in (first, second):
        attempt(client, alice.account_id, password=PASSWORD)
        client.post("/signout/")
    clock.shift(timedelta(seconds=1))
    change_password(caller_for(alice.user), old_password=PASSWORD, new_password="Green-Goose-8-Ladder")
    assert attempt(first, alice.account_id, password="Green-Goose-8-Ladder").status_code == 302
    first.post("/signout/")
    assert statuses(11, alice.account_id, client=second) == {200: 10, 429: 1}
    tries(11, alice.account_id)
    assert attempt(first, alice.account_id, password="Green-Goose-8-Ladder").status_code == 302


def test_a_made_up_cookie_makes_no_browser_known(alice: Person):
    client = a_client()
    for forged in ("x", "e30:1abcde:AAAA", "." * 5000):
        client.cookies["browser"] = forged
        assert attempt(client, alice.account_id).status_code == 200
    tries(10, alice.account_id)
    assert attempt(client, alice.account_id).status_code == 429


def sign_in_with(client: Client, alice: Person, device: MFADevice, code: str) -> Any:
    """Password and code; the answer to the code."""
    assert attempt(client, alice.account_id, password=PASSWORD)["Location"] == "/second-factor/"
    return client.post(f"/second-factor/?device={device.pk}", {"code": code})


def use_up(budgets: Sequence[Budget]) -> None:
    """Leave no try."""
    with suppress(Throttling):
        while True:
            throttle.reserve(budgets)


def use_up_everything(alice: Person, hers: Client, device: MFADevice, number: MFADevice) -> None:
    """Leave alice no try of any kind: of passwords, where she is known and where not, of codes, of messages."""
    assert attempt(hers, alice.account_id, password=PASSWORD)["Location"] == "/second-factor/"
    for _ in range(text_codes.MOST_AN_HOUR + 1):
        hers.post(f"/second-factor/?device={number.pk}", {"go": "text"})
    assert "No more text messages" in hers.get("/second-factor/").content.decode()
    while Guesser(alice.user, "api").reserve(timezone.now()):
        pass
    for _ in range(2):
        assert hers.post(f"/second-factor/?device={device.pk}", {"code": "000000"}).status_code == 200
    assert hers.post(f"/second-factor/?device={device.pk}", {"code": "000000"}).status_code == 429
    GuessBudget.objects.filter(user=alice.user).update(failures=MOST_FAILURES)
    assert statuses(11, alice.account_id, client=hers)[429] == 1
    tries(11, alice.account_id)
    assert statuses(1, alice.account_id) == {429: 1}


def test_who_is_out_of_tries_of_every_kind_signs_in_when_an_administrator_lets_them(
    root: Person, alice: Person, clock: Any
) -> None:
    give_password(alice)
    app, number = give_app(alice.account_id, alice.user, "phone"), give_number(alice)
    device, hers = MFADevice.objects.get(serial_number=app.serial_number), a_client()
    sign_in_with(hers, alice, device, app.code())
    hers.post("/signout/")
    for turn in (1, 2):
        use_up_everything(alice, hers, device, number)
        with pytest.raises(AccessDenied, match="how often they may be tried"):
            reset_sign_in_throttle(root.caller, user_name="alice")
        assert attempt(hers, alice.account_id, password=PASSWORD).status_code == 429
        reset_sign_in_throttle(in_mfa_session(root), user_name="alice")
        assert not Guesser(alice.user, "api").wait(timezone.now())
        clock.shift(timedelta(seconds=30))
        app_code = app.code()
        for client in (hers, a_client()):
            assert attempt(client, alice.account_id, password=PASSWORD)["Location"] == "/second-factor/"
            client.post(f"/second-factor/?device={number.pk}", {"go": "text"})
            assert "A code is on its way" in client.get(f"/second-factor/?device={number.pk}").content.decode()
        assert sign_in_with(hers, alice, device, app_code)["Location"] == "/console/", turn
        hers.post("/signout/")


def test_what_an_address_and_the_account_have_used_up_stays_so(root: Person, alice: Person, clock: Any) -> None:
    give_password(alice)
    *_, address, account, _ = throttle.sign_in_budgets(account=alice.account_id, who="alice", address="192.0.2.1")
    for budget in (address, account):
        use_up([budget])
        reset_sign_in_throttle(root.caller, user_name="alice")
        with pytest.raises(Throttling):
            throttle.reserve([budget])


def test_that_budgets_were_filled_is_forgotten_when_the_old_ones_are_full_again(root: Person, alice: Person) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        old = throttle.known_browser_budgets(alice.user, "a")
        assert throttle.known_browser_budgets(alice.user, "a") == old
        for _ in range(3):
            use_up(old)
            clock.shift(timedelta(minutes=5))
        reset_sign_in_throttle(root.caller, user_name="alice")
        assert not set(throttle.known_browser_budgets(alice.user, "a")) & set(old)
        clock.shift(timedelta(hours=24, seconds=1))
        throttle.sweep()
        assert throttle.known_browser_budgets(alice.user, "a") == old
        for budget in old:
            assert not Throttle.objects.filter(key=budget.key, tat__gt=time.time() * 1_000_000).exists()


def test_nobody_fills_the_own_budget_of_guesses_by_a_key_alone(alice: Person) -> None:
    device = MFADevice.objects.get(serial_number=give_app(alice.account_id, alice.user, "phone").serial_number)
    for _ in range(5):
        codes.verify(Guesser(alice.user, "console"), device, "000000", timezone.now())
    with pytest.raises(AccessDenied, match="has an MFA device and must use it first"):
        reset_sign_in_throttle(alice.caller, user_name="alice")
    assert Guesser(alice.user, "console").wait(timezone.now())
    reset_sign_in_throttle(in_mfa_session(alice), user_name="alice")
    assert not Guesser(alice.user, "console").wait(timezone.now())


# Other proofs of the password


@pytest.mark.asvs("6.2.3")
def test_the_current_password_of_a_change_is_counted(alice: Person, hashes: list[str]):
    give_password(alice)
    client = signed_in(alice)
    Counting.counted.clear()
    fields = {
        "old_password": "wrong",
        "new_password": "Green-Goose-8-Ladder",
        "confirm_password": "Green-Goose-8-Ladder",
    }
    pages = [client.post("/console/my-security-credentials/password/", fields).content.decode() for _ in range(13)]
    assert hashes.count("verify") == USER.burst
    assert sum("Too many attempts" in page for page in pages) == 3
    assert attempt(a_client(), alice.account_id, password=PASSWORD).status_code == 302  # signing in is another thing


@pytest.mark.asvs("6.2.3")
@pytest.mark.parametrize("door", ["api", "shell"])
def test_who_guesses_at_the_password_by_a_key_leaves_its_user_the_tries_in_the_browser(
    root: Person, alice: Person, door: str, clock: Any
):
    give_password(alice)
    client, new = signed_in(alice), "Green-Goose-8-Ladder"
    by_key = caller_for(alice.user, door)
    for _ in range(USER.burst):
        with pytest.raises(AccessDenied, match="old password was incorrect"):
            change_password(by_key, old_password="wrong", new_password=new)
    for old in ("wrong", PASSWORD):
        with pytest.raises(Throttling):
            change_password(by_key, old_password=old, new_password=new)
    assert client.post("/console/confirm/", {"password": PASSWORD}).status_code == 302
    fields = {"old_password": PASSWORD, "new_password": new, "confirm_password": new}
    assert client.post("/console/my-security-credentials/password/", fields).status_code == 302
    with pytest.raises(Throttling):
        change_password(caller_for(alice.user, door), old_password=new, new_password=PASSWORD)
    reset_sign_in_throttle(root.caller, user_name="alice")
    change_password(caller_for(alice.user, door), old_password=new, new_password=PASSWORD)


# One answer, one hash


def classes(root: Person, alice: Person, bob: Person) -> dict[str, dict[str, str]]:
    """Every kind of failure of IAM users; alice has a password, bob has none."""
    account = alice.account_id
    give_password(make_user(root, "resting"))
    suspend_user(root.caller, user_name="resting")
    return {
        "suspended": {"account": account, "user_name": "resting"},
        "wrong password": {"account": account, "user_name": "alice"},
        "no password": {"account": account, "user_name": "bob"},
        "unknown user": {"account": account, "user_name": "nobody"},
        "unknown account": {"account": "100000000001", "user_name": "alice"},
        "unknown alias": {"account": "no-such-alias", "user_name": "alice"},
    }


def told(answer: Any, fields: dict[str, str]) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Everything an answer says, without what it echoes, tokens and its id."""
    body = normal(answer)
    for text in fields.values():
        body = body.replace(f'value="{text}"', 'value=""')
    body = re.sub(r"maxlength=\"\d+\"", "", body)
    kept = {name: value for name, value in answer.items() if name not in ("x-amzn-RequestId", "Content-Length")}
    cookies = tuple(sorted((name, "") for name in answer.cookies))
    return answer.status_code, body, tuple(sorted(kept.items())) + cookies


@pytest.mark.asvs("6.3.8")
def test_every_failure_is_told_in_the_same_bytes_and_costs_one_hash(
    root: Person, alice: Person, bob: Person, hashes: list[str]
):
    give_password(alice)
    answers = set()
    for fields in classes(root, alice, bob).values():
        hashes.clear()
        given = {**fields, "password": "wrong"}
        answers.add(told(a_client().post("/signin/", given), given))
        assert hashes == ["verify"], fields
    assert len(answers) == 1
    hashes.clear()
    assert attempt(a_client(), alice.account_id, password=PASSWORD).status_code == 302
    assert hashes == ["verify"]


ROOTS = "/signin/?as=root"


def classes_of_roots(root: Person, other: Person) -> dict[str, dict[str, str]]:
    """Every kind of failure of root users; root has a password, the other one has none."""
    return {
        "wrong password": {"email": root.user.email},
        "no password": {"email": other.user.email},
        "unknown": {"email": f"nobody-{root.account_id}@example.org"},
        "no address": {"email": f"nobody-{root.account_id}"},
    }


@pytest.mark.asvs("6.3.8")
def test_every_failure_of_a_root_user_is_told_in_the_same_bytes_and_costs_one_hash(root: Person, hashes: list[str]):
    give_password(root)
    answers = set()
    for fields in classes_of_roots(root, make_account()).values():
        hashes.clear()
        given = {**fields, "password": "wrong"}
        answers.add(told(a_client().post(ROOTS, given), given))
        assert hashes == ["verify"], fields
    assert len(answers) == 1
    hashes.clear()
    assert a_client().post(ROOTS, {"email": root.user.email, "password": PASSWORD}).status_code == 302
    assert hashes == ["verify"]


@pytest.mark.asvs("6.3.8")
def test_what_is_throttled_of_a_root_user_is_told_in_the_same_bytes_and_costs_no_hash(root: Person, hashes: list[str]):
    give_password(root)
    answers = set()
    with time_machine.travel(datetime.now(UTC), tick=False):
        for fields in classes_of_roots(root, make_account()).values():
            given = {**fields, "password": "wrong"}
            tries(10, fields["email"].lower(), fields["email"].lower())
            hashes.clear()
            answers.add(told(a_client().post(ROOTS, given), given))
            assert hashes == []
    assert len(answers) == 1
    assert answers.pop()[0] == 429


@pytest.mark.asvs("6.3.8")
def test_what_is_throttled_is_told_in_the_same_bytes_and_costs_no_hash(
    root: Person, alice: Person, bob: Person, hashes: list[str]
):
    give_password(alice)
    answers = set()
    with time_machine.travel(datetime.now(UTC), tick=False):
        for fields in classes(root, alice, bob).values():
            given = {**fields, "password": "wrong"}
            tries(10, fields["account"], fields["user_name"])
            hashes.clear()
            answers.add(told(a_client().post("/signin/", given), given))
            assert hashes == []
    assert len(answers) == 1
    status, body, headers = answers.pop()
    assert status == 429
    assert "Too many attempts" in body
    assert "Retry-After" in dict(headers)


def test_a_failure_costs_the_same_queries_whether_or_not_the_user_is_there(
    root: Person, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
):
    from django.test.utils import CaptureQueriesContext

    give_password(alice)
    # Every hundredth try of the process sweeps old rows, whoever it is; none of these is one.
    monkeypatch.setattr("accounts.signin.password._tries", count(1))
    kinds = {}
    for name, fields in classes(root, alice, bob).items():
        client = a_client()
        client.post("/signin/", {**fields, "password": "wrong"})
        with CaptureQueriesContext(connection) as captured:
            client.post("/signin/", {**fields, "password": "wrong"})
        kinds[name] = [re.sub(r"'[^']*'|\d+|%s", "", query["sql"]).split(" VALUES")[0][:60] for query in captured]
    assert len({tuple(queries) for queries in kinds.values()}) == 1, kinds


def test_no_name_that_was_typed_lies_in_the_table(alice: Person):
    attempt(a_client(), alice.account_id, "a-password-typed-into-the-wrong-field")
    keys = set(Throttle.objects.values_list("key", flat=True))
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)
    plain = hashlib.sha256(f"user\0{alice.account_id}\0a-password-typed-into-the-wrong-field".encode()).hexdigest()
    assert plain not in keys


@pytest.mark.usefixtures("full_hashes")
def test_the_hasher_is_the_products_own_argon2id():
    assert issubclass(Argon2id, Argon2PasswordHasher)
    assert (Argon2id.memory_cost >= 19 * 1024, Argon2id.time_cost >= 2, Argon2id.parallelism) == (True, True, 1)


def test_a_root_user_is_throttled_by_its_address(root: Person):
    give_password(root)

    def one(password: str) -> int:
        return a_client().post("/signin/?as=root", {"email": root.user.email.upper(), "password": password}).status_code

    assert Counter(one("wrong") for _ in range(11)) == {200: 10, 429: 1}
    assert one(PASSWORD) == 429
    assert User.objects.filter(pk=root.user.pk).exists()


def test_what_was_tried_too_often_is_recorded_as_that(root: Person, alice: Person):
    from tests.rows import events_of

    give_password(alice)
    client = a_client()
    statuses(11, alice.account_id, client=client)
    results = [event.result for event in events_of(alice.account_id) if event.action == "iamconsole:SignIn"]
    assert results == ["Failure"] * 10 + ["Throttling"]
