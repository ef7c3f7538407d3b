"""The public notice of the refund, Payment Services Act art. 20(2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from tests.config.test_every_door import browser_of
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import LawRule, Milestone, PublicNotice
from winddown.programme import filing_kinds, jurisdictions, public_notice
from winddown.site import filing_forms
from winddown.site.fields import Bounded, DayField, LocalInstantField
from winddown.site.forms import ReasonForm

FIELDS: dict[str, Any] = {
    "statement": "払戻し",
    "issuer_name": "operator",
    "instrument": "wallet",
    "window_first_day": dt.date(2019, 10, 1),
    "window_last_day": dt.date(2019, 12, 2),
    "exclusion_statement": "除斥",
    "contact": "office",
    "how_to_claim": "app",
    "how_it_is_paid": "bank",
}
A_DAY, A_YEAR = dt.timedelta(days=1), dt.timedelta(days=365)

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def publish(staff: Any, rehearsal_clock: Any) -> Callable[..., PublicNotice]:
    """A compliance officer publishes a notice on 30 September 2019."""
    clock.travel(dt.datetime.fromisoformat("2019-09-30T12:00:00+09:00"), frozen=True)
    actor = staff("compliance")

    def publish(**changed: Any) -> PublicNotice:
        return public_notice.publish_notice(
            actor=actor, reason="the service ends", **(FIELDS | changed)
        )

    return publish


def test_the_window_ends_with_its_last_day_and_moves_with_a_new_notice_only(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 39: 24:00 in the programme's zone."""
    publish()
    ends = Milestone.objects.get(kind="refund_window_ends")
    assert ends.at == dt.datetime.fromisoformat("2019-12-03T00:00:00+09:00")
    publish(window_last_day=dt.date(2020, 1, 10))
    ends.refresh_from_db()
    assert ends.at == dt.datetime.fromisoformat("2020-01-11T00:00:00+09:00")
    with pytest.raises(GuardNotMet, match="2020-01-10"):
        publish()
    ends.refresh_from_db()
    assert ends.at == dt.datetime.fromisoformat("2020-01-11T00:00:00+09:00")


def test_the_law_of_the_programme_says_how_long_the_window_lasts(
    publish: Callable[..., PublicNotice], programme: Any
) -> None:
    type(programme).objects.update(jurisdiction="eu")
    with pytest.raises(GuardNotMet, match="2020-09-30"):
        publish()


@pytest.mark.parametrize("field", FIELDS)
def test_a_notice_with_an_empty_field_is_refused_by_name(
    publish: Callable[..., PublicNotice], field: str
) -> None:
    """Rule 38."""
    with pytest.raises(GuardNotMet, match=field):
        publish(**{field: ""})

    assert not PublicNotice.objects.exists()


def test_a_window_of_less_than_sixty_days_is_refused_with_the_earliest_day(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 38: neither the first day nor days before the notice are counted. The sixtieth day after
    1 October is a Saturday, so the window lasts until the Monday.
    """
    with pytest.raises(GuardNotMet, match="until 2019-12-02 or longer"):
        publish(window_last_day=dt.date(2019, 11, 29))
    with pytest.raises(GuardNotMet, match="until 2019-11-29 or longer"):
        publish(window_first_day=dt.date(2019, 9, 1), window_last_day=dt.date(2019, 11, 28))
    assert publish().window_last_day == dt.date(2019, 12, 2)


@pytest.mark.parametrize(
    ("closed", "next_open"),
    [
        (dt.date(2019, 12, 7), "2019-12-09"),  # a Saturday
        (dt.date(2019, 12, 31), "2020-01-06"),  # bank holidays and a weekend
        (dt.date(2020, 1, 13), "2020-01-14"),  # Coming of Age Day
    ],
    ids=str,
)
def test_a_window_ends_on_a_day_on_which_banks_are_open(
    publish: Callable[..., PublicNotice], closed: dt.date, next_open: str
) -> None:
    """Civil Code art. 142."""
    with pytest.raises(GuardNotMet, match=f"banks are closed on {closed}.* end on {next_open}"):
        publish(window_last_day=closed)


def test_a_window_that_no_calendar_covers_is_refused(
    publish: Callable[..., PublicNotice],
) -> None:
    with pytest.raises(GuardNotMet, match="no bank calendar of japan for the year 9000"):
        publish(window_last_day=dt.date(9000, 1, 6))


@pytest.mark.parametrize(
    ("law", "closed"),
    [
        ("eu", dt.date(2021, 4, 5)),  # Easter Monday
        ("uk", dt.date(2021, 8, 30)),  # the Summer Bank Holiday
    ],
)
def test_each_law_has_its_bank_holidays(
    publish: Callable[..., PublicNotice], programme: Any, law: str, closed: dt.date
) -> None:
    type(programme).objects.update(jurisdiction=law)
    with pytest.raises(GuardNotMet, match="banks are closed"):
        publish(window_last_day=closed)
    assert publish(window_last_day=closed + dt.timedelta(days=1))


# --- the dates: the pack says between which days they lie -----------------------------------------


def dates_of_forms() -> list[tuple[type[ReasonForm], str]]:
    """Every field of a date in a form of staff, by the form and its name."""
    known = [
        *ReasonForm.__subclasses__(),
        *map(filing_forms.write_form, filing_kinds.KINDS.values()),
    ]
    return [
        (form, name)
        for form in known
        for name, field in form.base_fields.items()
        if isinstance(field, forms.DateField | forms.DateTimeField | LocalInstantField)
    ]


@pytest.mark.parametrize("law", jurisdictions.codes())
def test_each_date_that_staff_type_lies_between_the_bounds_of_the_pack(
    rehearsal_clock: Any, programme: Any, law: str
) -> None:
    clock.travel(dt.datetime.fromisoformat("2019-09-30T12:00:00+09:00"), frozen=True)
    type(programme).objects.update(jurisdiction=law)
    rules = jurisdictions.pack(law).dates
    known = {rule.bounds(dt.date(2019, 9, 30))[1] for rule in rules.values()}
    named = dates_of_forms()
    forms_of_dates = {form.__name__ for form, _ in named}
    assert {
        "PublicationForm",
        "MilestoneForm",
        "AwareForm",
        "NoticeForm",
        "EnterForm",
        "ReceiptForm",
        "WriteForm",
    } <= forms_of_dates
    for form, name in named:
        field = form.base_fields[name]
        assert isinstance(field, Bounded), (form, name)
        least, most = field.between()
        assert most in known
        suffix = "" if isinstance(field, DayField) else "T12:00"
        with translation.override("en"):
            for day in (least - A_DAY, most + A_DAY):
                with pytest.raises(ValidationError, match=f"from {least} to {most}"):
                    field.clean(f"{day}{suffix}")
            assert f"From {least} to {most}." in form()[name].help_text
        assert field.clean(f"{least}{suffix}")
        assert field.clean(f"{most}{suffix}")


def test_the_last_day_of_a_window_begins_where_the_law_lets_it_end(
    programme: Any, publish: Callable[..., PublicNotice]
) -> None:
    clock.travel(dt.datetime.fromisoformat("2019-10-01T12:00:00+09:00"), frozen=True)
    assert public_notice.last_days()[0] == dt.date(2019, 12, 2)
    publish(window_last_day=dt.date(2020, 1, 10))
    assert public_notice.last_days()[0] == dt.date(2020, 1, 10)
    clock.travel(dt.datetime.fromisoformat("2019-10-03T12:00:00+09:00"), frozen=True)
    assert public_notice.first_days()[0] == dt.date(2019, 10, 1)
    type(programme).objects.update(jurisdiction="eu")
    assert public_notice.last_days()[0] == dt.date(2020, 10, 2)


# --- the database: whoever writes, the deadline is the notice's last day --------------------------


def test_the_deadline_of_the_window_is_what_the_notice_says(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 39, through the ORM."""
    with pytest.raises(DatabaseError, match="last day of the public notice"), transaction.atomic():
        Milestone.objects.create(kind="refund_window_ends", at=clock.now() + A_YEAR)
    publish()
    said = Milestone.objects.get(kind="refund_window_ends").at
    for moved in (said - A_DAY, said + A_DAY, clock.now()):
        with pytest.raises(DatabaseError), transaction.atomic():
            Milestone.objects.filter(kind="refund_window_ends").update(at=moved)


def test_a_published_day_ends_in_the_zone_in_which_it_was_published(
    publish: Callable[..., PublicNotice], programme: Any
) -> None:
    """Otherwise the deadline would come before the last day ends."""
    type(programme).objects.update(time_zone="Asia/Seoul")
    publish()
    with pytest.raises(DatabaseError, match="in which it was published"), transaction.atomic():
        type(programme).objects.update(time_zone="Pacific/Honolulu")
    type(programme).objects.update(time_zone="Asia/Seoul")


def test_a_notice_without_its_deadline_does_not_stand(
    publish: Callable[..., PublicNotice],
) -> None:
    """A notice alone would leave the deadline before its last day."""
    notice = publish()
    later = FIELDS | {"window_last_day": dt.date(2020, 1, 10), "published_at": clock.now()}
    with (
        pytest.raises(DatabaseError, match="cannot end before the last day of its notice"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        PublicNotice.objects.create(**later)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert list(PublicNotice.objects.all()) == [notice]


def test_a_published_window_is_extended_and_never_shortened(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 39."""
    publish(window_last_day=dt.date(2020, 1, 10))

    with pytest.raises(GuardNotMet, match="2020-01-10"):
        publish(window_last_day=dt.date(2020, 1, 9))

    publish(window_last_day=dt.date(2020, 1, 31))
    assert PublicNotice.objects.count() == 2


def test_a_first_day_that_has_passed_is_refused_unless_the_window_began_then(
    publish: Callable[..., PublicNotice],
) -> None:
    """A wrong year cannot be taken back once it is published. An extension repeats the first day."""
    for passed in (dt.date(2009, 10, 1), dt.date(2019, 9, 29)):
        with pytest.raises(GuardNotMet, match=f"the first day {passed} has passed"):
            publish(window_first_day=passed)
    assert not PublicNotice.objects.exists()
    publish()
    clock.travel(dt.datetime.fromisoformat("2019-11-05T12:00:00+09:00"), frozen=True)
    publish(window_last_day=dt.date(2020, 1, 10))
    with pytest.raises(GuardNotMet, match="has passed"):
        publish(window_first_day=dt.date(2019, 10, 2), window_last_day=dt.date(2020, 1, 14))


def test_publishing_requires_its_permission(staff: Any, rehearsal_clock: Any) -> None:
    with pytest.raises(NotPermitted):
        public_notice.publish_notice(actor=staff("support"), reason="no", **FIELDS)


# --- a window that is a day too short has no way in ------------------------------------------------

SHORT = FIELDS | {"window_last_day": dt.date(2019, 11, 29)}
REFUSED = "shorter than the law asks"


def test_a_window_of_59_days_is_refused_by_the_database_of_a_programme_in_japan() -> None:
    """L6, through the ORM and in plain SQL."""
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        PublicNotice.objects.create(published_at=clock.now(), **SHORT)
    columns = ", ".join(SHORT)
    with pytest.raises(DatabaseError, match=REFUSED), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO winddown_publicnotice ({columns}, published_at)"
            f" VALUES ({', '.join(['%s'] * len(SHORT))}, now())",
            list(SHORT.values()),
        )


def test_the_number_of_days_is_the_one_of_the_law_of_the_programme(programme: Any) -> None:
    assert {each.jurisdiction for each in LawRule.objects.all()} == set(jurisdictions.codes())
    type(programme).objects.update(jurisdiction="uk")
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        PublicNotice.objects.create(published_at=clock.now(), **FIELDS)


def test_the_service_cannot_write_another_number() -> None:
    lower = LawRule(
        jurisdiction="japan",
        name=LawRule.WINDOW,
        value=1,
        source="test",
        valid_from=dt.date(2019, 1, 1),
    )
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        lower.save()
    with pytest.raises(DatabaseError), transaction.atomic():
        LawRule.objects.update(value=1)


@pytest.mark.as_owner
def test_a_migration_writes_the_number_of_a_pack_that_says_another_one_and_no_other() -> None:
    winddown = apps.get_app_config("winddown")
    before = LawRule.objects.count()
    jurisdictions.write_after_migrate(app_config=winddown, using="default")
    assert LawRule.objects.count() == before
    LawRule.objects.create(
        jurisdiction="japan",
        name=LawRule.WINDOW,
        value=90,
        source="a pack before",
        valid_from=dt.date(2010, 4, 1),
    )
    jurisdictions.write_after_migrate(app_config=winddown, using="default")
    newest = LawRule.objects.filter(jurisdiction="japan", name=LawRule.WINDOW).latest("pk")
    assert newest.value == 60
    assert LawRule.objects.count() == before + 2


@pytest.mark.parametrize("way", ["command", "page"])
def test_a_window_of_59_days_is_refused_at_each_door(
    staff: Any, rehearsal_clock: Any, way: str
) -> None:
    clock.travel(dt.datetime.fromisoformat("2019-09-30T12:00:00+09:00"), frozen=True)
    typed = {name: str(value) for name, value in SHORT.items()}
    person = staff("compliance")
    if way == "command":
        words = [f"--{name.replace('_', '-')}={value}" for name, value in typed.items()]
        with code_typed(person), pytest.raises(SystemExit):
            call_command(
                "publish_notice", *words, f"--by={person.login_id}", "--reason=t", stdout=StringIO()
            )
    else:
        shown = browser_of(person).post(
            "/console/programme/publish-notice/", typed | {"reason": "t"}
        )
        assert "2019-12-02" in shown.content.decode()
    assert not PublicNotice.objects.exists()
