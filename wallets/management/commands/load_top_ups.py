"""manage.py load_top_ups: the top-ups of a file are in the ledger, or none of them."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load top-ups from a CSV file into the ledger, whole or not at all."
    kind = "top_ups"
