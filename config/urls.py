"""Every entry point of the site. Only this module imports all of them."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

# Imported because they add panels to the pages.
import accounts.act_words
import accounts.look_up
import accounts.panels
import refunds.act_words
import refunds.look_up
import refunds.panels
import wallets.act_words
import wallets.look_up
import wallets.panels
from accounts import console as cases
from accounts.merchants import merchant_views
from accounts.recovery import portal as recovery
from accounts.reset_notices import notice_page
from accounts.sign_in import portal as sign_in
from refunds import console as claims
from refunds import fraud_portal, voucher_portal
from refunds.applications import portal as refund
from winddown.site import console, first_page, notice_views, portal, set_up_views

CONSOLE = [
    *console.urlpatterns,
    *first_page.urlpatterns,
    *notice_views.urlpatterns,
    *set_up_views.urlpatterns,
    *merchant_views.urlpatterns,
    *cases.attack_urlpatterns,
    *claims.urlpatterns,
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(portal.urlpatterns)),
    path("", include(sign_in.urlpatterns)),
    path("", include((recovery.urlpatterns, recovery.app_name))),
    path("", include((refund.urlpatterns, refund.app_name))),
    path("", include(notice_page.urlpatterns)),
    path("", include(voucher_portal.urlpatterns)),
    path("", include(fraud_portal.urlpatterns)),
    path("language/", require_POST(set_language), name="set_language"),
    path("console/", include((CONSOLE, console.app_name))),
    path("console/", include((cases.urlpatterns, cases.app_name))),
    path("console/", include((cases.staff_urlpatterns, cases.staff_app_name))),
]
