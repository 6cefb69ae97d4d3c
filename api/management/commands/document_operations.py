"""``manage.py document_operations``: write docs/operations.md from the registry and AWS's models."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from api.documentation import operations_page


class Command(BaseCommand):
    """Generate the page of operations."""

    help = "Write docs/operations.md: every operation of IAM and STS, and which of them this release has."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        path = settings.BASE_DIR / "docs" / "operations.md"
        path.write_text(operations_page())
        self.stdout.write(f"{path} is written.")
