"""Server certificates: upload, read, list, rename, tag, delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from accounts import arns
from accounts.caller import Caller
from accounts.models import Account
from accounts.quotas import refuse_beyond
from accounts.tags import REQUEST_TAGS, Tag, checked, merged, without
from credentials import certificate_targets as targets
from credentials import certificates
from credentials.certificate_models import ServerCertificate
from credentials.certificates import Uploaded
from iamconsole.errors import EntityAlreadyExists, InvalidInput
from iamconsole.operation import operation
from iamconsole.paging import Page

TAGS = ("aws:ResourceTag",)


def _checking(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check the texts before anything is locked: the arithmetic of a key takes up to a quarter of a second."""
    uploaded = certificates.server_certificate(
        admitted["certificate_body"],
        admitted["private_key"],
        admitted.get("certificate_chain", ""),
        timezone.now(),
    )
    return {"certificate_body": uploaded}


@operation(
    "iam:UploadServerCertificate",
    on=targets.new_server_certificate,
    lock=True,
    sensitive=True,
    before=_checking,
    tags_by="iam:TagServerCertificate",
    keys=(*REQUEST_TAGS, *TAGS),
)
def upload_server_certificate(
    caller: Caller,
    *,
    account: Account,
    server_certificate_name: str,
    certificate_body: Uploaded,
    private_key: str,
    certificate_chain: str = "",
    path: str = "/",
    tags: Sequence[Tag] = (),
) -> ServerCertificate:
    """Keep a certificate with its private key, which is sealed and which no operation of the API returns.

    Raises MalformedCertificate, KeyPairMismatch, EntityAlreadyExists whatever the name's case and path, LimitExceeded.
    """
    uploaded, given = certificate_body, checked(tags, minds_case=True)
    _refuse_taken(account.pk, server_certificate_name)
    refuse_beyond("ServerCertificatesPerAccount", account, ServerCertificate.objects.in_account(account.pk))
    certificate = ServerCertificate(
        account=account,
        server_certificate_id=arns.new_unique_id("ASCA"),
        server_certificate_name=server_certificate_name,
        name_key=server_certificate_name.lower(),
        path=path,
        tags=given,
        certificate_body=uploaded.body,
        certificate_chain=uploaded.chain or None,
        expiration=uploaded.expiration,
    )
    certificate.seal(uploaded.private_key)
    certificate.save(force_insert=True)
    if not given:
        certificate.tags = None  # this answer leaves out what GetServerCertificate's shows empty
    return certificate


@operation("iam:GetServerCertificate", on=targets.server_certificate, reads=True, keys=TAGS)
def get_server_certificate(caller: Caller, *, certificate: ServerCertificate) -> ServerCertificate:
    """A certificate with its chain and tags, without its private key."""
    return certificate


@operation("iam:ListServerCertificates", on=targets.server_certificate_list, reads=True)
def list_server_certificates(
    caller: Caller, *, path_prefix: str = "/", max_items: int | None = None, marker: str | None = None
) -> Page[ServerCertificate]:
    """The account's certificates under a path, by name without regard to case."""
    return Page.of(
        ServerCertificate.objects.in_account(caller.account_id).under(path_prefix).listed(),
        by="name_key",
        scope=f"ListServerCertificates {caller.account_id} {path_prefix}",
        max_items=max_items,
        marker=marker,
    )


@operation("iam:UpdateServerCertificate", on=targets.renamed_server_certificate, lock=True, sensitive=True, keys=TAGS)
def update_server_certificate(
    caller: Caller,
    *,
    certificate: ServerCertificate,
    new_path: str | None = None,
    new_server_certificate_name: str | None = None,
) -> None:
    """Rename or move a certificate, which keeps its id and tags. The permission is wanted on both ARNs.

    Raises EntityAlreadyExists when another certificate has the name, in whatever case.
    """
    if new_server_certificate_name is not None:
        _refuse_taken(certificate.account_id, new_server_certificate_name, but=certificate)
        certificate.server_certificate_name = new_server_certificate_name
        certificate.name_key = new_server_certificate_name.lower()
    if new_path is not None:
        certificate.path = new_path
    certificate.save(update_fields=["server_certificate_name", "name_key", "path"])


@operation("iam:DeleteServerCertificate", on=targets.server_certificate, lock=True, sensitive=True, keys=TAGS)
def delete_server_certificate(caller: Caller, *, certificate: ServerCertificate) -> None:
    """Delete a certificate and its private key. What was exported before stays where it is."""
    certificate.delete()


@operation(
    "iam:TagServerCertificate", on=targets.server_certificate, lock=True, sensitive=True, keys=(*REQUEST_TAGS, *TAGS)
)
def tag_server_certificate(caller: Caller, *, certificate: ServerCertificate, tags: Sequence[Tag]) -> None:
    """Set tags; their keys' case is minded. Raises InvalidInput, LimitExceeded past 50."""
    if not tags:
        raise InvalidInput("The request must name at least one tag.")
    certificate.tags = merged(certificate.tags, tags, minds_case=True)
    certificate.save(update_fields=["tags"])


@operation(
    "iam:UntagServerCertificate", on=targets.server_certificate, lock=True, sensitive=True, keys=("aws:TagKeys", *TAGS)
)
def untag_server_certificate(caller: Caller, *, certificate: ServerCertificate, tag_keys: Sequence[str]) -> None:
    """Remove tags; keys the certificate does not have are passed over."""
    certificate.tags = without(certificate.tags, tag_keys, minds_case=True)
    certificate.save(update_fields=["tags"])


@operation("iam:ListServerCertificateTags", on=targets.server_certificate, reads=True, keys=TAGS)
def list_server_certificate_tags(
    caller: Caller, *, certificate: ServerCertificate, max_items: int | None = None, marker: str | None = None
) -> Page[Tag]:
    """The certificate's tags, by key."""
    return Page.of_values(
        sorted(certificate.tags, key=lambda tag: str(tag["key"])),
        scope=f"ListServerCertificateTags {certificate.server_certificate_id}",
        max_items=max_items,
        marker=marker,
    )


def _refuse_taken(account_id: str, name: str, *, but: ServerCertificate | None = None) -> None:
    """Raise EntityAlreadyExists if another has the name. The account's row is locked."""
    others = ServerCertificate.objects.named(account_id, name)
    if (others.exclude(pk=but.pk) if but else others).exists():
        raise EntityAlreadyExists(f"The Server Certificate with name {name} already exists.")
