"""manage.py load_log_coverage: for which time the loaded logs are complete."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load from a CSV file for which time each log is complete, whole or not at all."
    kind = "log_coverage"
