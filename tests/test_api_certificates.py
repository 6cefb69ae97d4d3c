"""Server certificates and signing certificates through boto3 and the aws CLI, and how many there may be under a race."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from accounts.models import Account
from credentials.certificate_models import ServerCertificate, SigningCertificate
from iamconsole.errors import Fault
from tests.aws_cli import aws
from tests.certificate_authority import DAY, certificate, new_key, pem_of, served, text_of
from tests.conftest import Person, allow, make_user
from tests.test_races import at_once, clients, codes

Rounds = Callable[[int, int], int]
GIVEN = served()


def refused(call: Callable[..., Any], **given: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**given)
    error = caught.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


def signing() -> str:
    return text_of(certificate("signer", new_key()))


def test_a_server_certificate_from_its_upload_to_its_end(iam: Any, alice: Person) -> None:
    tags = [{"Key": "team", "Value": "blue"}]
    answer = iam.upload_server_certificate(**GIVEN.parameters("www", Path="/cloudfront/test/", Tags=tags))
    made = answer["ServerCertificateMetadata"]
    arn = f"arn:aws:iam::{alice.account_id}:server-certificate/cloudfront/test/www"
    assert (made["Arn"], made["Path"], made["ServerCertificateName"]) == (arn, "/cloudfront/test/", "www")
    assert len(made["ServerCertificateId"]) == 21
    assert made["ServerCertificateId"].startswith("ASCA")
    assert answer["Tags"] == tags
    got = iam.get_server_certificate(ServerCertificateName="WWW")["ServerCertificate"]
    assert got["ServerCertificateMetadata"] == made
    assert got["CertificateBody"] == GIVEN.body.rstrip()
    assert got["CertificateChain"] == GIVEN.chain.rstrip()
    assert got["Tags"] == tags
    assert "PRIVATE" not in str(got)
    assert abs(made["Expiration"] - made["UploadDate"] - 365 * DAY) < DAY
    assert iam.list_server_certificates()["ServerCertificateMetadataList"] == [made]
    iam.update_server_certificate(ServerCertificateName="www", NewServerCertificateName="web", NewPath="/")
    moved = iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    assert moved["ServerCertificateMetadata"]["Arn"].endswith(":server-certificate/web")
    assert moved["ServerCertificateMetadata"]["ServerCertificateId"] == made["ServerCertificateId"]
    assert moved["Tags"] == tags
    iam.delete_server_certificate(ServerCertificateName="web")
    assert refused(iam.get_server_certificate, ServerCertificateName="web") == (
        404,
        "NoSuchEntity",
        "The Server Certificate with name web cannot be found.",
    )


def test_without_chain_and_tags_an_answer_leaves_them_out_as_awss(iam: Any) -> None:
    given = {name: value for name, value in GIVEN.parameters("bare").items() if name != "CertificateChain"}
    assert "Tags" not in iam.upload_server_certificate(**given)
    got = iam.get_server_certificate(ServerCertificateName="bare")["ServerCertificate"]
    assert "CertificateChain" not in got
    assert got["Tags"] == []


def test_uploads_are_refused_with_awss_codes(iam: Any) -> None:
    iam.upload_server_certificate(**GIVEN.parameters("www"))
    for name, path in (("www", "/"), ("WWW", "/other/")):
        assert refused(iam.upload_server_certificate, **GIVEN.parameters(name, Path=path)) == (
            409,
            "EntityAlreadyExists",
            f"The Server Certificate with name {name} already exists.",
        )
    for more, code in (
        ({"PrivateKey": pem_of(new_key())}, "KeyPairMismatch"),
        ({"PrivateKey": "junk"}, "MalformedCertificate"),
        ({"CertificateBody": "junk"}, "MalformedCertificate"),
        ({"CertificateChain": GIVEN.body * 5000}, "ValidationError"),
        ({"CertificateChain": GIVEN.body * 2000}, "MalformedCertificate"),
        ({"PrivateKey": "k" * 16_385}, "ValidationError"),
    ):
        status, told, message = refused(iam.upload_server_certificate, **GIVEN.parameters("new", **more))
        assert (status, told) == (400, code)
        assert "kkkk" not in message
    iam.upload_server_certificate(**GIVEN.parameters("other"))
    rename = {"ServerCertificateName": "other", "NewServerCertificateName": "Www"}
    assert refused(iam.update_server_certificate, **rename)[1] == "EntityAlreadyExists"
    iam.update_server_certificate(ServerCertificateName="other", NewServerCertificateName="OTHER")


def test_a_long_chain_that_was_refused_is_told_in_the_trail_by_its_beginning(iam: Any, alice: Person) -> None:
    from tests.rows import events_of

    refused(iam.upload_server_certificate, **GIVEN.parameters("new", CertificateChain=GIVEN.body * 2000))
    told = events_of(alice.account_id)[-1].parameters
    assert told["private_key"] == "***"
    assert len(told["certificate_chain"]) < 1100


def test_tags_and_paginators(iam: Any) -> None:
    for number in range(5):
        iam.upload_server_certificate(**GIVEN.parameters(f"c{number}", Path="/a/" if number < 3 else "/b/"))
    pages = iam.get_paginator("list_server_certificates").paginate(PathPrefix="/a/", PaginationConfig={"PageSize": 2})
    names = [[each["ServerCertificateName"] for each in page["ServerCertificateMetadataList"]] for page in pages]
    assert names == [["c0", "c1"], ["c2"]]
    tags = [{"Key": key, "Value": "v"} for key in ("Team", "team", "a")]
    iam.tag_server_certificate(ServerCertificateName="c0", Tags=tags)
    iam.untag_server_certificate(ServerCertificateName="c0", TagKeys=["a", "none"])
    pages = iam.get_paginator("list_server_certificate_tags").paginate(
        ServerCertificateName="c0", PaginationConfig={"PageSize": 1}
    )
    assert [tag["Key"] for page in pages for tag in page["Tags"]] == ["Team", "team"]
    assert refused(iam.tag_server_certificate, ServerCertificateName="none", Tags=tags)[1] == "NoSuchEntity"


def test_a_policy_can_name_server_certificates_by_path_and_ask_for_tags(iam: Any, root: Person, server: Path) -> None:
    arn = f"arn:aws:iam::{root.account_id}:server-certificate/web/*"
    carol = make_user(root, "carol", allow("iam:*ServerCertificate", resource=arn)).client()
    carol.upload_server_certificate(**GIVEN.parameters("www", Path="/web/"))
    assert refused(carol.upload_server_certificate, **GIVEN.parameters("db", Path="/"))[1] == "AccessDenied"
    out = {"ServerCertificateName": "www", "NewPath": "/"}
    assert refused(carol.update_server_certificate, **out)[1] == "AccessDenied"
    carol.delete_server_certificate(ServerCertificateName="www")


def test_a_signing_certificate_from_its_upload_to_its_end(iam: Any, root: Person) -> None:
    iam.create_user(UserName="dave")
    body = signing()
    made = iam.upload_signing_certificate(UserName="dave", CertificateBody=body)["Certificate"]
    assert (made["UserName"], made["Status"], made["CertificateBody"]) == ("dave", "Active", body.rstrip())
    assert len(made["CertificateId"]) == 32
    iam.update_signing_certificate(UserName="dave", CertificateId=made["CertificateId"], Status="Inactive")
    second = iam.upload_signing_certificate(UserName="dave", CertificateBody=signing())["Certificate"]
    pages = iam.get_paginator("list_signing_certificates").paginate(UserName="dave", PaginationConfig={"PageSize": 1})
    listed = [each for page in pages for each in page["Certificates"]]
    assert [(each["CertificateId"], each["Status"]) for each in listed] == [
        (made["CertificateId"], "Inactive"),
        (second["CertificateId"], "Active"),
    ]
    third = {"UserName": "dave", "CertificateBody": signing()}
    assert refused(iam.upload_signing_certificate, **third) == (
        409,
        "LimitExceeded",
        "Cannot exceed quota for CertificatesPerUser: 2",
    )
    assert refused(iam.delete_user, UserName="dave") == (
        409,
        "DeleteConflict",
        "Cannot delete entity, must delete certificates first.",
    )
    for each in listed:
        iam.delete_signing_certificate(UserName="dave", CertificateId=each["CertificateId"])
    iam.delete_user(UserName="dave")


def test_signing_certificates_are_refused_with_awss_codes(iam: Any, alice: Person) -> None:
    iam.create_user(UserName="dave")
    body = signing()
    made = iam.upload_signing_certificate(CertificateBody=body)["Certificate"]
    assert made["UserName"] == "alice"
    for user in ("alice", "dave"):
        given = {"UserName": user, "CertificateBody": body.replace("\n", "\r\n")}
        assert refused(iam.upload_signing_certificate, **given)[:2] == (409, "DuplicateCertificate")
    junk = refused(iam.upload_signing_certificate, CertificateBody="junk")
    assert junk == (400, "MalformedCertificate", "Certificate junk is malformed.")
    old = text_of(certificate("x", new_key(), starts=-9, days=-1))
    assert refused(iam.upload_signing_certificate, CertificateBody=old)[:2] == (400, "InvalidCertificate")
    theirs = {"UserName": "dave", "CertificateId": made["CertificateId"]}
    assert refused(iam.delete_signing_certificate, **theirs)[1] == "NoSuchEntity"
    assert refused(iam.update_signing_certificate, **theirs, Status="Inactive")[1] == "NoSuchEntity"
    own = {"CertificateId": made["CertificateId"], "Status": "Expired"}
    assert refused(iam.update_signing_certificate, **own)[0] == 400


def test_another_account_may_have_the_same_names_and_certificates(iam: Any, trudy: Person, server: Path) -> None:
    body = signing()
    for client in (iam, trudy.client()):
        client.upload_server_certificate(**GIVEN.parameters("www"))
        client.upload_signing_certificate(CertificateBody=body)


def test_the_summary_counts_certificates_and_an_account_with_any_is_not_closed(root: Person, server: Path) -> None:
    from accounts.management.commands._shell import operator
    from accounts.operations.installation import close_account

    client = root.client()
    client.upload_server_certificate(**GIVEN.parameters("www"))
    client.upload_signing_certificate(CertificateBody=signing())
    summary = client.get_account_summary()["SummaryMap"]
    wanted = {"ServerCertificates": 1, "ServerCertificatesQuota": 20, "SigningCertificatesPerUserQuota": 2}
    assert {name: summary[name] for name in wanted} == wanted
    assert summary["AccountSigningCertificatesPresent"] == 1
    with pytest.raises(Fault, match="1 server certificates and 1 root signing certificates"):
        close_account(operator(), account=root.account_id)


def test_a_user_deleted_whole_takes_signing_certificates_along(iam: Any, root: Person) -> None:
    from accounts.operations.whole_users import delete_user_with_credentials

    iam.create_user(UserName="dave")
    iam.upload_signing_certificate(UserName="dave", CertificateBody=signing())
    delete_user_with_credentials(root.caller, user_name="dave")
    assert not SigningCertificate.objects.filter(account=root.account_id).exists()


def test_the_aws_cli_does_every_operation(alice: Person, server: Path, tmp_path: Path) -> None:
    cli = partial(aws, alice, "iam")
    files = {"cert": GIVEN.body, "key": GIVEN.private_key, "chain": GIVEN.chain, "signing": signing()}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    at = {name: f"file://{tmp_path / name}" for name in files}
    named = ("--server-certificate-name", "www")
    texts = ("--certificate-body", at["cert"], "--private-key", at["key"], "--certificate-chain", at["chain"])
    cli("upload-server-certificate", *named, *texts)
    cli("tag-server-certificate", *named, "--tags", "Key=team,Value=blue")
    assert cli("list-server-certificate-tags", *named)["Tags"] == [{"Key": "team", "Value": "blue"}]
    cli("untag-server-certificate", *named, "--tag-keys", "team")
    cli("update-server-certificate", *named, "--new-server-certificate-name", "web")
    assert len(cli("list-server-certificates")["ServerCertificateMetadataList"]) == 1
    named = ("--server-certificate-name", "web")
    assert cli("get-server-certificate", *named)["ServerCertificate"]["CertificateBody"] == GIVEN.body.rstrip()
    cli("delete-server-certificate", *named)
    made = cli("upload-signing-certificate", "--certificate-body", at["signing"])["Certificate"]["CertificateId"]
    cli("update-signing-certificate", "--certificate-id", made, "--status", "Inactive")
    assert [each["Status"] for each in cli("list-signing-certificates")["Certificates"]] == ["Inactive"]
    cli("delete-signing-certificate", "--certificate-id", made)


# Many at once


def test_server_certificates_uploaded_at_once_stay_inside_their_quota(
    root: Person, alice: Person, server: Path, rounds: Rounds
) -> None:
    Account.objects.filter(pk=root.account_id).update(quotas={"ServerCertificatesPerAccount": 3})
    each = clients(alice, 8)
    answers = at_once(
        [lambda iam=iam, n=n: iam.upload_server_certificate(**GIVEN.parameters(f"c{n}")) for n, iam in enumerate(each)]
    )
    assert codes(answers) == {"done": 3, "LimitExceeded": 5}
    assert ServerCertificate.objects.in_account(root.account_id).count() == 3


def test_a_name_is_given_once(root: Person, alice: Person, server: Path) -> None:
    each = clients(alice, 8)
    answers = at_once([lambda iam=iam: iam.upload_server_certificate(**GIVEN.parameters("www")) for iam in each])
    assert codes(answers) == {"done": 1, "EntityAlreadyExists": 7}


def test_signing_certificates_uploaded_at_once_are_two_a_user_and_one_in_the_account(
    root: Person, alice: Person, server: Path
) -> None:
    for name in ("dave", "erin"):
        make_user(root, name)
    each = clients(alice, 8)
    answers = at_once(
        [lambda iam=iam: iam.upload_signing_certificate(UserName="dave", CertificateBody=signing()) for iam in each]
    )
    assert codes(answers) == {"done": 2, "LimitExceeded": 6}
    body = signing()
    answers = at_once(
        [
            lambda iam=iam, name=name: iam.upload_signing_certificate(UserName=name, CertificateBody=body)
            for iam, name in zip(each, ["alice", "erin"] * 4, strict=True)
        ]
    )
    assert codes(answers) == {"done": 1, "DuplicateCertificate": 7}
