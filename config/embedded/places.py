"""Where the servers' rooms are, and as whom the servers run."""

import grp
import hashlib
import os
import pwd
import stat
import sys
from pathlib import Path

from .errors import EmbeddedServerError

# The range of systemd's dynamic accounts: no account keeps such a number for long.
_GROUPS = range(61184, 65520)


def server_account(place: Path) -> tuple[int, int]:
    """Returns whom root's servers run as: the owner of the place, or `nobody` where that is root.

    `nobody` has other processes too. Ours get a group of the place's own, and Server.close admits
    only this group.
    """
    owner = place.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root and this machine has no account `nobody`:"
            " run as an ordinary user, or name a server in DATABASE_URL."
        ) from error
    return nobody.pw_uid, _own_group(place)


def _own_group(place: Path) -> int:
    """Returns the number of a group that the machine has no name for, the same for each call."""
    named = {group.gr_gid for group in grp.getgrall()}
    free = [number for number in _GROUPS if number not in named]
    return free[int(digest(place), 16) % len(free)]


def place_for(home: Path) -> Path:
    """The servers' rooms have a place: home, or for root a path that their account can enter."""
    home = home.resolve()
    if os.geteuid() != 0:
        return home
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if may_enter(home, server_account(home)):
        return home
    # No directory of another account is opened for this; the data is kept elsewhere.
    place = Path("/var/tmp") / f"winddown-{digest(home)}"  # noqa: S108 (its owner is checked)
    try:
        place.mkdir()
        place.chmod(0o755)
        print(
            f"PostgreSQL must not run as root and user nobody may not enter {home}:"
            f" databases are kept in {place}.",
            file=sys.stderr,
        )
    except FileExistsError:
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
            raise EmbeddedServerError(f"{place} must be a directory of root; remove it.") from None
    return place


def may_enter(path: Path, account: tuple[int, int]) -> bool:
    """Returns whether the account may pass through every directory down to and including the path."""
    return all(_allowed(part, account, stat.S_IXOTH) for part in [path, *path.parents])


def may_read(path: Path, account: tuple[int, int]) -> bool:
    """Returns whether the account may reach the path and read what is there."""
    return may_enter(path.parent, account) and _allowed(path, account, stat.S_IROTH | stat.S_IXOTH)


def _allowed(path: Path, account: tuple[int, int], bits: int) -> bool:
    found = path.stat()
    if found.st_uid == account[0]:
        bits <<= 6
    elif found.st_gid == account[1]:
        bits <<= 3
    return found.st_mode & bits == bits


def give_to_owner(path: Path, *, like: Path) -> None:
    """What root makes in another user's place belongs to that user."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def digest(path: Path) -> str:
    """Returns a short name for the path, where the path itself is too long or may not be written."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
