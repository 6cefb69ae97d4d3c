"""What the policies say to many requests at once: to an ARN that ends in ``*``, before what it stands for is chosen.

Pages ask it to show or grey out what they offer. Nothing is decided by it: each request is, by the engine, when it is made.
"""

from collections.abc import Sequence
from dataclasses import replace

from permissions.conditions import Condition, holds
from permissions.engine import BUDGET, Policies, Request, Source, acts, covers, is_understood, names_resource
from permissions.language import Statement
from permissions.wildcard import OverBudgetError, Pattern, Steps, fold


def allows_every(request: Request, policies: Policies) -> bool:
    """Whether the action is allowed on everything the request's resource, an ARN that ends in ``*``, stands for.

    Sure rather than exact: one allow of each type must cover it without exceptions and conditions, and no deny may be about
    the action at all. An entry that covers both the star itself and a long name that nobody has covers every name.
    """
    action = fold(request.action)
    steps = Steps(BUDGET)
    samples = [request, replace(request, resource=request.resource[:-1] + "~" * 60)]
    types = [policies.identity] + ([(policies.boundary,)] if policies.boundary else [])
    try:
        return all(_allows_every(sources, action, samples, steps) for sources in types)
    except OverBudgetError:
        return False


def _allows_every(sources: Sequence[Source], action: str, samples: Sequence[Request], steps: Steps) -> bool:
    statements = [statement for source in sources for statement in source.policy.statements]
    if any(acts(each, action, samples[0], steps) for each in statements if each.effect == "Deny"):
        return False
    return any(
        not each.conditions
        and covers(one_entry, action, samples[0], steps)
        and covers(one_entry, action, samples[1], steps)
        for each in statements
        if each.effect == "Allow"
        for one_entry in (replace(each, resources=(entry,)) for entry in each.resources)
    )


def allows_some(request: Request, policies: Policies, open_keys: Sequence[str]) -> bool:
    """Whether the action may be allowed on something the request's resource, an ARN that may end in ``*``, stands for.

    ``open_keys`` of the context may hold anything yet, those that have parts (``aws:requesttag``) in each part. Generous rather
    than exact: False only if each choice is surely denied.
    """
    action = fold(request.action)
    steps = Steps(BUDGET)
    types = [policies.identity] + ([(policies.boundary,)] if policies.boundary else [])
    try:
        return all(_allows_some(sources, action, request, open_keys, steps) for sources in types)
    except OverBudgetError:
        return False


def _allows_some(
    sources: Sequence[Source], action: str, request: Request, open_keys: Sequence[str], steps: Steps
) -> bool:
    samples = [request, replace(request, resource=request.resource[:-1] + "~" * 60)]
    if not request.resource.endswith("*"):
        samples = [request]

    def is_open(condition: Condition) -> bool:
        keys = {condition.key} | condition.variables
        return any(key == each or key.startswith(f"{each}/") for key in keys for each in open_keys)

    def settled(statement: Statement) -> bool:
        """Whether what the statement asks of the context, as far as that is known, holds."""
        doubt = statement.effect == "Deny"
        return all(
            holds(each, request.context, steps, doubt=doubt) for each in statement.conditions if not is_open(each)
        )

    acting = [
        each
        for source in sources
        for each in source.policy.statements
        if acts(each, action, request, steps) and settled(each)
    ]
    for each in acting:
        always = each.effect == "Deny" and not any(is_open(condition) for condition in each.conditions)
        escapes = _may_meet(each.not_resources, samples) or not all(
            names_resource(each, one, steps, doubt=True) for one in samples
        )
        if always and not escapes:
            return False
    return any(each.effect == "Allow" and is_understood(each) and _may_name(each, samples, steps) for each in acting)


def _may_name(statement: Statement, samples: Sequence[Request], steps: Steps) -> bool:
    """Whether an Allow may be about something that the samples stand for."""
    return _may_meet(statement.resources, samples) or any(
        names_resource(statement, one, steps, doubt=False) for one in samples
    )


def _may_meet(patterns: Sequence[Pattern], samples: Sequence[Request]) -> bool:
    """Whether what is yet to be chosen begins as one of the patterns does; there is nothing to choose for a single sample."""
    beginning = samples[0].resource[:-1]
    return len(samples) > 1 and any(
        each.beginning.startswith(beginning) or beginning.startswith(each.beginning) for each in patterns
    )
