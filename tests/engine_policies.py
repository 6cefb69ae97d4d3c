"""The engine behind the signature of the naive model, so that the two can be asked the same."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from permissions.engine import Policies, Reason, Request, Source, decide
from permissions.language import Policy, parse


def engine_decide(request: Mapping[str, Any], policies: Mapping[str, Any]) -> tuple[str, str]:
    """The decision and the type of policy that made it."""
    decision = decide(
        Request(
            request["action"],
            request["resource"],
            {key: tuple(values) for key, values in request["context"].items()},
            principal_arn=request["principal_arn"],
            principal_account=request["principal_account"],
            resource_account=request.get("resource_account", ""),
        ),
        Policies(
            identity=tuple(source(document) for document in policies["identity"]),
            boundary=source(policies["boundary"]) if policies.get("boundary") else None,
            resource=source(policies["resource"], resource_based=True) if policies.get("resource") else None,
        ),
    )
    assert decision.reason is not Reason.BUDGET
    return decision.reason.value, decision.policy_type


def source(document: Mapping[str, Any], *, resource_based: bool = False) -> Source:
    """A document as the engine has it."""
    return Source("test", "given", parsed(json.dumps(document), resource_based=resource_based))


@lru_cache(maxsize=4096)
def parsed(document: str, *, resource_based: bool) -> Policy:
    """A document, parsed once."""
    return parse(document, resource_based=resource_based)
