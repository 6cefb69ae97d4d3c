"""AWS's published policies and actions: whole, in AWS's forms, and understood by the engine."""

import json
import re
from pathlib import Path

import pytest

from permissions import actions
from permissions.actions import GLOBAL_KEYS, access_level, is_known, is_known_key, matching, reference_of_iam, services
from permissions.aws_managed import catalogue
from permissions.engine import Policies, Request, Source, decide
from permissions.language import parse, quota_size

POLICIES = list(catalogue().values())
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
    assert all(key.startswith("aws:") for key in GLOBAL_KEYS)


def test_iam_is_there_in_full() -> None:
    assert reference_of_iam()["AttachUserPolicy"] == {
        "resources": ["user"],
        "keys": ["iam:PermissionsBoundary", "iam:PolicyARN"],
        "resource_keys": ["aws:ResourceTag", "iam:ResourceTag"],
    }
