"""The Celery application: messages are wake-ups, the state of work is rows in PostgreSQL.

A worker is started with `WINDDOWN_ROLE=worker celery -A config worker --without-gossip
--without-mingle`, the one beat with `celery -A config beat`.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, task_prerun, worker_init
from kombu.transport.redis import Transport
from redis.exceptions import OutOfMemoryError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# A broker without memory refuses a worker. The worker connects again until the broker has memory.
# By default this error would end the worker.
Transport.connection_errors = (*Transport.connection_errors, OutOfMemoryError)

app = Celery("winddown")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect(dispatch_uid="winddown.check_role_of_beat")
@worker_init.connect(dispatch_uid="winddown.check_role_of_worker")
def check_role(**_: Any) -> None:
    """The process ends in production if its role of the database could switch the guards off.

    Celery logs what a receiver raises, and goes on; only SystemExit ends the process.
    """
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from winddown import connected_role

    if settings.PRODUCTION:
        try:
            connected_role.check_at_start()
        except ImproperlyConfigured as error:
            raise SystemExit(str(error)) from error


@task_prerun.connect(dispatch_uid="winddown.drop_broken_connections")
def drop_broken_connections(**_: Any) -> None:
    """The task finds no connection that an earlier one broke or that the server has closed since.

    Connections are kept between tasks (CELERY_DB_REUSE_MAX). So Django does not make the check that
    it makes between requests.
    """
    from django.db import close_old_connections

    close_old_connections()
