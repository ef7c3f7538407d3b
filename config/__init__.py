"""Deployment: how this project runs. No business logic is here."""

# Shared tasks find their application through this name, in web processes and commands too.
from config.celery import app as celery_app

__all__ = ["celery_app"]
