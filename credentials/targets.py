"""MFA devices and service-specific credentials as what operations are about, and the sessions of temporary credentials."""

from dataclasses import dataclass, replace
from typing import Any

from accounts import arns, targets
from accounts.caller import Caller
from accounts.models import Account, User
from credentials.mfa.models import MFADevice
from credentials.mfa_proof import is_own, refuse_without_second_factor
from credentials.models import AccessKey, LoginProfile
from credentials.service_credentials import ServiceSpecificCredential
from credentials.unused.models import Deactivation
from iamconsole.asked import Resolved, Target
from iamconsole.errors import AccessDenied, NoSuchEntity, ValidationError


def no_such_device(serial_number: str) -> str:
    """AWS's words for a device that is not there."""
    return f"MFA Device with serial number {serial_number} does not exist."


def lock_account(caller: Caller, *, lock: bool) -> Account:
    """The caller's account, locked where its devices are counted or made."""
    accounts = Account.objects.select_for_update(no_key=True) if lock else Account.objects
    return accounts.get(pk=caller.account_id) if lock else caller.account


@dataclass(frozen=True)
class _Device:
    """The account's device of a kind with that serial number, whoever's it is."""

    kind: str
    consumes: frozenset[str] = frozenset({"serial_number"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        serial_number = parameters.pop("serial_number")
        devices = MFADevice.objects.filter(account=caller.account_id, serial_number=serial_number, kind=self.kind)
        if lock:
            devices = devices.select_for_update(no_key=True)
        device = devices.first()
        own = arns.iam(caller.account_id, "")
        return Resolved(
            resource=serial_number if serial_number.startswith(own) else f"{own}mfa/{serial_number}",
            entities={"device": device},
            missing=None if device else NoSuchEntity(no_such_device(serial_number)),
            tags=device.tags if device else (),
        )


@dataclass(frozen=True)
class _Unused:
    """A password or an access key of an IAM user with what is known of its deactivation, decided on the user.

    ``credential`` is None of a password that is deactivated; ``deactivation`` where nothing was announced.
    """

    consumes: frozenset[str] = frozenset({"user_name", "credential_type", "access_key_id"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        kind, key_id = parameters.pop("credential_type"), parameters.pop("access_key_id", "")
        found = targets.user(caller, parameters, lock=lock)
        if found.missing is not None:
            return found
        user: User = found.entities["user"]
        rows = Deactivation.objects.filter(user=user, kind=kind)
        credential: AccessKey | LoginProfile | None
        if kind == Deactivation.Kind.ACCESS_KEY:
            keys = AccessKey.objects.filter(user=user, access_key_id=key_id)
            credential = (keys.select_for_update(no_key=True) if lock else keys).first()
            rows = rows.filter(key=credential)
            missing = f"The Access Key with id {key_id} cannot be found."
        else:
            credential = LoginProfile.objects.filter(user=user).first()
            missing = f"Login Profile for User {user.user_name} cannot be found."
        deactivation = rows.select_related("key", "user").first()
        entities = {**found.entities, "credential": credential, "deactivation": deactivation}
        there = credential is not None or deactivation is not None
        return replace(found, entities=entities, missing=None if there else NoSuchEntity(missing))


@dataclass(frozen=True)
class _NewDevice:
    """A virtual device that is about to be made, decided on the ARN it will have. The account's row is what is locked."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        account = lock_account(caller, lock=lock)
        arn = arns.mfa(account.pk, parameters.get("path", "/"), parameters["virtual_mfa_device_name"])
        return Resolved(arn, {"account": account})


@dataclass(frozen=True)
class _FirstDevice:
    """The caller, who is about to make a first device. The account's row is locked too: its devices are counted."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        lock_account(caller, lock=lock)
        return targets.the_caller(caller, parameters, lock=lock)


@dataclass(frozen=True)
class _DeviceList:
    """The account's virtual devices."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return Resolved(arns.mfa(caller.account_id, "/", ""))


@dataclass(frozen=True)
class _Factors:
    """The user that ``one`` finds, whose factors are about to change.

    Who should have shown a second factor and has not is refused before anything is sent or spent. ``by_codes``: what is the
    own is proved by codes of the device itself.
    """

    one: Target
    by_codes: bool = False

    @property
    def consumes(self) -> frozenset[str]:
        """What names the user."""
        return self.one.consumes

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        found = self.one(caller, parameters, lock=lock)
        user: User | None = found.entities["user"]
        if found.missing is not None or user is None or (self.by_codes and is_own(caller, user)):
            return found
        try:
            refuse_without_second_factor(caller, user)
        except AccessDenied as refusal:
            return replace(found, missing=refusal)
        return found


@dataclass(frozen=True)
class _NewSession:
    """A session of the caller's own. AWS decides it on ``*``."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return Resolved("*", {"user": caller.principal})


@dataclass(frozen=True)
class _ServiceCredential:
    """A service-specific credential of the named user, or of the caller; decided on the user, whose row is what is locked."""

    consumes: frozenset[str] = frozenset({"user_name", "service_specific_credential_id"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        credential_id = parameters.pop("service_specific_credential_id")
        target = targets.user(caller, parameters, lock=lock)
        user: User | None = target.entities["user"]
        credentials = ServiceSpecificCredential.objects.filter(service_specific_credential_id=credential_id)
        found = credentials.filter(user=user).first() if user else None
        if found is not None and user is not None:
            found.user = user
        return replace(
            target,
            entities={"service_credential": found},
            missing=target.missing or (None if found else NoSuchEntity(f"No such credential {credential_id} exists")),
            facts={"service_name": found.service_name} if found else {},
        )


@dataclass(frozen=True)
class _UserOrAll:
    """The user that ``one`` finds, or with ``all_users`` every user of the account, whose ARN then ends in ``*``."""

    one: Target
    consumes: frozenset[str] = frozenset({"user_name", "all_users"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        if not parameters.pop("all_users", False):
            return self.one(caller, parameters, lock=lock)
        if parameters.pop("user_name", None) is not None:
            raise ValidationError("UserName and AllUsers cannot be specified together.")
        return Resolved(arns.user(caller.account_id, "/", "*"), {"user": None})


service_credential = _ServiceCredential()
user_or_all = _UserOrAll(targets.user)
user_root_or_all = _UserOrAll(targets.user_or_root)
virtual_device = _Device("virtual")
hardware_token = _Device("hardware")
new_device = _NewDevice()
first_device = _FirstDevice()
device_list = _DeviceList()
factors = _Factors(targets.user)
factors_or_roots = _Factors(targets.user_or_root)
factors_by_codes = _Factors(targets.user, by_codes=True)
own_factors = _Factors(targets.the_caller)
new_session = _NewSession()
unused = _Unused()
