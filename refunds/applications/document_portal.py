"""The customer's page of documents: which are missing, and a form to send one."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from refunds.applications import document_page, documents
from refunds.applications.claimants import customer_of, of_sure_customer
from refunds.applications.document_acts import CODES
from refunds.models import RefundApplication
from winddown.errors import WinddownError
from winddown.site.fields import EvidenceField
from winddown.site.pages import page, told


class SendForm(forms.Form):
    """One of the documents that are missing, as a file."""

    document = forms.ChoiceField(label=_("Which document"), choices=[])
    file = EvidenceField(
        label=_("File"), help_text=_("A PDF or a photograph (PNG or JPEG), at most 5 MiB.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def send(request: HttpRequest) -> HttpResponse:
    customer = customer_of(request)
    application = RefundApplication.objects.filter(applicant=customer, live=True).last()
    rows = document_page.of_application(application) if application is not None else []
    if application is None or not rows:
        return redirect("refund:start")
    missing = {str(each.pk): each for each in documents.missing(application)}
    form = SendForm(request.POST or None, request.FILES or None)
    chosen = form.fields["document"]
    if not isinstance(chosen, forms.ChoiceField):
        raise AssertionError("the field is a choice")
    chosen.choices = [(number, CODES[each.code]) for number, each in missing.items()]
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            documents.receive(missing[given["document"]], given["file"], actor=customer)
        except WinddownError as refused:
            form.add_error("file", told(refused))
        else:
            return redirect("refund:documents")
    return page(
        request,
        "refunds/portal/documents.html",
        rows=rows,
        form=form if missing else None,
        is_whole=not missing,
    )


urlpatterns = [path("account/refund/documents/", send, name="documents")]
