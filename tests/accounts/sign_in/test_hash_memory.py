"""Password hashes take no more memory at once than they are meant to take."""

from __future__ import annotations

import subprocess
import sys

MEASURE = """
import resource, sys, threading
from django.conf import settings
settings.configure(PASSWORD_HASHERS=[], PASSWORD_MEMORY_KIB=100 * 1024)
from accounts.sign_in.hashers import BoundedArgon2PasswordHasher as BoundedArgon2
from django.contrib.auth.hashers import Argon2PasswordHasher as Argon2
hasher = globals()[sys.argv[1]]()
def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak_mib()
together = threading.Barrier(8)
def hash_one():
    together.wait()
    # Several for each, because on a busy machine the first ones may come one after another.
    for _ in range(4):
        hasher.encode("a password", "somesalt1234")
threads = [threading.Thread(target=hash_one) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print(peak_mib() - before)
"""


def memory_of_eight(hasher: str) -> int:
    """Returns by how many MiB a process grows in which eight threads hash at once."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, hasher], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_hashes_at_once_take_no_more_memory_than_intended() -> None:
    """Eight threads hash; by itself argon2 takes 100 MiB for each of them."""
    taken = {name: memory_of_eight(name) for name in ("Argon2", "BoundedArgon2")}

    assert taken["BoundedArgon2"] < 2.5 * 100
    assert taken["Argon2"] > 2.5 * 100, "so the measure sees what it must see"
