"""manage.py load_payments: the payments of a file are in the ledger, or none of them."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load payments from a CSV file into the ledger, whole or not at all."
    kind = "payments"
