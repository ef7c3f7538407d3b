"""The rehearsal room: nothing imports it, and a production deployment may leave it out."""

from django.apps import AppConfig


class RehearsalConfig(AppConfig):
    name = "rehearsal"
    verbose_name = "Rehearsal"
