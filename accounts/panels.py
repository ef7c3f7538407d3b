"""What accounts add to the pages: the words of their workflows."""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.adapters import ask_again
from winddown import pages, panels, words
from winddown.capabilities import PROVIDERS

pages.ask_again.append(ask_again)

panels.name_subjects("credential_fence", _("Lifting of credential fence"))

words.add_workflow_words(
    steps={
        "remove_passwords": _("Make old passwords unusable"),
        "remove_sessions": _("Remove old sessions"),
        "queue_notices": _("Queue the notices"),
        "suspend_identities": _("Suspend external identities"),
    },
    plan_values={
        ("fence", "customers"): _("customers, not staff"),
        ("notices", "queued"): _("queued, not sent yet"),
    },
    plan_lines={
        "customers": _("Customers"),
        "passwords": _("Passwords that end"),
        "notices": _("Notices to customers"),
        "staff": _("Staff"),
        "told_by_an_earlier_reset": _("Told by an earlier reset"),
        "without_channel": _("Without a verified channel"),
        "only_external_login": _("With external login only"),
        "only_external_login_without_channel": _(
            "With external login only and no verified channel"
        ),
        "fence": _("The fence holds for"),
        "sessions": _("Open sessions"),
        "identities": _("External identities"),
        **{
            f"identities_{provider}": format_lazy(
                _("Identities of {provider}"), provider=words.provider(provider)
            )
            for provider in PROVIDERS
        },
        "identities_suspended_already": _("Identities suspended already"),
    },
)
