"""The database is lost while the mail server takes a mail: the mail is recorded, and not sent again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.reset_notices.notices import Post
from tests import factories
from tests.accounts.reset_notices.sending import states
from tests.conftest import Database
from winddown.models import Failure
from winddown.runs import leases


@pytest.mark.parametrize("cuts", [1, 3])
def test_a_mail_is_recorded_though_the_connection_was_cut_after_it(
    cuts: int,
    own_database: Database,
    programme: Any,
    people: Any,
    mail: Any,
    reset: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = people(4)
    deliver, turn = Post.deliver, leases.Lease.turn
    left = [0]

    def cut() -> None:
        with own_database.connect("none") as psql:
            psql.execute(
                "SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid]
            )

    def deliver_and_cut(post: Post, notice: Any) -> Any:
        outcome = deliver(post, notice)
        cut()
        left[0] = cuts - 1
        return outcome

    def turn_that_is_cut(lease: leases.Lease) -> Any:
        if left[0]:
            left[0] -= 1
            connection.ensure_connection()
            cut()
        return turn(lease)

    monkeypatch.setattr(leases, "RETRY_S", 0.01)
    monkeypatch.setattr(Post, "deliver", deliver_and_cut)
    monkeypatch.setattr(leases.Lease, "turn", turn_that_is_cut)
    run = factories.worked_off(reset())

    assert run.state == "succeeded"
    assert sorted(mail.recipients()) == sorted(person.email for person in told)
    assert states() == {"sent": 4}
    assert not Failure.objects.exists()
