"""Ready text for the tools people use an access key with, this server's address filled in."""

from dataclasses import dataclass

from django.conf import settings

REGION = "us-east-1"  # any does; the tools want one


@dataclass(frozen=True)
class Snippet:
    """Text to paste into a terminal or a file."""

    label: str
    text: str


def aws(command: str) -> str:
    """A command of the aws CLI that goes to this server, whatever the reader's profile names: not to Amazon with a secret."""
    return f"aws {command} \\\n  --region {REGION} --endpoint-url {settings.PUBLIC_URL}"


def snippets(access_key_id: str, secret: str) -> list[Snippet]:
    """The key in the forms people paste, with this server's address."""
    url = settings.PUBLIC_URL
    return [
        Snippet(
            "aws configure",
            f"aws configure set aws_access_key_id {access_key_id}\n"
            f"aws configure set aws_secret_access_key {secret}\n"
            f"aws configure set region {REGION}\n"
            f"aws configure set endpoint_url {url}\n"
            "aws sts get-caller-identity",
        ),
        Snippet(
            "Environment",
            f"export AWS_ACCESS_KEY_ID={access_key_id}\n"
            f"export AWS_SECRET_ACCESS_KEY={secret}\n"
            f"export AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}\n"
            f"export AWS_ENDPOINT_URL={url}",
        ),
        Snippet(
            "~/.aws/credentials",
            f"[default]\naws_access_key_id = {access_key_id}\naws_secret_access_key = {secret}\n"
            f"region = {REGION}\nendpoint_url = {url}",
        ),
        Snippet(
            "boto3",
            "import boto3\n\n"
            "session = boto3.Session(\n"
            f'    aws_access_key_id="{access_key_id}",\n'
            f'    aws_secret_access_key="{secret}",\n'
            f'    region_name="{REGION}",\n'
            ")\n"
            f'iam = session.client("iam", endpoint_url="{url}")\n'
            'print(iam.get_user()["User"]["Arn"])',
        ),
    ]
