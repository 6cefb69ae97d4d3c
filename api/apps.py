"""The app api."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """AWS API."""

    name = "api"
    verbose_name = "AWS API"
