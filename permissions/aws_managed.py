"""AWS managed policies, as AWS publishes them (aws_managed_policies.json, written by ``manage.py vendor_policy_data``)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from accounts import arns
from permissions.language import LONGEST_DOCUMENT

FILE = Path(__file__).with_name("aws_managed_policies.json")


@dataclass(frozen=True, slots=True)
class AWSManagedPolicy:
    """One of AWS's policies, attachable as all here are, at its default version: 3 for ``v3``; descriptions are not published.

    ``document`` is its text, set out as AWS's console does; its members are in the User Guide's order, as AWS's is not kept.
    """

    policy_name: str
    path: str
    create_date: datetime
    update_date: datetime
    version_number: int
    document: str = field(repr=False)

    @property
    def arn(self) -> str:
        """Its ARN, which has no account."""
        return arns.policy(None, self.path, self.policy_name)

    @property
    def policy_id(self) -> str:
        """A unique id in AWS's form, the same on every server: AWS's own is not published."""
        digest = hashlib.sha256(self.arn.encode()).digest()
        return "ANPA" + base64.b32encode(digest).decode()[:17]


@cache
def catalogue() -> Mapping[str, AWSManagedPolicy]:
    """Every policy of AWS's that this server has, by ARN."""
    policies = [
        AWSManagedPolicy(
            policy_name=name,
            path=policy["path"],
            create_date=datetime.fromisoformat(policy["create_date"]).astimezone(UTC),
            update_date=datetime.fromisoformat(policy["update_date"]).astimezone(UTC),
            version_number=policy["version"],
            document=_text(policy["document"]),
        )
        for name, policy in json.loads(FILE.read_text(encoding="utf-8"))["policies"].items()
    ]
    return {policy.arn: policy for policy in policies}


def _text(document: Any) -> str:
    """The document as a text that the parser takes: ReadOnlyAccess, set out in lines, would be too long."""
    set_out = json.dumps(document, indent=4)
    return set_out if len(set_out) <= LONGEST_DOCUMENT else json.dumps(document, separators=(",", ":"))
