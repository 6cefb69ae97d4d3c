"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")
os.environ.setdefault("LOG_STREAM", "stdout")

application = get_wsgi_application()

from accounts.signin import nobodys_password  # noqa: E402 - it needs the apps

nobodys_password()
