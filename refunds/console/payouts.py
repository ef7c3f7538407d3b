"""The console's pages of payout batches and of the breaks that the bank's answers left."""

from __future__ import annotations

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.models import PayoutBatch
from refunds.payouts import (
    answer_page,
    bank_day_page,
    match_page,
    payout_batches,
    payout_page,
    recall_acts,
    trace_acts,
    wave_acts,
)
from refunds.payouts import unpaid as unpaid_lists
from refunds.payouts.answer_acts import ANSWERS, is_sha256
from refunds.payouts.bank_day_page import BANK_DAYS
from refunds.payouts.methods import voucher_page
from refunds.payouts.payout_acts import BATCHES, BREAKS, EXPORT
from winddown.site import acts
from winddown.site.doors import DOORS, Door
from winddown.site.pages import act_page, actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def payouts(request: HttpRequest) -> HttpResponse:
    seen = payout_page.batches()
    return page(request, "refunds/payouts.html", seen=seen)


@require_safe
@staff_page
def payout(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(PayoutBatch.objects.select_related("maker", "rejection"), pk=number)
    return page(
        request, "refunds/payout.html", seen=payout_page.batch(found, actor=actor_of(request))
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def payout_act(request: HttpRequest, verb: str) -> HttpResponse:
    export = replace(EXPORT, do=lambda actor, given: _file(EXPORT.do(actor, given)))
    known = {"export": export, **BATCHES}
    return verb_page(request, verb, known, back="console:payouts", crumb=_("Payout batches"))


@require_safe
@staff_page
def recalls(request: HttpRequest) -> HttpResponse:
    seen = recall_acts.look(actor=actor_of(request))
    return page(request, "refunds/recalls.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def recall_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, recall_acts.RECALLS, back="console:recalls", crumb=_("Recalls"))


@require_safe
@staff_page
def vouchers(request: HttpRequest) -> HttpResponse:
    seen = voucher_page.look(request.GET.dict(), actor=actor_of(request))
    return page(request, "refunds/vouchers.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def voucher_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(
        request,
        verb,
        voucher_page.VOUCHERS,
        back="console:vouchers",
        crumb=_("Postal orders and claim codes"),
    )


@require_safe
@staff_page
def traces(request: HttpRequest) -> HttpResponse:
    seen = trace_acts.look(actor=actor_of(request))
    return page(request, "refunds/traces.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def trace_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(
        request, verb, trace_acts.TRACES, back="console:traces", crumb=_("Did it arrive?")
    )


@require_safe
@staff_page
def unpaid(request: HttpRequest) -> HttpResponse:
    return page(request, "refunds/unpaid.html", seen=unpaid_lists.look())


@require_safe
@staff_page
def unpaid_file(request: HttpRequest, name: str) -> HttpResponse:
    if name not in unpaid_lists.TITLES:
        raise Http404
    text = unpaid_lists.as_csv(name, query=request.path, actor=actor_of(request))
    # Spreadsheets recognise UTF-8 by its mark.
    answer = HttpResponse(text.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


@require_safe
@staff_page
def waves(request: HttpRequest) -> HttpResponse:
    seen = wave_acts.look(actor=actor_of(request))
    return page(request, "refunds/waves.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def wave_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, wave_acts.WAVES, back="console:waves", crumb=_("Payout waves"))


@require_safe
@staff_page
def breaks(request: HttpRequest) -> HttpResponse:
    seen = payout_page.breaks(actor=actor_of(request))
    return page(request, "refunds/breaks.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def break_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, BREAKS, back="console:breaks", crumb=_("Breaks"))


@require_safe
@staff_page
def matching(request: HttpRequest) -> HttpResponse:
    seen = match_page.look(request.GET, actor=actor_of(request))
    return page(request, "refunds/matching.html", seen=seen)


@require_safe
@staff_page
def bank_answers(request: HttpRequest) -> HttpResponse:
    seen = answer_page.answers(actor=actor_of(request))
    return page(request, "refunds/bank_answers.html", seen=seen)


@require_safe
@staff_page
def bank_answer(request: HttpRequest, sha256: str) -> HttpResponse:
    seen = answer_page.answer(sha256, actor=actor_of(request))
    if seen is None:
        raise Http404
    return page(request, "refunds/bank_answer.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def bank_answer_act(request: HttpRequest, verb: str) -> HttpResponse:
    if verb not in ANSWERS:
        raise Http404
    act = ANSWERS[verb]
    if verb == "upload":
        act = replace(act, do=lambda actor, given: _to_answer(str(ANSWERS[verb].do(actor, given))))
    sha256 = request.POST.get("sha256", request.GET.get("sha256", ""))
    known = verb == "book" and is_sha256(sha256)
    return act_page(
        request,
        act,
        back=_address(sha256) if known else reverse("console:bank_answers"),
        crumb=_("The bank's answers"),
        decision=acts.decision(verb, act, actor=actor_of(request)),
        initial={
            "sha256": sha256,
            "digest": request.GET.get("digest", ""),
            "number": request.GET.get("number", ""),
        },
    )


def _address(sha256: str) -> str:
    return reverse("console:bank_answer", kwargs={"sha256": sha256})


def _to_answer(sha256: str) -> HttpResponse:
    return redirect(_address(sha256))


def _file(batch: object) -> HttpResponse:
    if not isinstance(batch, PayoutBatch):
        raise AssertionError("an export is of a batch")
    return HttpResponse(
        payout_batches.content(batch),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{payout_batches.file_name(batch)}"',
        },
    )


@require_safe
@staff_page
def bank_days(request: HttpRequest) -> HttpResponse:
    seen = bank_day_page.look(actor=actor_of(request))
    return page(request, "refunds/bank_days.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def bank_day_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, BANK_DAYS, back="console:bank_days", crumb=_("Bank days"))


_OF_PAYOUTS = (
    "refunds.make_payout_batch",
    "refunds.approve_payout_batch",
    "refunds.transmit_payout_batch",
    "refunds.stop_release",
    "refunds.reconcile",
    "winddown.read_audit",
)
DOORS.add("console:payouts", Door(_OF_PAYOUTS, title=pgettext_lazy("menu", "Payouts")), place=5)
DOORS.add("console:payout", Door(_OF_PAYOUTS))
DOORS.add("console:payout_act", Door(_OF_PAYOUTS))
DOORS.add(
    "console:bank_answers", Door(_OF_PAYOUTS, title=pgettext_lazy("menu", "Bank answers")), place=5
)
DOORS.add("console:bank_answer", Door(_OF_PAYOUTS))
DOORS.add("console:bank_answer_act", Door(_OF_PAYOUTS))
DOORS.add(
    "console:recalls", Door(_OF_PAYOUTS, title=_lazy("Recalls"), under="console:payouts"), place=5
)
DOORS.add("console:recall_act", Door(_OF_PAYOUTS))
# Support hears first of what did not arrive or was lost.
_OF_TRACES = (*_OF_PAYOUTS, "refunds.work_application")
DOORS.add(
    "console:vouchers",
    Door(_OF_TRACES, title=pgettext_lazy("menu", "Vouchers"), under="console:payouts"),
    place=5,
)
DOORS.add("console:voucher_act", Door(_OF_TRACES))
DOORS.add(
    "console:traces",
    Door(_OF_TRACES, title=_lazy("Did it arrive?"), under="console:payouts"),
    place=5,
)
DOORS.add("console:trace_act", Door(_OF_TRACES))
DOORS.add(
    "console:unpaid",
    Door(_OF_PAYOUTS, title=_lazy("Unpaid and overpaid"), under="console:payouts"),
    place=5,
)
DOORS.add("console:unpaid_file", Door((unpaid_lists.PERMISSION,)))
DOORS.add(
    "console:waves",
    Door(_OF_PAYOUTS, title=_lazy("Payout waves"), under="console:payouts"),
    place=5,
)
DOORS.add("console:wave_act", Door(_OF_PAYOUTS))
DOORS.add(
    "console:breaks", Door(_OF_PAYOUTS, title=_lazy("Breaks"), under="console:payouts"), place=5
)
DOORS.add("console:break_act", Door(_OF_PAYOUTS))
DOORS.add("console:matching", Door(_OF_PAYOUTS))
DOORS.add(
    "console:bank_days",
    Door(_OF_PAYOUTS, title=_lazy("Bank days"), under="console:payouts"),
    place=5,
)
DOORS.add("console:bank_day_act", Door(_OF_PAYOUTS))

urlpatterns = [
    path("payouts/", payouts, name="payouts"),
    path("payouts/<int:number>/", payout, name="payout"),
    path("payouts/<slug:verb>/", payout_act, name="payout_act"),
    path("bank-answers/", bank_answers, name="bank_answers"),
    path("bank-answers/file/<slug:sha256>/", bank_answer, name="bank_answer"),
    path("bank-answers/<slug:verb>/", bank_answer_act, name="bank_answer_act"),
    path("bank-days/", bank_days, name="bank_days"),
    path("bank-days/<slug:verb>/", bank_day_act, name="bank_day_act"),
    path("recalls/", recalls, name="recalls"),
    path("recalls/<slug:verb>/", recall_act, name="recall_act"),
    path("vouchers/", vouchers, name="vouchers"),
    path("vouchers/<slug:verb>/", voucher_act, name="voucher_act"),
    path("traces/", traces, name="traces"),
    path("traces/<slug:verb>/", trace_act, name="trace_act"),
    path("unpaid/", unpaid, name="unpaid"),
    path("unpaid/<slug:name>/", unpaid_file, name="unpaid_file"),
    path("payout-waves/", waves, name="waves"),
    path("payout-waves/<slug:verb>/", wave_act, name="wave_act"),
    path("breaks/", breaks, name="breaks"),
    path("matching/", matching, name="matching"),
    path("breaks/<slug:verb>/", break_act, name="break_act"),
]
