"""SSH public keys in the console: upload, fingerprints, switch, delete, for oneself and for a user."""

import subprocess
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from credentials.ssh.models import SSHPublicKey
from tests.browser import Visitor, give_password, signed_in
from tests.conftest import Person
from tests.ssh_keys import generate, new_ssh_key, public_half

pytestmark = pytest.mark.pure


@pytest.mark.parametrize("own", [True, False], ids=["own", "a user's"])
def test_a_key_is_uploaded_switched_and_deleted(alice: Person, bob: Person, own: bool) -> None:
    client, owner = signed_in(alice), alice if own else bob
    user_page = reverse("admin:accounts_user_change", args=["bob"])
    place = "/console/my-security-credentials" if own else user_page.removesuffix("/change/")
    page = f"{place}/" if own else f"{user_page}?tab=credentials"
    assert "ssh-keygen -t ed25519" in client.get(page).content.decode()
    refused = client.post(f"{place}/ssh-keys/upload/", {"ssh_public_key_body": "junk"}).content.decode()
    assert "This is no public key." in refused
    answer = client.post(f"{place}/ssh-keys/upload/", {"ssh_public_key_body": f"\ufeff{new_ssh_key()} dave@laptop\n"})
    assert answer.status_code == 302
    key = SSHPublicKey.objects.get(user=owner.user)
    shown = client.get(page).content.decode()
    for text in (key.ssh_public_key_id, key.fingerprint, f"git clone ssh://{key.ssh_public_key_id}@HOST"):
        assert text in shown
    one = f"{place}/ssh-keys/{key.ssh_public_key_id}"
    assert client.post(f"{one}/status/", {"status": "Inactive"}).status_code == 302
    key.refresh_from_db()
    assert not key.active
    assert "Delete SSH public key?" in client.get(f"{one}/delete/").content.decode()
    assert client.post(f"{one}/delete/", {"typed_id": "no"}).status_code == 200
    assert client.post(f"{one}/delete/", {"typed_id": key.ssh_public_key_id}).status_code == 302
    assert not SSHPublicKey.objects.filter(user=owner.user).exists()


def test_a_key_of_two_users_is_told_of_on_both_pages_and_in_no_other_account(
    alice: Person, bob: Person, trudy: Person
) -> None:
    body, mine, said = new_ssh_key(), "/console/my-security-credentials/", "Another user of this account has uploaded"
    bobs = f"{reverse('admin:accounts_user_change', args=['bob'])}?tab=credentials"
    strangers, client = signed_in(trudy), signed_in(alice)
    upload = {"ssh_public_key_body": body}
    for each in (strangers, client):
        shown = each.post(f"{mine}ssh-keys/upload/", upload, follow=True).content.decode()
        assert said not in shown
    place = bobs.partition("/change/")[0]
    client.post(f"{place}/ssh-keys/upload/", {"ssh_public_key_body": new_ssh_key()})
    shown = client.post(f"{place}/ssh-keys/upload/", upload, follow=True).content.decode()
    assert f"{said} the same key" in shown  # the answer to the upload
    keys = {
        each.user.user_name: each for each in SSHPublicKey.objects.filter(body=body, user__account=alice.account_id)
    }
    for address, name in ((mine, "alice"), (bobs, "bob")):
        shown = client.get(address).content.decode()
        assert f"{said} <code>{keys[name]}</code> too." in shown
        assert shown.count(">Shared<") == 1
    assert said not in strangers.get(mine).content.decode()
    client.post(f"{place}/ssh-keys/{keys['bob']}/status/", {"status": "Inactive"})
    for address in (mine, bobs):
        assert said not in client.get(address).content.decode()


def test_a_user_pastes_a_key_sees_its_fingerprint_switches_it_off_and_deletes_it(
    visitor: Visitor, alice: Person, tmp_path: Path
) -> None:
    give_password(alice)
    page = visitor.sign_in(alice)
    expect(page.locator("h1")).to_have_text("Dashboard")
    made = generate(tmp_path, "ed25519")
    told = subprocess.run(["ssh-keygen", "-l", "-f", f"{made}.pub"], capture_output=True, text=True, check=True).stdout
    page = visitor.open("/console/my-security-credentials/")
    card = page.get_by_role("region", name="SSH public keys").first
    expect(card).to_contain_text("None yet")
    card.get_by_role("link", name="Upload SSH public key").click()
    page.get_by_role("button", name="Upload SSH public key").click()
    expect(page.get_by_role("alert")).to_contain_text("This field is required")
    page.get_by_label("Public key").fill(made.read_text())  # the secret half
    page.get_by_role("button", name="Upload SSH public key").click()
    expect(page.get_by_role("alert")).to_contain_text("This is the secret half")
    assert made.read_text().splitlines()[1] not in page.content()
    page.get_by_label("Public key").fill(public_half(made))
    page.get_by_role("button", name="Upload SSH public key").click()
    expect(page.get_by_text("The SSH public key is uploaded and active.")).to_be_visible()
    expect(card).to_contain_text(told.split()[1])
    key = SSHPublicKey.objects.get(user=alice.user)
    row = card.get_by_role("row").filter(has_text=key.ssh_public_key_id)
    expect(row).to_contain_text("Active")
    row.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text(f"SSH public key {key.ssh_public_key_id} is now inactive.")).to_be_visible()
    expect(row).to_contain_text("Inactive")
    row.get_by_role("link", name="Delete").click()
    page.get_by_label("To confirm, type").fill(key.ssh_public_key_id)
    page.get_by_role("button", name="Delete SSH public key").click()
    expect(card).to_contain_text("None yet")
    assert not SSHPublicKey.objects.filter(user=alice.user).exists()
