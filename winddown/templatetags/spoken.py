"""Amounts, times, states and people as text. Pages show them only through these filters."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Any

from babel.numbers import get_currency_precision
from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

from winddown import money, words
from winddown.authority.staff_command import SHOWN_MIN
from winddown.programme import notice_watch
from winddown.site.doors import DOORS
from winddown.site.panels import Item

register = template.Library()

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DAYS_JA = "月火水木金土日"
_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def _japanese() -> bool:
    return (get_language() or "ja").startswith("ja")


# --- money --------------------------------------------------------------------------------------


@register.filter
def amount(minor: int | None, currency: str) -> str:
    """Returns `12345` as "12,345円", "JPY 12,345" or "EUR 123.45", and None as a dash. The minus is
    U+2212.
    """
    if minor is None:
        return "–"
    said = money.spoken(minor, currency=currency, locale=get_language() or "ja")
    return said.replace("-", "−")


@register.filter
def digits(minor: int | None, currency: str) -> str:
    """Returns the amount without its unit, for a column whose head names the unit. The minus is
    U+2212, which is as wide as a digit.
    """
    if minor is None:
        return "–"
    exponent = get_currency_precision(currency)
    whole, rest = divmod(abs(minor), 10**exponent)
    text = f"{whole:,}" + (f".{rest:0{exponent}d}" if exponent else "")
    return f"−{text}" if minor < 0 else text


@register.filter
def number(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"


# --- time ---------------------------------------------------------------------------------------


def _local(at: dt.datetime, *, ends: bool = False) -> tuple[dt.date, str, str]:
    """Returns day, time and zone, in the current zone. With `ends`, a midnight is 24:00 of the day
    that ends there.
    """
    local = timezone.localtime(at)
    if ends and (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return (local - dt.timedelta(days=1)).date(), "24:00", local.tzname() or ""
    return local.date(), f"{local:%H:%M}", local.tzname() or ""


def _day(day: dt.date) -> str:
    if _japanese():
        return f"{day.year}年{day.month}月{day.day}日({_DAYS_JA[day.weekday()]})"
    return f"{_DAYS_EN[day.weekday()]} {day.day} {_MONTHS_EN[day.month - 1]} {day.year}"


def _element(at: dt.datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), text)


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """Returns "2019年9月30日(月)" or "Mon 30 September 2019"."""
    if value is None:
        return "–"
    return _day(_local(value)[0] if isinstance(value, dt.datetime) else value)


@register.filter
def written_day(iso: str) -> str:
    """Returns the day of a message's facts in the reader's language."""
    return _day(dt.date.fromisoformat(iso))


@register.filter
def written_instant(local: str) -> str:
    """Returns the instant of a message's facts, such as 2019-09-30T15:00 in the programme's zone, in
    the reader's language.
    """
    written, _, time = local.partition("T")
    return f"{written_day(written)} {time}"


@register.filter
def moment(at: dt.datetime | None) -> str | SafeString:
    """Returns "2019年7月4日(木) 14:00", in the zone of the programme."""
    if at is None:
        return "–"
    on, clock, _zone = _local(at)
    return _element(at, f"{_day(on)} {clock}")


@register.filter
def deadline(at: dt.datetime | None) -> str | SafeString:
    """Returns an exclusive end as people say it: "2019年9月30日(月) 24:00"."""
    if at is None:
        return "–"
    on, clock, _zone = _local(at, ends=True)
    return _element(at, f"{_day(on)} {clock}")


@register.filter
def last_day(at: dt.datetime | None) -> str:
    """Returns the last day of what ends at `at`."""
    return "–" if at is None else _day(_local(at, ends=True)[0])


@register.filter
def stamp(at: dt.datetime | None) -> str | SafeString:
    """Returns "2019-07-04 14:00", for tables."""
    if at is None:
        return "–"
    return _element(at, f"{timezone.localtime(at):%Y-%m-%d %H:%M}")


@register.filter
def stamp_s(at: dt.datetime | None) -> str | SafeString:
    """Returns "2019-07-04 14:00:05 JST", for pages on which seconds matter."""
    if at is None:
        return "–"
    return _element(at, f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}")


@register.filter
def exact(at: dt.datetime | None) -> str | SafeString:
    """Returns a midnight by both its names: "2019-09-30 24:00 JST = 10-01 00:00 JST"."""
    if at is None:
        return "–"
    on, clock, zone = _local(at, ends=True)
    text = f"{on:%Y-%m-%d} {clock} {zone}"
    if clock == "24:00":
        text += f" = {timezone.localtime(at):%m-%d} 00:00 {zone}"
    return _element(at, text)


@register.filter
def begins(at: dt.datetime | None) -> str | SafeString:
    """Returns "2019-10-01 00:00 JST". A beginning at midnight belongs to the new day."""
    if at is None:
        return "–"
    return _element(at, f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}")


@register.filter
def span(seconds: float | dt.timedelta | None) -> str:
    """Returns a length of time in its two largest units: "61 days 4 h", "12 min", or "45 s" for
    less than a minute.
    """
    if seconds is None:
        return "–"
    whole = int(abs(seconds.total_seconds() if isinstance(seconds, dt.timedelta) else seconds))
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    in_hours = gettext("%(n)s h") % {"n": hours}
    in_minutes = gettext("%(n)s min") % {"n": minutes}
    if days:
        in_days = ngettext("%(n)s day", "%(n)s days", days) % {"n": f"{days:,}"}
        return f"{in_days} {in_hours}" if days < 100 else in_days
    if hours:
        return f"{in_hours} {in_minutes}"
    return in_minutes if minutes else gettext("%(n)s s") % {"n": rest}


@register.filter
def about(seconds: float | None) -> str:
    """Returns an estimated length of time as a range."""
    if seconds is None:
        return "–"
    return gettext("%(least)s to %(most)s") % {
        "least": span(max(seconds * 0.8, 1)),
        "most": span(seconds * 1.4 + 5),
    }


# --- words --------------------------------------------------------------------------------------

_ICONS = {
    "on": '<circle cx="8" cy="8" r="7"/><path class="cut" d="m4.5 8.2 2.4 2.4 4.6-5"/>',
    "off": '<rect x="1.5" y="1.5" width="13" height="13" rx="2"/><path class="cut" d="M4.5 8h7"/>',
    "wait": '<path d="M8 1 15.4 14.5H.6z"/><path class="cut" d="M8 6v4M8 11.8v.6"/>',
    "run": '<circle cx="8" cy="8" r="7"/><path class="fill" d="M6.4 4.8v6.4L11.4 8z"/>',
    "bad": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/>'
    '<path class="cut" d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2"/>',
    "idle": '<circle class="ring" cx="8" cy="8" r="6"/>',
}


@register.simple_tag
def icon(tone: str) -> SafeString:
    """Returns the shape of a tone. Screen readers skip it, because the word beside it says the
    same.
    """
    # Every part of the text is a constant of this module.
    return mark_safe(  # noqa: S308
        '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        f"{_ICONS[tone]}</svg>"
    )


@register.simple_tag
def state(machine: str, value: str) -> SafeString:
    """Returns a state as icon, colour and word."""
    found = words.state_word(machine, value)
    return format_html(
        '<span class="state state-{}">{}{}</span>', found.tone, icon(found.tone), found.word
    )


@register.filter
def isolated(text: object) -> SafeString | str:
    """Returns a text from outside so that its direction of writing ends with it."""
    return format_html("<bdi>{}</bdi>", text) if text not in (None, "") else ""


@register.filter
def person(user: Any) -> SafeString | str:
    return isolated(words.person_name(user))


@register.filter
def person_text(user: Any) -> str:
    """Returns the name for a place that takes no element: the title of a page."""
    return words.person_name(user)


@register.filter
def names(people: Iterable[str]) -> SafeString:
    """Returns the names in one line, each by itself."""
    return format_html_join(gettext(", "), "<bdi>{}</bdi>", ((each,) for each in people))


@register.filter
def quoted(text: str) -> str:
    """Returns the text in the quotation marks of the reader's language."""
    return f"「{text}」" if _japanese() else f"“{text}”"


@register.filter
def capability(code: str) -> str:
    return str(words.capability_title(code))


@register.filter
def capabilities(codes: list[str]) -> str:
    return gettext(", ").join(str(words.capability_title(code)) for code in codes)


@register.filter
def workflow(name: str) -> str:
    return str(words.workflow_title(name))


@register.filter
def step(name: str) -> str:
    return str(words.step_title(name))


@register.filter
def plan_line(name: str) -> str:
    return str(words.plan_line(name))


@register.filter
def shown_digest(digest: str) -> str:
    """Returns as many digits as a command asks for, so that a person can copy them."""
    return digest[:SHOWN_MIN]


@register.filter
def planned(value: Any, name: str) -> str | SafeString:
    """Returns a plan's value as text: a number, an instant, the words of a known code, or the value
    itself.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return number(value)
    if isinstance(value, list):
        return gettext(", ").join(map(str, value))
    if _DIGEST.fullmatch(value):
        return format_html("<code>{}…</code>", shown_digest(value))
    try:
        at = dt.datetime.fromisoformat(value)
    except ValueError:
        return str(words.plan_value(name, value))
    return exact(at) if at.tzinfo else value


@register.filter
def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def of_name(texts: dict[str, words.Text], name: str) -> words.Text:
    """Returns the text that a mapping has for a name, and an empty one where it has none."""
    return texts.get(name, "")


@register.filter
def plan_part(name: str) -> str:
    return str(words.plan_part(name))


@register.filter
def milestone(kind: str) -> str:
    return str(words.milestone_title(kind))


@register.filter
def in_hours(lasted: dt.timedelta) -> str:
    return notice_watch.hours(lasted)


@register.filter
def channel(code: str) -> str:
    return str(words.CHANNELS.get(code, code))


@register.filter
def channels(codes: list[str]) -> str:
    """Returns the names of channels of which one is enough."""
    return gettext(" or ").join(channel(code) for code in codes)


@register.filter
def act(action: str) -> str:
    return str(words.act_title(action))


# --- sign-in ------------------------------------------------------------------------------------


@register.filter
def provider_name(code: str) -> words.Text:
    return words.provider(code)


@register.filter
def sign_in_method(code: str) -> words.Text:
    """Returns "with a password" or "with LINE"."""
    return words.sign_in_method(code)


# --- pages that some may open ---------------------------------------------------------------------


@register.simple_tag
def page_for(item: Item, reader: Any) -> str:
    """Returns the address of the row's page, or an empty text if the reader may not open it."""
    if not item.page or not DOORS[item.page].opens_to(reader):
        return ""
    return reverse(item.page, args=[item.number])
