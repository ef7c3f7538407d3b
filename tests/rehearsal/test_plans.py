"""The plans and what people do about them: each assumption has a source, and no kind is missing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from rehearsal.case import CaseError, load_case
from rehearsal.courses import CODE, POSTAL, Course, Courses, one_of_each
from rehearsal.management.commands.compare_plans import PAGE, assumptions
from rehearsal.outlook import Truth, compute, variants
from rehearsal.plans import (
    BEHAVIOUR_FILE,
    CLAIM_CODE,
    EARLY_DATA,
    FALLBACK_CONSENT,
    PLANS,
    REMINDERS,
    STANDARD,
    load_behaviour,
    load_plan,
)

ROOT = Path(__file__).resolve().parents[2]
EARLY = PLANS / "early.toml"
# Holders as the generator writes them at the smallest size: (how many, day, quality).
GROUPS = (
    (154, "2019-10-20", "ok"),
    (2, "2019-10-20", "no_such_account"),
    (2, "2019-10-20", "name_mismatch"),
    (2, "2019-10-20", "closed_once"),
    (3, "2019-10-10", "always_bad"),
    (20, "2020-01-02", "ok"),
    (3, "2020-01-14", "ok"),
    (120, "", "ok"),
)


@pytest.fixture(scope="module")
def truth() -> Truth:
    rows, number = {}, 0
    for count, day, quality in GROUPS:
        for _ in range(count):
            number += 1
            rows[f"W{number:07}"] = {
                "applies_on": day,
                "account_quality": quality,
                "channel": "app",
            }
    return Truth(rows, dict.fromkeys(rows, 100))


def courses(truth: Truth, plan: Path, measures: frozenset[str] | None = None) -> dict[str, Course]:
    chosen = load_plan(plan)
    if measures is not None:
        chosen = chosen.with_measures(measures)
    return Courses(truth.behaviour, case=load_case(), plan=chosen, behaviour=load_behaviour()).all()


@pytest.mark.parametrize("path", [BEHAVIOUR_FILE, STANDARD, EARLY])
def test_an_assumption_without_a_source_is_refused(path: Path, tmp_path: Path) -> None:
    """Each row says where it is published, or that it is a guess and why."""
    load = load_behaviour if path == BEHAVIOUR_FILE else load_plan
    load(path)
    copy = tmp_path / path.name
    text = path.read_text()
    said = "guess: " if '\nsource = "guess: ' in text else "published: "
    copy.write_text(text.replace(f'\nsource = "{said}', '\nsource = "', 1))
    with pytest.raises(CaseError, match="does not say"):
        load(copy)


def test_at_the_smallest_size_somebody_of_every_kind_applies_by_the_form(truth: Truth) -> None:
    found = courses(truth, EARLY)
    kinds = {each.code for each in load_behaviour().kinds}
    assert kinds <= {course.kind for course in found.values()}
    by_form = {found[ref].kind for ref in one_of_each(found, list(found))}
    assert by_form == (kinds | {"plain"}) - {"heir"}
    assert Counter(course.kind for course in found.values())["fraud_ring"] == 4
    # Some postal orders expire at any size.
    assert None in {each.cashed_after for each in found.values() if each.method == POSTAL}


def test_a_measure_changes_only_those_whom_it_is_about(truth: Truth) -> None:
    without = courses(truth, STANDARD)
    assert without == courses(truth, EARLY, frozenset())
    assert not {each.method for each in without.values()} - {"bank"}
    by_measure = {
        EARLY_DATA: lambda course: course.gives_account_on is not None,
        FALLBACK_CONSENT: lambda course: course.consents,
        REMINDERS: lambda course: course.kind == "reminded",
        CLAIM_CODE: lambda course: course.method in (CODE, POSTAL),
    }
    for measure, changed in by_measure.items():
        found = courses(truth, EARLY, frozenset({measure}))
        others = {ref for ref, course in found.items() if not changed(course)}
        assert 0 < len(others) < len(found)
        assert {ref: found[ref].applies_on for ref in others} == {
            ref: without[ref].applies_on for ref in others
        }


def test_each_measure_pays_more_people_than_without_it(truth: Truth) -> None:
    early = load_plan(EARLY)
    told = {
        name: compute(truth, case=load_case(), plan=plan, behaviour=load_behaviour())
        for name, plan in variants(load_plan(), early)
    }
    end = early.until
    none, everything = told["no measure"], told["all"]
    for measure in early.measures - {EARLY_DATA}:
        assert told[f"only {measure}"].shares(end) > none.shares(end)
        assert told[f"all but {measure}"].shares(end) < everything.shares(end)
    # Early accounts pay the same people sooner.
    october = dt.date(2019, 10, 31)
    assert told[f"only {EARLY_DATA}"].shares(october) > none.shares(october) == (0, 0)
    assert told[f"only {EARLY_DATA}"].half_by() < none.half_by()
    assert everything.cost_minor(load_behaviour()) > none.cost_minor(load_behaviour())


def test_the_page_of_the_comparison_has_the_assumptions_in_force() -> None:
    page = (ROOT / PAGE).read_text()
    assert "\n".join(assumptions(load_behaviour())) in page
