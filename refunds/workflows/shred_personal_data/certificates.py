"""Certificates of deletion: what a run deleted, what the scan found afterwards, and what no deletion
here reaches.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Count

from accounts.models import PersonKey
from refunds.models import DeletionCertificate
from refunds.workflows.shred_personal_data import due
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Plan, Run, Signature
from winddown.personal_data import HOUSE, DataClass


def issue(run: Run) -> DeletionCertificate:
    """The run has its certificate. Runs in the transaction that ends it, after the scan found nothing
    that can be read.
    """
    facts = _facts(run)
    made = DeletionCertificate.objects.create(
        run=run, issued_at=clock.now(), facts=facts, digest=approvals.digest_of(facts)
    )
    audit.append("data.certify", run.subject, actor=run.maker, run=run, digest=made.digest)
    return made


def of_run(run: Run) -> DeletionCertificate:
    """Returns the certificate of the run. Raises `GuardNotMet` if it has none."""
    found = DeletionCertificate.objects.filter(run=run).first()
    if found is None:
        raise GuardNotMet(
            action=says("print the certificate"),
            why=says("run {number} has no certificate of a deletion", number=run.pk),
        )
    return found


def _facts(run: Run) -> dict[str, Any]:
    destroyed = PersonKey.objects.filter(run=run)
    people = dict(
        destroyed.exclude(person_id=HOUSE).values_list("data_class").annotate(n=Count("pk"))
    )
    house = destroyed.filter(person_id=HOUSE).order_by("data_class")
    plan = Plan.objects.filter(run=run).latest("pk")
    signed = Signature.objects.filter(subject=run.subject, part=Signature.Part.APPROVED)
    return {
        "number": run.pk,
        "maker": run.maker.staff_number,
        "approvers": ", ".join(signed.order_by("pk").values_list("staff_number", flat=True)),
        "signed_digest": plan.digest,
        **{f"deleted_{code}": people.get(code, 0) for code in DataClass.values},
        "house": ", ".join(house.values_list("data_class", flat=True)),
        **{f"keep_{code}": run.params["keep_days"][code] for code in DataClass.values},
        "kept_back": sum(plan.content["excluded"].values()),
        "scanned": due.columns_scanned(),
        "readable": sum(due.readable().values()),
        "covers": "database",
        "not_covered": "copies",
        "backups_until": run.params["backups_until"],
        "files_out": sum(due.left_the_house().values()),
    }
