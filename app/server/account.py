"""The system account that runs the embedded PostgreSQL, and the folders that it must be able to reach.

PostgreSQL refuses to run as root. Started by root (containers), its processes run as an unprivileged
account and everything below `PGASK_HOME/postgres` belongs to that account; started by anybody else they run
as that user. Knows nothing of clusters or connections.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.errors import StoreError

_log = structlog.get_logger(__name__)

PREFERRED_NAME = "pgask"
FALLBACK_NAME = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that runs PostgreSQL. `name` is for messages only."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """True where this process must change user (it then is root) to act as the account."""
        return self.uid != os.geteuid()

    def own(self, path: Path) -> None:
        """Give `path` to the account; nothing happens where it is the current user."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(self, command: Sequence[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `command` to its end as the account, in a session of its own, with nothing of our environment.

        A session of its own keeps a Ctrl-C in the terminal from reaching it. The environment is empty
        because PG* variables and locales of the caller must not change what the server does.
        """
        as_user = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}
        completed: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603 - our own binaries, a list
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            umask=0o077,
            start_new_session=True,
            **as_user,  # type: ignore[call-overload]
        )
        return completed


def server_account(data: Path) -> Account:
    """The account for the cluster at `data`: its owner if it exists, the current user, or for root another.

    Raises StoreError where the cluster belongs to somebody that this process can't act as.
    """
    uid = os.geteuid()
    with contextlib.suppress(FileNotFoundError):
        owner = data.stat().st_uid
        if uid not in (0, owner):
            raise StoreError(
                f"{data} belongs to user {_name(owner)}. Run pgask as that user, or point PGASK_HOME to a "
                "folder of your own.",
                code="home_not_writable",
            )
        if owner != 0:
            return _account(owner)
    return _account(uid) if uid else _unprivileged_account()


def open_way(path: Path, account: Account) -> None:
    """Let the account pass through every folder above `path` (root only): adds o+x where it can't, never o+r."""
    if not account.is_other:
        return
    for folder in path.resolve().parents:
        status = folder.stat()
        if not _allows(status, account, stat.S_IXUSR):
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            _log.warning("o+x added so that PostgreSQL can pass", folder=str(folder), account=account.name)


def can_read_tree(root: Path, account: Account) -> bool:
    """Whether the account can read every file and enter every folder below `root`."""
    if not account.is_other:
        return True
    needed = {True: stat.S_IRUSR | stat.S_IXUSR, False: stat.S_IRUSR}
    return all(
        _allows(status, account, needed[stat.S_ISDIR(status.st_mode)])
        for status in (path.lstat() for path in (root, *root.rglob("*")))  # a link itself is open to all
    )


def _allows(status: os.stat_result, account: Account, user_bits: int) -> bool:
    """Whether the mode grants `user_bits` (as in the owner's class) to the account; ACLs are not looked at."""
    if status.st_uid == account.uid:
        shift = 0
    elif status.st_gid == account.gid:
        shift = 3
    else:
        shift = 6
    return status.st_mode & (user_bits >> shift) == user_bits >> shift


def _unprivileged_account() -> Account:
    useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    if not _exists(PREFERRED_NAME) and useradd:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        # Its failure is no fault: somebody else may just have made the account, or /etc is read-only.
        command = [useradd, *options, PREFERRED_NAME]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed arguments
    for name in (PREFERRED_NAME, FALLBACK_NAME):
        if _exists(name) and pwd.getpwnam(name).pw_uid != 0:
            return _account(pwd.getpwnam(name).pw_uid)
    raise StoreError(
        f"PostgreSQL does not run as root, and there is neither a user {PREFERRED_NAME} nor {FALLBACK_NAME}. "
        f"Make one (useradd --system {PREFERRED_NAME}), or run pgask as an ordinary user.",
        code="no_account",
    )


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # containers often run as a number without a name
        return Account(str(uid), uid, os.getegid() if uid == os.geteuid() else uid)
    return Account(entry.pw_name, uid, entry.pw_gid)


def _name(uid: int) -> str:
    return _account(uid).name
