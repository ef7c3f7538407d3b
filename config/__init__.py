"""Deployment: what knows how this project is run, and nothing that knows what it does."""

# Shared tasks find their application through this name, in web processes and commands too.
from config.celery import app as celery_app

__all__ = ["celery_app"]
