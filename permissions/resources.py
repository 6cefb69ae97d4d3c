"""The entries of Resource and NotResource: what AWS says of those that are no ARNs, and how the others match."""

from typing import Final

from permissions.wildcard import Pattern, split, split_with_variables, variables_are_sound

COLONS: Final = 5  # in arn:partition:service:region:account:resource, whose last field may hold more
PARTITIONS: Final = frozenset({"aws", "aws-cn", "aws-us-gov", "*"})
IAM_PATHS: Final = (
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/"),
    *("sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
)

LEGACY: Final = "The policy failed legacy parsing"
FULL_VENDOR: Final = "Resource vendor must be fully qualified and cannot contain regexes."
IAM_PATH: Final = f'IAM resource path must either be "*", root, or start with {", ".join(IAM_PATHS)}.'


def fault(resource: str, *, variables: bool) -> str | None:
    """AWS's message for a resource that is neither ``*`` nor an ARN, whose last fields may be missing."""
    if resource == "*":
        return None
    if ":" not in resource:
        return f'Resource {resource} must be in ARN format or "*".'
    arn, *given = resource.split(":", COLONS)
    if (arn == "arn" and "::" in resource and len(given) < COLONS) or (variables and _has_bad_variable(resource)):
        return LEGACY
    partition, service, region, account, name = given + ["*"] * (COLONS - len(given))
    if partition not in PARTITIONS:
        completed = f"arn:{partition}:{service}:{region}:{account}:{name}"
        return f'Partition "{partition}" is not valid for resource "{completed}".'
    if arn != "arn":
        return f'Resource {resource} must be in ARN format or "*".'
    return _service_fault(resource, service, region, account, name)


def _service_fault(resource: str, service: str, region: str, account: str, name: str) -> str | None:
    """AWS's message for a resource whose service is not named in full, or is iam or s3 and breaks their own rules.

    S3's buckets have neither a region nor an account, its other resources have both.
    """
    if not service:
        return LEGACY
    if "*" in service or "?" in service:
        return FULL_VENDOR
    names_region = region not in ("", "*")
    if service == "iam" and names_region:
        return f"IAM resource {resource} cannot contain region information."
    if service == "iam" and name not in ("*", "root") and not name.startswith(IAM_PATHS):
        return IAM_PATH
    if service == "s3" and names_region and not account:
        return f"Resource {resource} can not contain region information."
    return None


def _has_bad_variable(resource: str) -> bool:
    """Whether a variable is not well formed, or stands before the fifth colon, where AWS allows none."""
    first = resource.find("${")
    return first >= 0 and (resource.count(":", 0, first) < COLONS or not variables_are_sound(resource))


def owner(arn: str) -> str:
    """The account whose a resource is by its own name; empty where an ARN names none, as S3's do, and for what is no ARN."""
    prefix, *fields = arn.split(":", COLONS)
    account = fields[3] if prefix == "arn" and len(fields) == COLONS else ""
    return account if account.isascii() and account.isdecimal() else ""


def pattern(resource: str, *, variables: bool) -> Pattern:
    """Make an entry ready to match. AWS completes an ARN of fewer than six fields with ``*`` (IAM User Guide, IAM ARNs)."""
    completed = resource if resource == "*" else resource + ":*" * (COLONS - resource.count(":"))
    if not variables:
        return Pattern(resource, split(completed))
    return Pattern(resource, *split_with_variables(completed))
