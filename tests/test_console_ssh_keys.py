"""SSH public keys in the console: upload, fingerprints, switch, delete, for oneself and for a user."""

import pytest
from django.urls import reverse

from credentials.ssh.models import SSHPublicKey
from tests.browser import signed_in
from tests.conftest import Person
from tests.ssh_keys import new_ssh_key


@pytest.mark.parametrize("own", [True, False], ids=["own", "a user's"])
def test_a_key_is_uploaded_switched_and_deleted(alice: Person, bob: Person, own: bool) -> None:
    client, owner = signed_in(alice), alice if own else bob
    user_page = reverse("admin:accounts_user_change", args=["bob"])
    place = "/console/my-security-credentials" if own else user_page.removesuffix("/change/")
    page = f"{place}/" if own else f"{user_page}?tab=credentials"
    assert "ssh-keygen -t ed25519" in client.get(page).content.decode()
    refused = client.post(f"{place}/ssh-keys/upload/", {"ssh_public_key_body": "junk"}).content.decode()
    assert "This is no public key." in refused
    answer = client.post(f"{place}/ssh-keys/upload/", {"ssh_public_key_body": f"{new_ssh_key()} dave@laptop\n"})
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
