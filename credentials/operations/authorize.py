"""What other services ask: who signed this request, and whether they may do this action on this resource."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from accounts import targets
from accounts.caller import Caller, plain_address
from accounts.models import Account
from api import sigv4
from api.canonical import SignedRequest
from credentials import service_access
from credentials.access_keys import Signer, active_key, note_use, owner_of_ssh_key, signer_of
from credentials.last_access import note_access
from iamconsole.errors import InvalidInput, ValidationError
from iamconsole.operation import operation
from permissions import actions, language, resources
from permissions.engine import Decision, Reason
from permissions.wildcard import fold

# Of AWS's own context keys, those that the asking service knows and this one does not. All others are this one's to say.
ASKERS_KEYS = frozenset(
    {
        *("aws:referer", "aws:requestedregion", "aws:securetransport", "aws:sourceip", "aws:sourcevpc"),
        *("aws:sourcevpce", "aws:tagkeys", "aws:useragent", "aws:vpcsourceip"),
    }
)
ADDRESSES = frozenset({"aws:sourceip", "aws:vpcsourceip"})
OTHERS = 2  # ways to name the signer besides the one that is used
ASKERS_PREFIXES = ("aws:requesttag/", "aws:resourcetag/")


@dataclass(frozen=True)
class Authorization:
    """The answer. ``content_sha256`` is what the signature says of the body; there is none where no signature was checked.

    The principal's ``access_key_id`` is that of what proved who it is: an access key, or a service-specific credential.
    """

    decision: str
    allowed: bool
    reason: str
    principal: Mapping[str, str | None]
    policy_type: str | None
    policy: Mapping[str, str] | None
    statement: Mapping[str, Any] | None
    content_sha256: str | None


@operation("iamconsole:Authorize", on=targets.everything, reads=True)
def authorize(
    caller: Caller,
    *,
    account: Account,
    signer: Mapping[str, Any],
    action_name: str,
    resource_arn: str,
    context: Sequence[Mapping[str, Any]] = (),
    resource_policy: str | None = None,
) -> Authorization:
    """Who signed a request, and may they do this? Asked by a service of the same account, of its signed request or of a key.

    A service that gives no request has verified the signature itself. In the place of a signature a request for an action of a
    service that has service-specific credentials may have one of those. A resource whose ARN names another account is that
    account's, and wants a resource-based policy too. Raises the faults of checking a signature, a key of
    another account being InvalidClientTokenId like one that never was; InvalidInput for a context key that is not the
    service's to say; MalformedPolicyDocument for a resource-based policy that cannot be understood.
    """
    keys = _context(context)
    policy = None if resource_policy is None else language.parse(resource_policy, resource_based=True)
    now = datetime.now(UTC)
    address = next(iter(keys.get("aws:sourceip", ())), "")
    signed_by, content_sha256, region = _signer(signer, account, action_name, now, address)
    tracked = actions.access_level(action_name) is not None
    note_access(signed_by.user, now, action=action_name, tracked=tracked, region=region)
    asked_for = Caller.who_signed(signed_by, door="verifier", time=now, request_id=caller.request_id)
    owner = resources.owner(resource_arn)
    decision = asked_for.decide(action_name, resource_arn, keys, resource_owner=owner, resource_policy=policy)
    told = decision.told
    return Authorization(
        decision=_word(decision),
        allowed=decision.allowed,
        reason=_reason(decision, asked_for, action_name, resource_arn),
        principal={
            "arn": asked_for.arn,
            "user_id": signed_by.user.user_id,
            "user_name": signed_by.user.user_name,
            "account": signed_by.user.account_id,
            "access_key_id": signed_by.access_key_id or None,
            "ssh_public_key_id": signer.get("ssh_public_key_id"),
        },
        policy_type=None if decision.reason is Reason.ROOT else told["policy_type"],
        policy=told.get("policy"),
        statement=told.get("statement"),
        content_sha256=content_sha256,
    )


def _signer(
    signer: Mapping[str, Any], account: Account, action: str, now: datetime, address: str
) -> tuple[Signer, str | None, str]:
    """The signer, what the signature says of the body, and its region."""
    address = plain_address(address) or ""
    request: Mapping[str, Any] | None = signer.get("request")
    access_key_id: str | None = signer.get("access_key_id")
    ssh_public_key_id: str | None = signer.get("ssh_public_key_id")
    if [request, access_key_id, ssh_public_key_id].count(None) != OTHERS:
        raise ValidationError(
            "The signer is given by a request, by an access key id or by an SSH public key id, one of the three."
        )
    if ssh_public_key_id is not None:
        return Signer(owner_of_ssh_key(ssh_public_key_id, account), None), None, ""
    if request is None:
        key = active_key(access_key_id or "", now, account_id=account.pk)
        note_use(key, now, service=action.partition(":")[0], region="", address=address)
        return Signer(key.user, key), None, ""
    shown = service_access.claim_of(request["headers"], action)
    if shown is not None:
        return service_access.signer_of(shown, now, account_id=account.pk, address=address), None, ""
    signed = signed_request(request)
    skew = timedelta(seconds=settings.SIGNATURE_SKEW_SECONDS)
    claim = sigv4.read_claim(signed, now=now, services=None, skew=skew)
    found = signer_of(claim, signed, now, account_id=account.pk)
    if found.key is not None and found.session is None:
        note_use(found.key, now, service=claim.service, region=claim.region, address=address)
    return found, sigv4.payload_hash(claim, signed), claim.region


def signed_request(request: Mapping[str, Any]) -> SignedRequest:
    """A request as the asking service tells of it, in the members of the service model's SignedRequest."""
    headers = [(header["name"], header["value"]) for header in request["headers"]]
    return SignedRequest.told(request["method"], request["uri"], headers, body_sha256=request.get("body_sha256"))


def _context(given: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[str]]:
    """The asking service's context keys, in lower case. What says who the signer is cannot be among them."""
    keys: dict[str, Sequence[str]] = {}
    for entry in given:
        key = fold(entry["key"])
        if key in keys:
            raise InvalidInput(f"The context key {entry['key']} is given more than once.")
        if key.startswith("aws:") and key not in ASKERS_KEYS and not key.startswith(ASKERS_PREFIXES):
            raise InvalidInput(f"The context key {entry['key']} is not the asking service's to say.")
        keys[key] = (
            [plain_address(value) or value for value in entry["values"]] if key in ADDRESSES else entry["values"]
        )
    return keys


def _word(decision: Decision) -> str:
    """The decision in the words of AWS's simulator, which has three."""
    if decision.allowed:
        return "allowed"
    return "explicitDeny" if decision.reason is Reason.EXPLICIT_DENY else "implicitDeny"


def _reason(decision: Decision, caller: Caller, action: str, resource: str) -> str:
    who = f"User: {caller.arn} is"
    if not decision.allowed:
        return f"{who} not authorized to perform: {action} on resource: {resource} {decision.explanation}"
    if decision.source is None:
        return f"{who} the root user, who may do everything in the account"
    return f"{who} allowed to perform: {action} on resource: {resource} by the policy {decision.source.name}"
