"""Faults: the only exceptions an operation raises on purpose.

A fault's class name is AWS's error code and its ``status`` AWS's HTTP status (the service models of IAM and STS,
and the common errors of the Query protocol). Three edges render it: the AWS error envelope, a page or form error,
and a ``CommandError``. Anything else that reaches an edge is a bug and is answered as ``InternalFailure``.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class Fault(Exception):
    """Something the caller can understand and act on: a code, an HTTP status and a sentence."""

    status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def code(self) -> str:
        """AWS's error code."""
        return type(self).__name__


class InvalidInput(Fault):
    """A value is well-formed and still not acceptable. ``parameter`` is the one that it is of, where that is one alone."""

    def __init__(self, message: str, *, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter


class ValidationError(Fault):
    """A parameter breaks a constraint of AWS's service model."""


class MalformedInput(Fault):
    """A parameter is not of its type at all."""


class MalformedPolicyDocument(Fault):
    """A policy document does not follow the policy grammar."""


class MalformedCertificate(Fault):
    """A certificate, its chain or its private key cannot be read, or is not fit to be used."""


class InvalidCertificate(Fault):
    """A signing certificate is readable and still not acceptable."""


class KeyPairMismatch(Fault):
    """A private key is not that of the certificate."""


class PasswordPolicyViolation(Fault):
    """A new password breaks the account's password policy. ``broken`` names each rule it breaks, for people to read."""

    def __init__(self, broken: list[str]) -> None:
        super().__init__("Password does not conform to the account password policy.")
        self.broken = broken


class InvalidLookupAttributesException(Fault):
    """CloudTrail: an attribute that nothing can be looked up by."""


class InvalidTimeRangeException(Fault):
    """CloudTrail: a range of times that ends before it begins."""


class InvalidNextTokenException(Fault):
    """CloudTrail: a token that is not one of this server's for the same question."""


class InvalidPublicKey(Fault):
    """An SSH public key is of a kind that is taken, and its numbers are not: too short, too long, or no key at all."""


class UnrecognizedPublicKeyEncoding(Fault):
    """What was uploaded is no SSH public key, or a key cannot be told in the encoding that is asked for."""


class DuplicateSSHPublicKey(Fault):
    """The user has this SSH public key already."""


class InvalidUserType(Fault):
    """The operation is not for this kind of user, as ChangePassword is not for the root user."""


class InvalidAction(Fault):
    """No such operation, or one this release does not have."""


class Throttling(Fault):
    """Too many requests. Nothing was looked at; try again in ``wait`` seconds, or in a moment, as SDKs do by themselves."""

    def __init__(self, message: str, *, wait: int = 0) -> None:
        super().__init__(message)
        self.wait = wait


class MissingAction(Fault):
    """The request names no operation."""


class IncompleteSignature(Fault):
    """The request's signature cannot be read."""


class AccessDenied(Fault):
    """No policy allows the action, or one denies it. ``decision`` says which, fit for JSON, where policies decided.

    The id of that decision's line in the trail is told to whoever is refused: an administrator finds the reason by it.
    """

    status = 403

    def __init__(self, message: str, *, decision: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.decision = dict(decision or {})
        self.decision_id = ""

    def recorded(self, decision_id: str) -> None:
        """Take the id of the trail's line into the message."""
        self.decision_id = decision_id
        self.message += f" (decision id: {decision_id})"


class InvalidAuthenticationCode(Fault):
    """The codes of an MFA device are wrong, used, or not two in a row."""

    status = 403


class MissingAuthenticationToken(Fault):
    """The request is not signed."""

    status = 403


class InvalidClientTokenId(Fault):
    """The access key does not exist or is not active."""

    status = 403


class InvalidServiceToken(Fault):
    """A service asks with a token that is missing, unknown or expired. Not an AWS code: AWS has no such tokens."""

    status = 403


class ExpiredToken(Fault):
    """The session of a session token is over."""

    status = 403


class SignatureDoesNotMatch(Fault):
    """The signature is wrong, or its date or scope is."""

    status = 403


class NoSuchEntity(Fault):
    """What the request names does not exist in the caller's account."""

    status = 404


class ReportNotPresent(Fault):
    """There is no credential report."""

    status = 410


class ReportInProgress(Fault):
    """The credential report is still being built."""

    status = 404


class ReportExpired(Fault):
    """The credential report is older than four hours."""

    status = 410


class EntityAlreadyExists(Fault):
    """The name is taken."""

    status = 409


class DuplicateCertificate(Fault):
    """The signing certificate is a user's of the account already."""

    status = 409


class DeleteConflict(Fault):
    """Something still hangs on what should be deleted."""

    status = 409


class ConcurrentModification(Fault):
    """Another request changed the same thing at the same time. Nothing was changed by this one."""

    status = 409


class LimitExceeded(Fault):
    """A quota is reached."""

    status = 409


class AlreadyShown(Fault):
    """A one-time secret was asked for twice with the same form. Not an AWS code: only the console has such forms."""

    status = 409


class SudoRequired(Fault):
    """A sensitive change in the console needs a fresh proof of who asks. Not an AWS code: only the console has sessions.

    ``secrets`` names the fields of its form that are not to be kept while that is asked.
    """

    status = 403
    secrets: frozenset[str] = frozenset()


class RequestEntityTooLarge(Fault):
    """The request's body is larger than the server reads."""

    status = 413


class ServiceUnavailable(Fault):
    """The server cannot do this now, and nothing was changed."""

    status = 503


class InternalFailure(Fault):
    """A bug. The answer carries a request id and no detail."""

    status = 500
