"""A rehearsal runs under roles that own nothing, as the service does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from rehearsal import stage
from tests.conftest import Database
from tests.database_roles import value

WHO = "from django.db import connection as c; u = c.cursor(); u.execute('SELECT current_user'); print(u.fetchone()[0])"


@pytest.mark.as_owner
def test_the_replay_runs_as_loader_and_its_programs_as_application(
    own_database: Database,
) -> None:
    options = connection.settings_dict["OPTIONS"]
    with pytest.MonkeyPatch.context() as kept:
        kept.setitem(options, "options", options["options"])
        kept.setenv("WINDDOWN_DATABASE_ROLE", "")
        stage.own_nothing()
        assert value("SELECT current_user") == "winddown_loader"
        started = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup(); {WHO}"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=True,
        )
    connection.close()
    assert started.stdout == "winddown_application\n"
