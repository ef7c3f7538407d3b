"""The page with which somebody at the server begins the programme of an empty database."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from winddown import texts, words
from winddown.errors import WinddownError
from winddown.set_up import beginning, page_code, reading
from winddown.set_up.sections import Rows
from winddown.set_up.writing import example
from winddown.site.pages import page

REASON = "the programme begins"


class FirstForm(forms.Form):
    """The code of the terminal, and the set-up file as text or as a file. An uploaded file is read
    in its bytes, so that one in another encoding is refused.
    """

    def __init__(self, *args: Any, uploaded: bytes = b"", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._uploaded = uploaded

    code = forms.CharField(
        label=_("Set-up code"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(label=_("Set-up file to upload"), required=False)
    content = forms.CharField(
        label=_("Set-up file (TOML)"),
        max_length=reading.BYTES_MAX,
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 24, "spellcheck": "false", "autocapitalize": "off", "class": "code"}
        ),
    )

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not page_code.opens(code):
            raise forms.ValidationError(words.refusal(page_code.CodeRefused()))
        return code

    def clean_content(self) -> Rows:
        """Returns the rows of the file, if it is in order. Nobody without a code makes the server
        read one.
        """
        if "code" not in self.cleaned_data:
            return {}
        try:
            return reading.read(self._uploaded or self.cleaned_data["content"].encode())
        except reading.NotUnderstood as refusal:
            raise forms.ValidationError([str(each) for each in refusal.problems]) from refusal


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """There is such a page only while the database has no programme."""
    if beginning.has_begun():
        raise Http404
    form = _form(request)
    said: list[str] = []
    if form.is_valid():
        given = form.cleaned_data
        try:
            said = page_code.begin(given["content"], code=given["code"], reason=REASON)
        except reading.NotUnderstood as refusal:
            for problem in refusal.problems:
                form.add_error("content", str(problem))
        except page_code.CodeRefused as refusal:
            form.add_error("code", words.refusal(refusal))
        except WinddownError as refusal:
            form.add_error(None, words.refusal(refusal))
    if said:
        return page(request, "winddown/first_links.html", said=said)
    return page(request, "winddown/first.html", form=form)


def _form(request: HttpRequest) -> FirstForm:
    """Returns the form with what was sent. An uploaded file takes the place of the typed text, so
    that the page shows it when something in it is wrong.
    """
    if request.method != "POST":
        return FirstForm(initial={"content": example()})
    given: Any = request.POST.copy()
    uploaded = request.FILES.get("file")
    # One byte more shows that the file is too large.
    content = uploaded.read(reading.BYTES_MAX + 1) if uploaded is not None else b""
    if uploaded is not None:
        given["content"] = texts.storable(content.decode(errors="replace"))
    return FirstForm(given, request.FILES, uploaded=content)


urlpatterns = [path("begin/", begin, name="begin")]
