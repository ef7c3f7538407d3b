"""Staff at the console: they sign in with a second factor, and do one act of their role by its form."""

from __future__ import annotations

from rehearsal.browser import Browser, Page, Typed
from rehearsal.doors import Doors
from rehearsal.stage import Cast
from winddown.models import Approval, Run


class Desk:
    """One member of staff who has signed in with a password and the code of the own app."""

    def __init__(self, login: str, browser: Browser, *, cast: Cast, doors: Doors) -> None:
        self.browser = browser
        page = browser.open("/sign-in/?next=/console/")
        password = cast.enrolled[login].password
        page = browser.send(page, {"login_id": login, "password": password})
        browser.send(page, {"code": doors.shell("staff_code", login).strip()})

    def act(self, path: str, typed: Typed) -> Page:
        """The form of the page was sent, and took effect. Returns the page after it."""
        return self.browser.send(self.browser.open(path), typed)

    def plan(self, workflow: str, typed: Typed) -> Run:
        """A plan of the workflow waits for a second person."""
        page = self.act(f"/console/workflows/{workflow}/plan/", typed)
        return Run.objects.get(pk=int(page.path.strip("/").rpartition("/")[2]))

    def approve(self, run: Run, *, reason: str) -> None:
        """The plan is approved."""
        self.act(f"/console/runs/{run.pk}/approve/", {"reason": reason})

    def start(self, run: Run, *, reason: str) -> None:
        """The approved run is started, and left to the workers."""
        self.act(f"/console/runs/{run.pk}/start/", {"reason": reason})

    def decide(self, subject: str, *, reason: str, amount_minor: int) -> None:
        """What waits about the subject is approved by somebody who typed its sum."""
        asked = Approval.objects.filter(subject=subject).latest("pk")
        typed = {"reason": reason, "amount": str(amount_minor)}
        self.act(f"/console/approvals/{asked.pk}/approve/", typed)
