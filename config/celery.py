"""The Celery application: wake-ups only, the state of work is rows in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("winddown")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
