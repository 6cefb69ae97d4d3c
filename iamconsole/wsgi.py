"""The WSGI application that gunicorn serves."""

import logging
import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")
os.environ.setdefault("LOG_STREAM", "stdout")

application = get_wsgi_application()

from django.db import DatabaseError, connection  # noqa: E402 - they need the settings

from accounts.signin import nobodys_password  # noqa: E402 - it needs the apps
from credentials.rotation import WrongKeyRingError, check_ring  # noqa: E402 - it needs the apps

BOOT_FAILED = 3  # gunicorn's WORKER_BOOT_ERROR: it stops, and starts no other worker
log = logging.getLogger("iamconsole")

nobodys_password()
try:
    check_ring()
except WrongKeyRingError as error:
    log.critical("%s", error)
    sys.exit(BOOT_FAILED)
except DatabaseError as error:
    log.warning("the key ring could not be checked, /readyz tells when the database answers: %s", error)
finally:
    connection.close()
