"""Every setting, read once from the environment, from ``*_FILE`` secrets and from ``.env`` (see .env.example)."""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from credentials.sealing import KeyRing
from iamconsole import configuration

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
if (BASE_DIR / ".env").exists():
    env.read_env(str(BASE_DIR / ".env"))


def _setting(read: Any, name: str, **options: Any) -> Any:
    """Read one variable; a value of the wrong form stops the start with a sentence that names it."""
    try:
        return read(name, **options)
    except (ValueError, OSError) as error:
        raise ImproperlyConfigured(f"{name} cannot be read: {error}.") from error


def _number(name: str, *, default: int, least: int, most: int) -> int:
    """Read one whole number; one out of its range stops the start too."""
    value: int = _setting(env.int, name, default=default)
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}; it is {value}.")
    return value


# Where it stands
DATA = configuration.data_folder(Path(_setting(env.str, "IAMCONSOLE_DATA", default=str(BASE_DIR / "data"))))
PUBLIC_URL = configuration.public_url(_setting(env.str, "PUBLIC_URL", default="http://localhost:8000"))
GIT_URL = configuration.git_url(_setting(env.str, "GIT_URL", default=""))
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = configuration.allowed_hosts(_setting(env.list, "ALLOWED_HOSTS", default=[]), PUBLIC_URL)
TRUSTED_PROXIES = configuration.networks(_setting(env.list, "TRUSTED_PROXIES", default=[]), "TRUSTED_PROXIES")
DEBUG = False
ROOT_URLCONF = "iamconsole.urls"
WSGI_APPLICATION = "iamconsole.wsgi.application"

# The database: SQLite in the data folder, or what DATABASE_URL names
DATABASE_URL = _setting(env.str, "DATABASE_URL", default="")
EMBEDDED = not DATABASE_URL
_database: dict[str, Any] = (
    {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA / "iamconsole.sqlite3")}
    if EMBEDDED
    else dict(_setting(env.db_url, "DATABASE_URL"))
)
if _database["ENGINE"].endswith("sqlite3"):
    _database["CONN_MAX_AGE"] = None  # a full disk then still lets an open connection read
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
elif _database["ENGINE"].endswith("postgresql"):
    _database["CONN_MAX_AGE"] = 0  # the pool keeps the connections
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": _number("DATABASE_POOL_SIZE", default=16, least=1, most=1000),
            "timeout": 5,
        },
    }
else:
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL or SQLite database: postgres://user:pw@host/name.")
DATABASES = {"default": {**_database, "ATOMIC_REQUESTS": False}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# Secrets: the embedded mode makes its own; elsewhere a missing one stops the start
def _secret(name: str, file: str, make: Any, *, sealed: Path | None = None) -> str:
    value = str(_setting(env.str, name, default=""))
    if not value and EMBEDDED:
        return configuration.embedded_secret(DATA / file, make, sealed=sealed)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: with DATABASE_URL set, {name} or {name}_FILE must be set too.")
    return value


SECRET_KEY = _secret("SECRET_KEY", "secret_key", get_random_secret_key)
SECRET_KEY_FALLBACKS = _setting(env.list, "SECRET_KEY_FALLBACKS", default=[])
SHORTEST_SECRET_KEY = 50
if len(SECRET_KEY) < SHORTEST_SECRET_KEY:
    raise ImproperlyConfigured(
        f"SECRET_KEY must have {SHORTEST_SECRET_KEY} characters or more:"
        " python3 -c 'import secrets; print(secrets.token_urlsafe(48))'."
    )
try:
    KEY_RING = KeyRing.parse(
        _secret("ENCRYPTION_KEYS", "encryption_keys", KeyRing.generate, sealed=DATA / "iamconsole.sqlite3")
    )
except ValueError as error:
    raise ImproperlyConfigured(f"ENCRYPTION_KEYS {error}.") from error

# The file of the embedded mode's own ring, which `rotate_encryption_key` writes; None where the operator keeps the ring.
KEY_FILE = DATA / "encryption_keys" if EMBEDDED and not _setting(env.str, "ENCRYPTION_KEYS", default="") else None

# The house
INSTALLED_APPS = [
    "accounts",
    "credentials",
    "permissions",
    "audit",
    "api",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_otp",
    "django_tasks",
    "django_tasks_db",
]
MIDDLEWARE = [
    "iamconsole.middleware.request_log",
    "iamconsole.middleware.trusted_proxy",
    "iamconsole.middleware.headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "iamconsole.middleware.plain_http_on_loopback_only",
    "iamconsole.middleware.small_forms",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "iamconsole.middleware.commands",
    "iamconsole.middleware.Faults",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "iamconsole.frame.frame",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Who comes in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.signin.Backend"]
PASSWORD_HASHERS = ["credentials.hashers.Argon2id"]
LOGIN_URL = "signin"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
CSRF_FAILURE_VIEW = "iamconsole.pages.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SIGNATURE_SKEW_SECONDS = _number("SIGNATURE_SKEW_SECONDS", default=15 * 60, least=1, most=24 * 60 * 60)
SMS_URL = configuration.sms_url(_setting(env.str, "SMS_URL", default=""))
SSH_LOGIN_NAMES = configuration.ssh_login_names(_setting(env.list, "SSH_LOGIN_NAMES", default=["git"]))
SSH_KEY_OPTIONS = configuration.ssh_key_options(_setting(env.list, "SSH_KEY_OPTIONS", default=[]))
CREDENTIAL_REPORT_DAYS = _number("CREDENTIAL_REPORT_DAYS", default=90, least=1, most=3650)
# The nightly run: credentials unused for so long are announced, after the notice deactivated, and later deleted; 0 is never
UNUSED_CREDENTIAL_DAYS = _number("UNUSED_CREDENTIAL_DAYS", default=90, least=1, most=3650)
UNUSED_CREDENTIAL_NOTICE_DAYS = _number("UNUSED_CREDENTIAL_NOTICE_DAYS", default=7, least=1, most=365)
UNUSED_CREDENTIAL_DELETE_AFTER_DAYS = _number("UNUSED_CREDENTIAL_DELETE_AFTER_DAYS", default=30, least=0, most=3650)
SETUP_LINK_DAYS = _number("SETUP_LINK_DAYS", default=7, least=1, most=365)
# How many days the trail is kept by `manage.py prune_audit`; 0 is for ever
TRAIL_RETENTION_DAYS = _number("TRAIL_RETENTION_DAYS", default=0, least=0, most=36_500)

# How much of the API one access key, and one address with signatures that fail, may use in each server process
API_REQUESTS_PER_SECOND = _number("API_REQUESTS_PER_SECOND", default=200, least=1, most=1_000_000)
API_FAILURES_PER_MINUTE = _number("API_FAILURES_PER_MINUTE", default=600, least=1, most=1_000_000)

# How many processes of gunicorn serve
WEB_CONCURRENCY = _number("WEB_CONCURRENCY", default=min(2, os.cpu_count() or 1), least=1, most=1000)

# What takes long is done by ``manage.py worker``, which finds it in the database
JOB_LEASE_SECONDS = _number("JOB_LEASE_SECONDS", default=60, least=1, most=3600)
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

# What leaves
SECURE_SSL_REDIRECT = (
    False  # plain HTTP is refused, not redirected: a redirect would hide a client that sends secrets in the clear
)
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # SECURE_SSL_REDIRECT, above

# What comes in: AWS's largest parameter is a 2 MiB certificate chain, form-encoded
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# Words, times, static files
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Log lines: stdout when serving, stderr under manage.py, whose stdout is for results
LOG_FORMAT = _setting(env.str, "LOG_FORMAT", default="text")
if LOG_FORMAT not in ("text", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT must be text or json; it is {LOG_FORMAT!r}.")
LOG_STREAM = _setting(env.str, "LOG_STREAM", default="stderr")
if LOG_STREAM not in ("stdout", "stderr"):
    raise ImproperlyConfigured(f"LOG_STREAM must be stdout or stderr; it is {LOG_STREAM!r}.")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "iamconsole.logs.JSONLine" if LOG_FORMAT == "json" else "iamconsole.logs.TextLine"}},
    "handlers": {
        "stream": {"class": "logging.StreamHandler", "stream": f"ext://sys.{LOG_STREAM}", "formatter": "line"}
    },
    "root": {"handlers": ["stream"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},  # our own request log has the rest
        "django.security.csrf": {"level": "ERROR"},
        "django.server": {"level": "ERROR"},
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
    },
}
