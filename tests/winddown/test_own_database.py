"""A test's own database is real, private and deleted after the test."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from django.db import connection

from tests.conftest import Database
from wallets.models import Wallet

COUNT = "import django; django.setup(); from wallets.models import Wallet; print(Wallet.objects.count())"


def test_threads_and_processes_of_a_test_see_its_commits(own_database, wallets):
    wallets(3, paid_minor=5)
    seen: list[int] = []

    def look() -> None:
        seen.append(Wallet.objects.count())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    process = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen == [3]
    assert process.stdout.split() == ["3"]


def test_the_shared_database_never_sees_commits_of_a_test(database, wallets):
    assert not isinstance(database, Database)
    assert Wallet.objects.count() == 0
