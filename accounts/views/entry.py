"""The way in and out: sign-in, the forced new password, set-up links, sign-out."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import known_browsers, setup_links
from accounts import signin as signing_in
from accounts.forms import NewPasswordForm, RootSignInForm, SetupForm, SignInForm
from accounts.views.second_factor import SecondFactorPage
from credentials.operations.login_profiles import change_password
from credentials.passwords import rules
from iamconsole.errors import InvalidAuthenticationCode, NoSuchEntity, Throttling
from iamconsole.forms import may, submitted
from iamconsole.logs import served

WRONG = "Your sign-in information is incorrect."
REMEMBERED = "account"
MESSAGES = {
    "signed-out": "You are signed out.",
    "ready": "Your password is set. Sign in with it now.",
    "late": "That took too long. Sign in again.",
}


@require_http_methods(["GET", "HEAD", "POST"])
def signin(request: HttpRequest, account: str = "") -> HttpResponse:
    """Sign in as an IAM user, or with ``?as=root`` as a root user."""
    as_root = request.GET.get("as") == "root"
    account = account or request.COOKIES.get(REMEMBERED, "")
    form: RootSignInForm | SignInForm = (
        RootSignInForm(request.POST or None)
        if as_root
        else SignInForm(request.POST or None, initial={"account": account, "remember": bool(account)})
    )
    wait = 0
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data}
        remember = given.pop("remember", False)
        try:
            user = signing_in.check(request, **given)
        except Throttling as fault:
            form.add_error(None, fault.message)
            wait = fault.wait
        else:
            onward = signing_in.begin(request, user, _after(request)) if user else None
            if onward is not None:
                return _remembering(_go_on(request, onward), given["account"] if remember else "")
            form.add_error(None, WRONG)
    other = reverse("signin") + ("" if as_root else "?as=root")
    message = MESSAGES.get(request.GET.get("message", ""), "")
    context = {"form": form, "as_root": as_root, "other_url": other, "message": message}
    return _told_to_wait(render(request, "signin.html", context), wait)


def _told_to_wait(response: HttpResponse, wait: int) -> HttpResponse:
    if wait:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(wait)
    return response


def _go_on(request: HttpRequest, onward: signing_in.Onward | None) -> HttpResponse:
    """To the next step, or in; back to the start when there is nothing to go on with."""
    if onward is None:
        return redirect(f"{reverse('signin')}?message=late")
    response = redirect(onward.to)
    if onward.user is not None:
        known_browsers.remember(request, response, onward.user)
    return response


def _remembering(response: HttpResponse, account: str) -> HttpResponse:
    if account:
        response.set_cookie(
            REMEMBERED, account, max_age=365 * 86400, secure=settings.HTTPS, httponly=True, samesite="Lax"
        )
    return response


def _after(request: HttpRequest) -> str:
    after = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure())
    # A path from the root: `redirect` takes a bare word for the name of a page.
    return after if safe and after.startswith("/") else reverse("admin:index")


@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """The step after the password of who has an MFA device: any one of them, or a recovery code."""
    owed = signing_in.pending(request, "second-factor")
    if owed is None:
        return _go_on(request, None)
    page = SecondFactorPage(request, owed)
    if page.is_preparing:
        return page.prepare()
    wait = 0
    if request.method == "POST" and page.form.is_valid():
        given = page.form.cleaned_data
        try:
            return _go_on(request, signing_in.give_code(request, owed, page.device, *given.values()))
        except InvalidAuthenticationCode as fault:
            page.form.add_error(next(iter(given)), fault.message)
        except Throttling as fault:
            page.form.add_error(None, fault.message)
            wait = fault.wait
    return _told_to_wait(render(request, "second_factor.html", page.context), wait)


@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """The step between password and session, where a new password is demanded."""
    owed = signing_in.pending(request, "new-password")
    if owed is None:
        return _go_on(request, None)
    caller = signing_in.pending_caller(request, owed)
    form = NewPasswordForm(request.POST or None)

    def act(data: dict[str, str]) -> None:
        change_password(caller, old_password=data["old_password"], new_password=data["new_password"])

    if submitted(request, form, act):
        return _go_on(request, signing_in.finish_new_password(request, owed))
    user = owed.user
    context = {"form": form, "rules": rules(user.account, user), "pending": user, "progress": owed.progress}
    context["may"] = may(caller, change_password)
    return render(request, "new_password.html", context)


@require_safe
def password_expired(request: HttpRequest) -> HttpResponse:
    """Where a sign-in ends whose password has expired for good: an administrator must set another."""
    return render(request, "password_expired.html")


@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """The landing page of a set-up link. Opening it spends nothing; sending the form does."""
    try:
        link = setup_links.find(token)
    except NoSuchEntity:
        return _without_referrer(render(request, "setup_invalid.html", status=404))
    form = SetupForm(request.POST or None)
    where = {
        "source_ip": request.META.get("REMOTE_ADDR", ""),
        "user_agent": request.headers.get("User-Agent", ""),
        "request_id": served().request_id,
    }
    if submitted(request, form, lambda data: setup_links.redeem(token, data["new_password"], **where)):
        if link.user.is_root:
            return redirect(f"{reverse('signin')}?as=root&message=ready")
        return redirect(f"{reverse('signin-account', args=[link.user.account.label])}?message=ready")
    user = link.user
    context = {"form": form, "rules": rules(user.account, user), "account": user.account}
    context["who"] = user.email or user.label
    return _without_referrer(render(request, "setup.html", context))


def _without_referrer(response: HttpResponse) -> HttpResponse:
    # The address is the secret, so none of its path is told; no-referrer would make the browser send its form with
    # "Origin: null", which the CSRF check refuses.
    response["Referrer-Policy"] = "strict-origin"
    return response


@require_POST
def signout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    signing_in.sign_out(request)
    response = redirect(f"{reverse('signin')}?message=signed-out")
    response["Clear-Site-Data"] = '"cache"'
    return response
