"""What people fill in about claims."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from winddown.site.forms import ReasonForm


class HoldForm(ReasonForm):
    """How much of the candidates' wallets is held, and why."""

    extent = forms.ChoiceField(
        label=_("What is held"),
        choices=[
            ("part", _("Suspicious part")),
            ("whole", _("Whole wallets")),
        ],
        initial="part",
    )
