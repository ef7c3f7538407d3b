"""manage.py load_wallets: the wallets of a file are in the database, or none of them."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load wallets from a CSV file, whole or not at all."
    kind = "wallets"
