"""The pages of server certificates and signing certificates, from the first upload to the end."""

import html
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from credentials.certificate_models import ServerCertificate, SigningCertificate
from tests.browser import signed_in
from tests.certificate_authority import certificate, new_key, served, text_of
from tests.conftest import URL, Person

pytestmark = pytest.mark.pure

LIST = "/console/server-certificates/"
MINE = "/console/my-security-credentials/"


def test_every_ready_command_goes_to_this_server_and_not_to_amazon(alice: Person) -> None:
    client, given = signed_in(alice), served("www")
    files = {"certificate_body": given.body, "private_key": given.private_key, "certificate_chain": given.chain}
    client.post(f"{LIST}add/", {"server_certificate_name": "www", "path": "/", **files})
    client.get(LIST)  # which shows the command of what was just done
    commands = []
    for address in (f"{LIST}add/", f"{LIST}www/change/", f"{MINE}signing-certificates/upload/"):
        text = html.unescape(client.get(address).content.decode()).replace("\\\n", " ")
        commands += re.findall(r"^.*\baws iam .*$", text, re.MULTILINE)
    assert len(commands) == 3
    assert all(f"--region us-east-1 --endpoint-url {URL}" in command for command in commands)


def test_a_server_certificate_is_uploaded_renamed_tagged_and_deleted(alice: Person) -> None:
    client, given = signed_in(alice), served("www")
    files = {
        "certificate_body_file": SimpleUploadedFile("cert.pem", given.body.encode()),
        "private_key_file": SimpleUploadedFile("key.pem", given.private_key.encode()),
    }
    sent = {"server_certificate_name": "www", "path": "/", "certificate_chain": given.chain}
    answer = client.post(f"{LIST}add/", {**sent, **files})
    assert answer.headers["Location"] == f"{LIST}www/change/"
    page = client.get(f"{LIST}www/change/").content.decode()
    assert "CN=www" in page
    assert "manage.py export_server_certificate www" in page
    assert given.private_key.splitlines()[1] not in page
    client.post(f"{LIST}www/rename/", {"new_server_certificate_name": "web", "new_path": "/a/"})
    client.post(f"{LIST}web/tags/", {"key": "team", "value": "blue"})
    kept = ServerCertificate.objects.get(account=alice.account_id)
    assert (kept.server_certificate_name, kept.path) == ("web", "/a/")
    assert kept.tags == [{"key": "team", "value": "blue"}]
    assert "web" in client.get(f"{LIST}?q=WE").content.decode()
    client.post(f"{LIST}web/tags/", {"remove": "team"})
    client.post(f"{LIST}web/delete/", {"typed_name": "www"})
    assert ServerCertificate.objects.get(account=alice.account_id).tags == []
    client.post(f"{LIST}web/delete/", {"typed_name": "web"})
    assert not ServerCertificate.objects.filter(account=alice.account_id).exists()


@pytest.mark.parametrize("way", ["as files", "pasted"])
def test_texts_that_begin_with_a_byte_order_mark_are_taken(alice: Person, way: str) -> None:
    client, given, own = signed_in(alice), served("www"), text_of(certificate("x", new_key()))

    def sent(texts: dict[str, str]) -> dict[str, object]:
        marked = {name: f"\ufeff{text}" for name, text in texts.items()}
        if way == "pasted":
            return {**marked}
        return {f"{name}_file": SimpleUploadedFile("x.pem", text.encode()) for name, text in marked.items()}

    client.post(f"{LIST}add/", {"server_certificate_name": "www", "path": "/", **sent(given.values)})
    kept = ServerCertificate.objects.get(account=alice.account_id)
    assert (kept.certificate_body, kept.certificate_chain) == (given.body.rstrip(), given.chain.rstrip())
    client.post(f"{MINE}signing-certificates/upload/", sent({"certificate_body": own}))
    assert SigningCertificate.objects.get(account=alice.account_id).certificate_body == own.rstrip()


def test_a_refused_form_says_what_is_wrong_where_and_keeps_no_private_key(alice: Person) -> None:
    client, given, other = signed_in(alice), served("www"), served("other")
    sent = {"server_certificate_name": "www", "path": "/", "certificate_body": given.body}
    for key, chain, message in (
        (other.private_key, "", "The private key did not match"),
        (given.private_key, other.chain, "Unable to validate certificate chain"),
        (given.private_key * 2, "", "Give one key in PEM format"),
    ):
        answer = client.post(f"{LIST}add/", {**sent, "private_key": key, "certificate_chain": chain})
        page = answer.content.decode()
        assert answer.status_code == 200
        assert message in page
        assert key.splitlines()[1] not in page
        assert given.body.splitlines()[1] in page
    binary = {"certificate_body_file": SimpleUploadedFile("cert.der", bytes(range(256)))}
    page = client.post(f"{LIST}add/", {**sent, **binary, "private_key": "x"}).content.decode()
    assert "not text in PEM format" in page


def test_who_has_no_signing_certificate_sees_how_one_is_made_and_uploaded(alice: Person, bob: Person) -> None:
    bobs = "/console/accounts/user/bob/change/?tab=credentials"
    for client, address, whose in (
        (signed_in(alice), MINE, "upload-signing-certificate --certificate-body"),
        (signed_in(alice), bobs, "upload-signing-certificate --user-name bob --certificate-body"),
    ):
        page = html.unescape(client.get(address).content.decode()).replace("\\\n", " ")
        assert "openssl req -x509" in page
        (command,) = re.findall(rf">aws iam {whose}.*$", page, re.MULTILINE)
        assert command.endswith(f"--region us-east-1 --endpoint-url {URL}</pre>")
    client = signed_in(alice)
    client.post(f"{MINE}signing-certificates/upload/", {"certificate_body": text_of(certificate("x", new_key()))})
    assert "openssl req -x509" not in client.get(MINE).content.decode()


def test_signing_certificates_of_oneself_and_of_a_user(alice: Person, bob: Person) -> None:
    client = signed_in(alice)
    bobs = "/console/accounts/user/bob/signing-certificates/"
    for address in (f"{MINE}signing-certificates/", bobs):
        assert (
            client.post(f"{address}upload/", {"certificate_body": text_of(certificate("x", new_key()))}).status_code
            == 302
        )
        made = SigningCertificate.objects.filter(account=alice.account_id).latest("pk")
        client.post(f"{address}{made.certificate_id}/status/", {"status": "Inactive"})
        made.refresh_from_db()
        assert not made.active
        client.post(f"{address}{made.certificate_id}/delete/")
        assert not SigningCertificate.objects.filter(pk=made.pk).exists()


def test_who_may_not_list_certificates_is_not_told_of_them_on_the_dashboard(alice: Person, bob: Person) -> None:
    client, given = signed_in(alice), served("www")
    client.post(f"{LIST}add/", {"server_certificate_name": "www", "path": "/", **given.values})
    heading = "Server certificates to renew"
    assert heading not in client.get("/console/").content.decode()
    certificates = ServerCertificate.objects.filter(account=alice.account_id)
    for days, word in ((59, "60 days"), (29, "30 days"), (6, "7 days"), (-1, "Expired")):
        certificates.update(expiration=timezone.now() + timedelta(days=days, hours=1))
        page = client.get("/console/").content.decode()
        assert heading in page
        assert word in page
    assert heading not in signed_in(bob).get("/console/").content.decode()
