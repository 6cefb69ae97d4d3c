"""Service-specific credentials, for Git over HTTPS and services with API keys: issue, list, switch on and off, reset, delete."""

from datetime import timedelta

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from accounts.tags import RESOURCE_TAGS
from credentials.service_credentials import SERVICES, Service, ServiceSpecificCredential
from credentials.targets import service_credential as one
from credentials.targets import user_or_all
from iamconsole.errors import InvalidInput, NoSuchEntity, ValidationError
from iamconsole.operation import Issued, operation
from iamconsole.paging import Page

OF_SERVICE = "iam:ServiceSpecificCredentialServiceName"
AGE = "iam:ServiceSpecificCredentialAgeDays"


@operation(
    "iam:CreateServiceSpecificCredential",
    on=targets.user,
    lock=True,
    issues_secret=True,
    keys=(AGE, OF_SERVICE, *RESOURCE_TAGS),
)
def create_service_specific_credential(
    caller: Caller, *, user: User, service_name: str, credential_age_days: int | None = None
) -> Issued[ServiceSpecificCredential]:
    """Issue a user name and password, or an API key that may expire, to the named user. The secret is shown only here.

    Raises NoSuchEntity for a service that has no such credentials, ValidationError for a password that should expire,
    LimitExceeded when the user holds two of the service, switched off or expired ones among them.
    """
    service = _service(service_name)
    if credential_age_days is not None and not service.key_prefix:
        raise ValidationError(f"CredentialAgeDays is not supported for {service.name}: it has no API keys.")
    held = ServiceSpecificCredential.objects.filter(user=user, service_name=service.name)
    refuse_beyond("ServiceSpecificCredentialsPerUser", user.account, held)
    life = timedelta(days=credential_age_days) if credential_age_days else None
    return Issued(*ServiceSpecificCredential.issue(user, service, life=life))


@operation("iam:ListServiceSpecificCredentials", on=user_or_all, reads=True, keys=RESOURCE_TAGS)
def list_service_specific_credentials(
    caller: Caller,
    *,
    user: User | None,
    service_name: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[ServiceSpecificCredential]:
    """Those of a user or of all users, of one service if one is named, without their secrets."""
    rows = ServiceSpecificCredential.objects.select_related("user").filter(user__account=caller.account_id)
    if user is not None:
        rows = rows.filter(user=user)
    if service_name is not None:
        rows = rows.filter(service_name=_service(service_name).name)
    whose = user.user_id if user else f"all of {caller.account_id}"
    scope = f"ListServiceSpecificCredentials {whose} {service_name}"
    return Page.of(rows, by="id", scope=scope, max_items=max_items, marker=marker)


@operation("iam:UpdateServiceSpecificCredential", on=one, lock=True, sensitive=True, keys=(OF_SERVICE, *RESOURCE_TAGS))
def update_service_specific_credential(
    caller: Caller, *, service_credential: ServiceSpecificCredential, status: str
) -> None:
    """Switch one on or off. Raises NoSuchEntity for one that is not the user's."""
    if status not in ("Active", "Inactive"):
        raise InvalidInput(f"Operation does not support status {status}")
    service_credential.active = status == "Active"
    service_credential.save(update_fields=["active"])


@operation(
    "iam:ResetServiceSpecificCredential", on=one, lock=True, issues_secret=True, keys=(OF_SERVICE, *RESOURCE_TAGS)
)
def reset_service_specific_credential(
    caller: Caller, *, service_credential: ServiceSpecificCredential
) -> Issued[ServiceSpecificCredential]:
    """Put another secret in the place of the one it has, which counts no more. It is shown only here.

    Raises NoSuchEntity for one that is not the user's, InvalidInput for an API key that has expired: a policy may bound how long
    one lives from its making (iam:ServiceSpecificCredentialAgeDays), so a new secret gives it no longer life.
    """
    if service_credential.has_expired:
        raise InvalidInput(
            f"The credential {service_credential} has expired, and a new secret of it would not be accepted. Delete it and create"
            " another."
        )
    return Issued(service_credential, service_credential.reset())


@operation("iam:DeleteServiceSpecificCredential", on=one, lock=True, sensitive=True, keys=(OF_SERVICE, *RESOURCE_TAGS))
def delete_service_specific_credential(caller: Caller, *, service_credential: ServiceSpecificCredential) -> None:
    """Delete one: nothing it proves is accepted any more. Raises NoSuchEntity for one that is not the user's."""
    service_credential.delete()


def _service(service_name: str) -> Service:
    """AWS refuses a service that has none as it recorded answers have it, and not by the model's NotSupportedService."""
    service = SERVICES.get(service_name)
    if service is None:
        raise NoSuchEntity(f"No such service {service_name} is supported for Service Specific Credentials")
    return service
