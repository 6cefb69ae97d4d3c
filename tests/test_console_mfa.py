"""The pages of MFA devices: enrolment with a key that is shown once, resynchronisation, removal, tokens, recovery codes."""

import base64
import re
from collections.abc import Callable
from typing import Any

import png
import pytest
import zxingcpp
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import Session
from accounts.nonces import new_nonce
from credentials.mfa import recovery_codes
from credentials.mfa.models import GuessBudget, MFADevice, RecoveryCode
from credentials.mfa.throttle import MOST_BY_KEY, MOST_FAILURES
from tests.authenticators import App, give_app, give_key
from tests.browser import PASSWORD, Visitor, a_client, give_password, nonce_in, signed_in
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, make_user
from tests.everything import file_of_tokens
from tests.rows import events_of

pytestmark = pytest.mark.pure

ME = "/console/my-security-credentials/"
OWN = f"{ME}mfa/"
USERS = "/console/accounts/user/"


def text(answer: Any) -> str:
    """The page as text."""
    return str(answer.content.decode())


def with_factor(person: Person) -> Client:
    """A client in which the person has shown a second factor."""
    client = signed_in(person)
    session = client.session
    session["mfa_time"] = session["proved"]
    session.save()
    return client


def begin(client: Client, name: str = "phone", pages: str = OWN) -> Any:
    """Send the first step: the answer is the page with the key."""
    answers = {"virtual_mfa_device_name": name, "nonce": nonce_in(client.get(f"{pages}assign/"))}
    return client.post(f"{pages}assign/", answers)


def key_on(page: str) -> str:
    """The key that a page shows, in groups of four."""
    shown = re.search(r'id="key"[^>]*>(.*?)</code>', page)
    assert shown, "no key is shown"
    groups = re.findall(r"<span>([A-Z2-7]{4})</span>", shown[1])
    assert len(groups) == 8
    SECRETS.append("".join(groups))
    return "".join(groups)


def app_on(answer: Any) -> App:
    """An app that took over the key by hand, and the serial number in the page's form."""
    serial_number = re.search(r'name="serial_number" value="([^"]+)"', text(answer))
    assert serial_number
    return App(serial_number[1], base64.b32decode(key_on(text(answer))))


def finish(client: Client, app: App, answer: Any, pages: str = OWN, **codes: str) -> Any:
    """Send the second step."""
    return client.post(f"{pages}enable/", app.two_codes() | {"nonce": nonce_in(answer)} | codes)


def codes_on(page: str) -> list[str]:
    """The recovery codes that a page shows."""
    codes = re.findall(r">([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})<", page)
    SECRETS.extend(codes)
    return codes


def own_device(person: Person) -> MFADevice:
    """The person's one device."""
    return MFADevice.objects.get(user=person.user)


# Enrolment


@pytest.mark.parametrize("who", ["alice", "root"])
def test_a_device_is_made_proved_by_two_codes_and_followed_by_recovery_codes(
    who: str, request: pytest.FixtureRequest
) -> None:
    person: Person = request.getfixturevalue(who)
    client, elsewhere = signed_in(person), signed_in(person)
    step = begin(client)
    app = app_on(step)
    assert (step.status_code, step["Cache-Control"]) == (200, "no-store")
    assert f"phone@{person.user.account.label}" in text(step)
    done = finish(client, app, step)
    assert len(codes_on(text(done))) == 10
    assert "shown once" in text(done)
    assert done["Cache-Control"] == "no-store"
    assert own_device(person).serial_number == app.serial_number
    assert RecoveryCode.objects.filter(user=person.user).count() == 10
    card = text(client.get(ME))
    assert "Recovery codes left: <strong>10</strong>" in card
    assert app.serial_number in card
    assert elsewhere.get(ME).status_code == 302


def test_the_key_is_kept_nowhere_but_sealed(alice: Person) -> None:
    client = signed_in(alice)
    step = begin(client)
    key = key_on(text(step))
    assert key not in str(dict(client.session.items()))
    assert key not in str([vars(event) for event in events_of(alice.account_id)])
    assert key not in str(list(MFADevice.objects.filter(account=alice.account_id).values()))
    assert key not in text(client.get(ME))


def test_the_key_is_not_shown_twice_by_one_form(alice: Person) -> None:
    client = signed_in(alice)
    answers = {"virtual_mfa_device_name": "phone", "nonce": nonce_in(client.get(f"{OWN}assign/"))}
    key_on(text(client.post(f"{OWN}assign/", answers)))
    again = client.post(f"{OWN}assign/", answers | {"virtual_mfa_device_name": "other"})
    assert again.status_code == 409
    assert "Already shown" in text(again)


def test_after_wrong_codes_the_app_is_asked_again_without_the_key(alice: Person) -> None:
    client = signed_in(alice)
    step = begin(client)
    app = app_on(step)
    wrong = finish(client, app, step, authentication_code1="000000")
    page = text(wrong)
    assert "Authentication code for device is not valid." in page
    assert "start again" in page
    assert 'id="key"' not in page
    assert "<svg" not in page.partition("<main")[2].partition("</main>")[0]
    assert not MFADevice.objects.filter(user=alice.user).exists()
    spaced = {name: f"{code[:3]} {code[3:]}" for name, code in app.two_codes().items() if name != "serial_number"}
    assert len(codes_on(text(finish(client, app, wrong, **spaced)))) == 10


def test_cancel_discards_the_device(alice: Person) -> None:
    client = signed_in(alice)
    app = app_on(begin(client))
    answer = client.post(f"{OWN}discard/", {"serial_number": app.serial_number}, follow=True)
    assert "is discarded" in text(answer)
    assert not MFADevice.objects.filter(account=alice.account_id).exists()
    app_on(begin(client))


def test_a_second_device_leaves_the_recovery_codes(alice: Person) -> None:
    client = signed_in(alice)
    step = begin(client)
    codes_on(text(finish(client, app_on(step), step)))
    step = begin(client, "tablet")
    done = finish(client, app_on(step), step)
    assert done["Location"] == ME
    assert RecoveryCode.objects.filter(user=alice.user).count() == 10
    assert MFADevice.objects.filter(user=alice.user).count() == 2


def test_an_administrator_enrols_a_user_and_stays_in(alice: Person, bob: Person) -> None:
    client, pages = with_factor(alice), f"{USERS}bob/mfa/"
    theirs = signed_in(bob)
    step = begin(client, "bobs", pages)
    done = finish(client, app_on(step), step, pages)
    assert done["Location"] == f"{USERS}bob/change/?tab=credentials"
    assert own_device(bob).name == "bobs"
    assert "bobs" in text(client.get(done["Location"]))
    assert not RecoveryCode.objects.filter(user=bob.user).exists()
    assert theirs.get(ME).status_code == 302


def test_the_own_user_page_is_as_good_as_my_security_credentials(alice: Person) -> None:
    client, pages = signed_in(alice), f"{USERS}alice/mfa/"
    step = begin(client, "phone", pages)
    assert len(codes_on(text(finish(client, app_on(step), step, pages)))) == 10
    assert client.get(ME).status_code == 200


def test_in_a_session_without_the_second_factor_no_device_is_added_or_taken(alice: Person) -> None:
    app = give_app(alice.account_id, alice.user, "phone")
    client = signed_in(alice)
    step = begin(client, "thief")
    assert "must use it first" in text(finish(client, app_on(step), step))
    remove = reverse("admin:me-mfa-remove", args=[app.serial_number])
    assert "must use it first" in text(client.post(remove, {"understood": "on"}))
    codes = reverse("admin:me-recovery-codes")
    assert "must use it first" in text(client.post(codes, {"nonce": nonce_in(client.get(codes))}))
    assert own_device(alice).serial_number == app.serial_number


# Resynchronise, remove


def test_a_device_is_set_right_by_two_codes(alice: Person) -> None:
    app = give_app(alice.account_id, alice.user, "phone")
    client = with_factor(alice)
    address = reverse("admin:me-mfa-resync", args=[app.serial_number])
    assert address in text(client.get(ME))
    assert "is not valid" in text(client.post(address, app.two_codes() | {"authentication_code2": "000000"}))
    assert "six digits" in text(client.post(address, {"authentication_code1": "1", "authentication_code2": "2"}))
    done = client.post(address, app.two_codes(off=20), follow=True)
    assert "is set right" in text(done)
    assert own_device(alice).drift > 0
    # Its clock is put right again, which makes its codes older than the last one.
    told = text(client.post(address, app.two_codes()))
    assert re.search(r"accepted before, and none is good twice. Wait 1[01] minutes", told)
    assert "use another device in its place" in told


def test_the_own_last_device_goes_only_with_a_tick(alice: Person) -> None:
    app = give_app(alice.account_id, alice.user, "phone")
    client = with_factor(alice)
    address = reverse("admin:me-mfa-remove", args=[app.serial_number])
    assert "This is your last MFA device" in text(client.get(address))
    assert "This field is required" in text(client.post(address))
    assert own_device(alice)
    done = client.post(address, {"understood": "on"}, follow=True)
    assert "phone is removed" in text(done)
    assert "You have no MFA device" in text(done)
    assert not MFADevice.objects.filter(account=alice.account_id).exists()


def test_one_of_two_goes_without(alice: Person) -> None:
    app, _ = (give_app(alice.account_id, alice.user, name) for name in ("phone", "tablet"))
    client = with_factor(alice)
    address = reverse("admin:me-mfa-remove", args=[app.serial_number])
    assert "last MFA device" not in text(client.get(address))
    assert "phone is removed" in text(client.post(address, follow=True))
    assert own_device(alice).name == "tablet"


@pytest.mark.asvs("6.5.6")
def test_an_administrator_removes_a_users_device(alice: Person, bob: Person) -> None:
    app = give_app(bob.account_id, bob.user, "bobs")
    client = with_factor(alice)
    address = reverse("admin:user-mfa-remove", args=["bob", app.serial_number])
    assert address in text(client.get(f"{USERS}bob/change/?tab=credentials"))
    assert "The password alone signs in" not in text(client.get(address))
    assert "bobs is removed" in text(client.post(address, follow=True))
    assert not MFADevice.objects.filter(account=bob.account_id).exists()


def test_without_the_own_second_factor_the_devices_of_others_stay_as_they_are(alice: Person, bob: Person) -> None:
    app = give_app(bob.account_id, bob.user, "bobs")
    client, codes = signed_in(alice), app.two_codes() | {"virtual_mfa_device_name": "x"}
    pages = {
        name: reverse(f"admin:user-mfa-{name}", args=["bob", *more])
        for name, more in {
            "assign": [],
            "hardware": [],
            "resync": [app.serial_number],
            "remove": [app.serial_number],
        }.items()
    }
    before = list(MFADevice.objects.filter(account=bob.account_id).values())
    card = text(client.get(f"{USERS}bob/change/?tab=credentials"))
    assert "Your own device first" in card
    for name, address in pages.items():
        assert address not in card
        for page in (client.get(address), client.post(address, codes | {"nonce": new_nonce(alice.user)})):
            assert "assign an MFA device to yourself" in text(page), name
            assert f'action="{address}"' not in text(page), name
    enabled = client.post(reverse("admin:user-mfa-enable", args=["bob"]), codes | {"nonce": new_nonce(alice.user)})
    assert "has no MFA device, and must assign one to itself and use it first" in text(enabled)
    assert list(MFADevice.objects.filter(account=bob.account_id).values()) == before
    refused = [each.action for each in events_of(alice.account_id) if each.result == "AccessDenied"]
    assert refused == [
        "iam:EnableMFADevice",
        "iam:ResyncMFADevice",
        "iam:DeactivateMFADevice",
        "iam:EnableMFADevice",
    ]


@pytest.mark.asvs("6.4.4")
def test_who_confirms_with_the_own_device_changes_those_of_others(alice: Person, bob: Person) -> None:
    app = give_app(bob.account_id, bob.user, "bobs")
    client = signed_in(alice)
    mine = give_app(alice.account_id, alice.user, "mine")
    address = reverse("admin:user-mfa-remove", args=["bob", app.serial_number])
    confirm = reverse("admin:confirm")
    assert f'href="{confirm}"' in text(client.get(address))
    assert "Who confirms with an MFA device may change those of others too." in text(client.get(confirm))
    client.post(confirm, {"password": PASSWORD})
    assert f'href="{confirm}"' in text(client.post(address))
    client.post(confirm, {"device": str(own_device(alice).pk), "code": mine.code()})
    assert "bobs is removed" in text(client.post(address, follow=True))


def test_who_deletes_a_user_is_told_of_the_devices_that_go(alice: Person, bob: Person) -> None:
    give_app(bob.account_id, bob.user, "bobs-phone")
    client, address = signed_in(alice), f"{USERS}bob/delete/"
    assert "MFA devices: bobs-phone" in text(client.get(address))
    assert "is deleted" in text(client.post(address, {"typed_name": "bob"}, follow=True))
    assert not MFADevice.objects.filter(account=alice.account_id).exists()


def test_what_may_be_deactivated_and_not_deleted_is_told_to_stay(root: Person) -> None:
    carol = make_user(root, "carol", allow("iam:ListMFADevices", "iam:DeactivateMFADevice"))
    app = give_app(carol.account_id, carol.user, "phone")
    address = reverse("admin:me-mfa-remove", args=[app.serial_number])
    done = with_factor(carol).post(address, {"understood": "on"}, follow=True)
    assert "it stays in the account" in text(done)
    assert "iam:DeleteVirtualMFADevice" in text(done)
    assert MFADevice.objects.get(serial_number=app.serial_number).user is None


def test_removal_does_not_make_a_proof_of_who_is_in(alice: Person) -> None:
    app, _ = (give_app(alice.account_id, alice.user, name) for name in ("phone", "tablet"))
    client = with_factor(alice)
    before = client.session["proved"]
    client.post(reverse("admin:me-mfa-remove", args=[app.serial_number]))
    assert client.session["proved"] == before


# What was guessed at too often


def stop(person: Person, name: str = "phone") -> App:
    """Give the person a device, and so many wrong codes that it is asked no more."""
    app = give_app(person.account_id, person.user, name)
    GuessBudget.objects.update_or_create(user=person.user, defaults={"failures": MOST_FAILURES})
    return app


def test_that_codes_are_stopped_is_shown_with_what_to_do(alice: Person, bob: Person) -> None:
    give_key(alice)
    stop(alice)
    stop(bob, "bobs-phone")
    client, bobs = with_factor(alice), f"{USERS}bob/change/?tab=credentials"
    for address, told in ((ME, "an administrator can allow new sign-in attempts"), (bobs, "Unless it was bob")):
        page = text(client.get(address))
        assert ">Codes are stopped<" in page
        assert page.count('<span class="status error">Stopped</span>') == 1  # no passkey is
        assert "100 wrong codes were tried" in page
        assert told in page
    client.post(reverse("admin:user-throttle-reset", args=["bob"]))
    assert "topped" not in text(client.get(bobs))
    assert ">Codes are stopped<" in text(client.get(ME))


def test_that_codes_by_keys_are_stopped_is_shown_with_what_to_do(alice: Person, bob: Person) -> None:
    for person, name in ((alice, "phone"), (bob, "bobs-phone")):
        give_app(person.account_id, person.user, name)
        GuessBudget.objects.create(user=person.user, failures=MOST_BY_KEY, key_failures=MOST_BY_KEY)
    client = with_factor(alice)
    for address, told in ((ME, "holds an access key of yours"), (f"{USERS}bob/change/?tab=credentials", "was bob")):
        page = text(client.get(address))
        assert ">Codes by access keys are stopped<" in page
        assert ">Stopped<" not in page
        assert "50 wrong codes came by access keys" in page
        assert told in page


def test_root_is_sent_to_the_operator(root: Person) -> None:
    stop(root)
    page = text(with_factor(root).get(ME))
    assert "manage.py recoverroot" in page
    assert "an administrator can allow" not in page


@pytest.mark.parametrize(
    ("who", "helps"), [("alice", "an administrator can allow new attempts"), ("root", "by manage.py recoverroot")]
)
def test_at_sign_in_it_is_told_and_who_is_in_by_another_factor_ends_it_by_a_new_device(
    who: str, helps: str, request: pytest.FixtureRequest, server: Any
) -> None:
    person = request.getfixturevalue(who)
    app = stop(person)
    SECRETS.extend(recovery := recovery_codes.issue(person.user))
    give_password(person)
    client = a_client()
    form = {"account": person.account_id, "user_name": person.user.user_name or "", "password": PASSWORD}
    form = form if person.user.user_name else {"email": person.user.email, "password": PASSWORD}
    client.post("/signin/" if person.user.user_name else "/signin/?as=root", form)
    page = text(client.get("/second-factor/"))
    assert ("An administrator of your account can remove your devices." in page) is (who == "alice")
    assert ("The operator of this server can give you a new start" in page) is (who == "root")
    for code in (app.code(), "000000"):
        answer = text(client.post("/second-factor/", {"code": code}))
        assert "Codes are stopped: 100 wrong ones were tried." in answer
        assert helps in answer
        assert events_of(person.account_id)[-1].result == "Stopped"
    assert client.post("/second-factor/?device=recovery", {"code": recovery[0]})["Location"] == "/console/"
    assert GuessBudget.objects.get(user=person.user).failures == MOST_FAILURES  # which a recovery code leaves alone
    step = begin(client, "spare")
    finish(client, app_on(step), step)
    assert "topped" not in text(client.get(ME))


# Hardware tokens, recovery codes


def test_a_token_of_the_inventory_is_assigned_by_its_serial_number(alice: Person) -> None:
    app = give_app(alice.account_id, None, "GALT12345678", kind="hardware")
    client = signed_in(alice)
    address = f"{OWN}hardware/"
    nonce = {"nonce": nonce_in(client.get(address))}
    missing = text(client.post(address, app.two_codes() | nonce | {"serial_number": "GALT00000000"}))
    assert "MFA Device with serial number GALT00000000 does not exist." in missing
    assert "9 or more" in text(client.post(address, app.two_codes() | nonce | {"serial_number": "?"}))
    assert len(codes_on(text(client.post(address, app.two_codes() | nonce)))) == 10
    assert "Hardware token" in text(client.get(ME))
    client.post(reverse("admin:me-mfa-remove", args=[app.serial_number]), {"understood": "on"})
    assert MFADevice.objects.get(serial_number=app.serial_number).user is None


def test_recovery_codes_are_shown_once_and_take_the_place_of_earlier_ones(alice: Person) -> None:
    give_app(alice.account_id, alice.user, "phone")
    client = with_factor(alice)
    address = reverse("admin:me-recovery-codes")
    nonce = {"nonce": nonce_in(client.get(address))}
    first = codes_on(text(client.post(address, nonce)))
    assert client.post(address, nonce).status_code == 409
    assert "You have 10 left" in text(client.get(address))
    second = codes_on(text(client.post(address, {"nonce": nonce_in(client.get(address))})))
    assert len(set(first + second)) == 20
    assert RecoveryCode.objects.filter(user=alice.user).count() == 10


def test_without_a_device_there_are_no_recovery_codes(alice: Person) -> None:
    client = signed_in(alice)
    address = reverse("admin:me-recovery-codes")
    answer = client.post(address, {"nonce": nonce_in(client.get(address))})
    assert "enable one first" in text(answer)


def test_long_after_sign_in_it_is_asked_who_it_is(alice: Person) -> None:
    client = signed_in(alice)
    nonce = nonce_in(client.get(f"{OWN}assign/"))
    session = client.session
    session["proved"] -= 3600
    session.save()
    answer = client.post(f"{OWN}assign/", {"virtual_mfa_device_name": "phone", "nonce": nonce})
    assert "Confirm that it is you" in text(answer)
    assert not MFADevice.objects.filter(account=alice.account_id).exists()


# The account's inventory


@pytest.mark.parametrize("how", ["file", "pasted"])
def test_tokens_come_from_a_file_or_its_text_and_are_deleted(how: str, alice: Person, bob: Person) -> None:
    client, content = with_factor(alice), file_of_tokens()
    seed = content.decode().strip().rpartition(",")[2]
    given = SimpleUploadedFile("tokens.csv", content) if how == "file" else content.decode()
    done = client.post("/console/mfa-devices/import/", {"file_format": "csv", how: given}, follow=True)
    assert "1 hardware token imported" in text(done)
    assert seed not in text(done)
    token = MFADevice.objects.get(account=alice.account_id)
    address = reverse("admin:mfa-inventory-delete", args=[token.serial_number])
    assert address in text(done)
    app = App(token.serial_number, bytes.fromhex(seed))
    pages = f"{USERS}bob/mfa/"
    nonce = {"nonce": nonce_in(client.get(f"{pages}hardware/"))}
    assert client.post(f"{pages}hardware/", app.two_codes() | nonce).status_code == 302
    inventory = text(client.get("/console/mfa-devices/"))
    assert "In use" in inventory
    assert f"{USERS}bob/change/" in inventory
    assert "in use: deactivate it first" in text(client.post(address))
    client.post(reverse("admin:user-mfa-remove", args=["bob", token.serial_number]))
    assert "is deleted" in text(client.post(address, follow=True))
    assert not MFADevice.objects.filter(account=alice.account_id).exists()


def test_a_bad_file_is_told_by_its_line_and_not_repeated(alice: Person) -> None:
    client, content = signed_in(alice), file_of_tokens().decode()
    seed = content.strip().rpartition(",")[2]
    answer = client.post("/console/mfa-devices/import/", {"file_format": "csv", "pasted": f"{content}short,00\n"})
    assert "line 3" in text(answer)
    assert seed not in text(answer)
    assert "Choose a file" in text(client.post("/console/mfa-devices/import/", {"file_format": "csv"}))
    assert not MFADevice.objects.filter(account=alice.account_id).exists()


def test_an_unfinished_enrolment_is_found_and_deleted(alice: Person) -> None:
    client = signed_in(alice)
    app = app_on(begin(client, "forgotten"))
    address = reverse("admin:mfa-inventory-delete", args=[app.serial_number])
    assert address in text(client.get("/console/mfa-devices/"))
    assert "is deleted" in text(client.post(address, follow=True))
    app_on(begin(client, "forgotten"))


# Those who get nothing


def test_who_may_do_nothing_sees_no_device_and_changes_none(alice: Person, mallory: Person) -> None:
    app = give_app(alice.account_id, alice.user, "alices-phone")
    mine = give_app(mallory.account_id, mallory.user, "mallorys-phone")
    client = with_factor(mallory)
    assert "iam:ListMFADevices" in text(client.get(ME))
    assert "mallorys-phone" not in text(client.get(ME))
    before = list(MFADevice.objects.filter(account=alice.account_id).order_by("pk").values())
    for page, serial in (("me", mine.serial_number), ("user", app.serial_number)):
        names = [] if page == "me" else ["alice"]
        for action in ("assign", "enable", "discard", "hardware", "resync", "remove"):
            whose = [serial] if action in ("resync", "remove") else []
            address = reverse(f"admin:{page}-mfa-{action}", args=[*names, *whose])
            answers = {"virtual_mfa_device_name": "x", "understood": "on", "serial_number": serial} | mine.two_codes()
            answer = client.post(address, answers)
            assert re.search(r"iam:[A-Z]\w+", text(answer)), address
            assert "alices-phone" not in text(client.get(address)).replace(address, "")
    assert list(MFADevice.objects.filter(account=alice.account_id).order_by("pk").values()) == before


def test_another_account_is_out_of_reach(alice: Person, trudy: Person) -> None:
    app = give_app(alice.account_id, alice.user, "phone")
    make_user(trudy, "alice", ALLOW_ALL)
    client = with_factor(trudy)
    for action in ("resync", "remove"):
        for address in (
            reverse(f"admin:me-mfa-{action}", args=[app.serial_number]),
            reverse(f"admin:user-mfa-{action}", args=["alice", app.serial_number]),
        ):
            assert client.get(address).status_code == 404
            client.post(address, app.two_codes() | {"understood": "on"})
    client.post(f"{OWN}discard/", {"serial_number": app.serial_number})
    client.post(f"{OWN}hardware/", app.two_codes())
    assert own_device(alice).serial_number == app.serial_number
    assert not MFADevice.objects.filter(account=trudy.account_id).exists()


# By browser


def enrol(page: Page, person: Person) -> App:
    """Go from the card to the recovery codes, computing codes from the key on the page."""
    page.goto(ME)
    page.get_by_role("link", name="Assign MFA device").click()
    page.get_by_label("Device name").fill("pixel-9")
    page.get_by_role("button", name="Show QR code").click()
    expect(page.get_by_role("img", name="QR code; the same key is below as text")).to_be_visible()
    key = page.locator("#key").inner_text().strip()
    SECRETS.append(key)
    scanned = scan(page.locator(".qr").screenshot())
    assert scanned == f"otpauth://totp/pixel-9@{person.user.account.label}?secret={key}&issuer=iamconsole"
    app = App(f"arn:aws:iam::{person.account_id}:mfa/pixel-9", base64.b32decode(key))
    page.get_by_label("MFA code 1").fill(app.code())
    page.get_by_label("MFA code 2").fill(app.code(1))
    page.get_by_role("button", name="Add MFA").click()
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    return app


def scan(screenshot: bytes) -> str:
    """What a phone reads of a picture of the page."""
    width, height, rows, _ = png.Reader(bytes=screenshot).asRGB8()
    grey = b"".join(bytes(row[::3]) for row in rows)
    [found] = zxingcpp.read_barcodes(memoryview(grey).cast("B", (height, width)))
    return str(found.text)


def sign_in_with(page: Page, code: str) -> None:
    """Give the second factor."""
    expect(page.locator("h1")).to_have_text("Multi-factor authentication")
    page.get_by_role("textbox").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Dashboard")


def test_enrolment_by_browser(visit: Callable[..., Visitor], alice: Person) -> None:
    give_password(alice)
    page = (visitor := visit(color_scheme="dark")).sign_in(alice)
    enrol(page, alice)
    codes = page.locator("#codes").inner_text().split()
    SECRETS.extend(codes)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .csv").click()
    assert download.value.path().read_text().splitlines() == ["Recovery code", *codes]
    page.evaluate("() => { window.print = () => { document.title = 'printed'; }; }")
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.get_by_role("link", name="I have saved these").click()
    expect(page.locator("main")).to_contain_text("pixel-9")
    expect(page.locator("main")).to_contain_text("Recovery codes left: 10")
    visitor.sign_out()
    visitor.sign_in(alice)
    page.get_by_text("Use another device or a recovery code").click()
    page.get_by_role("link", name="A recovery code").click()
    sign_in_with(page, codes[0])
    expect(page.locator("main")).to_contain_text("9 recovery codes are left.")
    page.goto(ME)
    expect(page.locator("main")).to_contain_text("Recovery codes left: 9")
    page.get_by_role("link", name="Remove pixel-9").click()
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Remove MFA device").click()
    expect(page.locator("main")).to_contain_text("You have no MFA device")


def test_enrolment_works_without_javascript(visit: Callable[..., Visitor], alice: Person) -> None:
    give_password(alice)
    page = visit(java_script_enabled=False).sign_in(alice)
    page.goto(f"{OWN}assign/")
    page.get_by_label("Device name").fill("wrong")
    page.get_by_role("button", name="Show QR code").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("main")).to_contain_text("is discarded")
    app = enrol(page, alice)
    SECRETS.extend(page.locator("#codes").inner_text().split())
    page.get_by_role("link", name="I have saved these").click()
    page.get_by_role("link", name="Resync pixel-9").click()
    page.get_by_label("MFA code 1").fill(app.code(2))
    page.get_by_label("MFA code 2").fill(app.code(3))
    page.get_by_role("button", name="Resync").click()
    expect(page.locator("main")).to_contain_text("is set right")
    assert Session.objects.filter(user=alice.user).count() == 1
