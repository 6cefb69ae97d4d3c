"""gunicorn: a few processes of eight threads. Its own lines go where the product's go."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("LOG_STREAM", "stdout")

from iamconsole import settings

wsgi_app = "iamconsole.wsgi:application"
worker_class = "gthread"
workers = settings.WEB_CONCURRENCY
threads = 8
timeout = 60
graceful_timeout = 20
keepalive = 5
umask = 0o077
control_socket_disable = True  # operators use the service manager
# Who the client is and whether TLS was used is decided by TRUSTED_PROXIES alone, so gunicorn believes nobody.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
limit_request_line = 8190  # presigned requests carry policies in the query
limit_request_fields = 100
limit_request_field_size = 8190
accesslog = None  # the request log has them, without what paths and queries carry
logconfig_dict = settings.LOGGING
