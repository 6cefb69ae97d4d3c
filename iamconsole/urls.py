"""Every address of the server."""

from django.urls import path

from accounts.views import enrolment, entry
from api.ssh import authorized_keys, login_names
from api.verifier import authorize
from api.views import bad_request, endpoint
from iamconsole import pages
from iamconsole.site import console

urlpatterns = [
    path("", endpoint, name="api"),
    path("authorize", authorize, name="authorize"),
    path("ssh/authorized-keys", authorized_keys, name="ssh-authorized-keys"),
    path("ssh/login-names", login_names, name="ssh-login-names"),
    path("console/", console.urls),
    path("signin/", entry.signin, name="signin"),
    path("signin/<str:account>/", entry.signin, name="signin-account"),
    path("second-factor/", entry.second_factor, name="second-factor"),
    path("new-password/", entry.new_password, name="new-password"),
    path("mfa-enrolment/", enrolment.page, name="mfa-enrolment"),
    path("password-expired/", entry.password_expired, name="password-expired"),
    path("setup/<str:token>/", entry.setup, name="setup"),
    path("signout/", entry.signout, name="signout"),
    path("theme/", pages.theme, name="theme"),
    path("help/", pages.help_page, name="help"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
]
handler400 = bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.server_error
