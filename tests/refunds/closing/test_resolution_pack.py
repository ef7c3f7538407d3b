"""The resolution pack: an empty machine with only the pack and a recipient's key lists what is owed
to whom, and its totals equal the live system (rule 66).
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.management import call_command

from accounts.models import User
from refunds.closing import client_records, documents, resolution_pack
from refunds.closing.documents import Given
from tests import factories
from tests.conftest import Database, _on_the_server, _url
from tests.refunds.closing.test_closing_proof import decided
from tests.refunds.conftest import House
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import AuditEntry
from winddown.programme.evidence_files import File

# A dump reads every table, and a restore makes a database: one worker makes them all.
pytestmark = [pytest.mark.as_owner, pytest.mark.xdist_group("backups")]


def a_recipient(directory: Path, name: str = "Successor K.K.") -> tuple[Path, Path]:
    """Returns certificate and private key, as the recipient made them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2019, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2029, 1, 1, tzinfo=dt.UTC))
        .sign(key, SHA256())
    )
    certificate, private = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, private


def keep(kind: str, content: bytes, *, by: Any, second: Any, **more: Any) -> None:
    given = Given(
        kind=kind,
        subject=more.pop("subject", kind),
        owner="Treasury",
        retrieval="at_once",
        reviewed_on=clock.now().date() - dt.timedelta(days=1),
        file=File(name=f"{kind}.pdf", content=content),
        **more,
    )
    decided(documents.keep(given, actor=by, reason="test"), second)


@pytest.fixture
def empty_database() -> Iterator[dict[str, str]]:
    """The environment of a machine that has the software, an empty database, and keys of its own."""
    name = f"test_empty_{secrets.token_hex(6)}"
    _on_the_server(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield {
        **{key: value for key, value in os.environ.items() if "DATABASE" not in key},
        "DATABASE_URL": _url(name),
        "WINDDOWN_DATABASE_ROLE": "",
        "WINDDOWN_FIELD_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    _on_the_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def opened(pack: Path, who: tuple[Path, Path], into: Path, environment: dict[str, str],
           *more: str) -> subprocess.CompletedProcess[str]:  # fmt: skip
    certificate, key = who
    return subprocess.run(
        [
            *(sys.executable, "manage.py", "open_resolution_pack", str(pack)),
            *("--certificate", str(certificate), "--key", str(key), "--into", str(into)),
            *more,
        ],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_empty_machine_with_only_the_pack_lists_what_is_owed_to_whom(
    own_database: Database,
    house: House,
    staff: Callable[..., Any],
    tmp_path: Path,
    empty_database: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    officer, second = staff("compliance"), staff("treasury_approver")
    paid, waiting, *_others = house.entitled(4)
    for owed in (paid, waiting):
        house.apply(owed)
    house.check_payees()
    house.paid_batch()
    factories.make_wallets(1, paid_minor=70)
    holder = waiting.wallet.account
    User.objects.filter(pk=holder.pk).update(display_name="Hanako", email="hanako@example.com")
    by = {"by": officer.login_id, "reason": "monthly"}
    with pytest.raises(GuardNotMet, match="no recipient is confirmed"):
        resolution_pack.export(tmp_path / "none", actor=officer, reason="test")
    with pytest.raises(NotPermitted):
        resolution_pack.export(tmp_path / "none", actor=second, reason="test")
    who, stranger = a_recipient(tmp_path), a_recipient(tmp_path, "Stranger")
    given = {"by": officer, "second": second}
    keep(
        "recipient", who[0].read_bytes(), subject="Successor K.K.", contact="a@example.com", **given
    )
    keep("agreement", b"signed by bank A", **given)
    pack, plain = tmp_path / "pack", tmp_path / "plain"

    call_command("export_resolution_pack", out=pack, **by)

    said = capsys.readouterr().out
    assert "No document of the kind insurer is in the pack." in said
    assert "JPY 4,070 owed in all" in said
    assert AuditEntry.objects.filter(action="resolution_pack.export").count() == 1
    # What is readable without a key names nobody.
    readable = b"".join(path.read_bytes() for path in pack.iterdir())
    assert b"anako" not in readable

    done = opened(pack, who, plain, empty_database, "--restore")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The database is restored. Its 5 lines owe the same to the unit." in done.stdout
    assert "Agreement or acknowledgement letter (agreement.pdf), kept by Treasury" in done.stdout
    rows = list(csv.DictReader((plain / "client-records.csv").open()))
    totals = {name: sum(int(row["amount_minor"]) for row in rows if row["bucket"] == name)
              for name in client_records.BUCKETS}  # fmt: skip
    assert totals == client_records.in_ledger()
    assert totals == {"in_wallets": 70, "owed": 2000, "in_flight": 2000, "unclaimed": 0}
    named = {row["wallet_ref"]: row for row in rows}[waiting.wallet.wallet_ref]
    payee = holder.payees.get(replaced_at=None)
    assert (named["name"], named["email"]) == ("Hanako", "hanako@example.com")
    assert named["account_number"] == payee.account_number
    kept = documents.ClosingDocument.objects.latest("pk")
    assert (plain / f"document-{kept.pk}").read_bytes() == b"signed by bank A"
    # A database that is not empty stays as it is, and who is no recipient opens nothing.
    again = opened(pack, who, plain, empty_database, "--restore")
    assert (again.returncode, "is not empty" in again.stdout) == (1, True), again.stdout
    foreign = opened(pack, stranger, tmp_path / "foreign", empty_database)
    assert (foreign.returncode, "does not open" in foreign.stdout) == (1, True), foreign.stdout


def test_a_pack_is_judged_where_it_was_made(
    own_database: Database,
    house: House,
    staff: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    officer, second = staff("compliance"), staff("treasury_approver")
    owed, *_others = house.entitled(2)
    who = a_recipient(tmp_path)
    given = {"by": officer, "second": second}
    keep("recipient", who[0].read_bytes(), contact="a@example.com", **given)
    for kind in documents.ClosingDocument.OF_THE_PACK:
        keep(kind, kind.encode(), **given)
    pack = tmp_path / "pack"
    resolution_pack.export(pack, actor=officer, reason="test")

    assert resolution_pack.wrong_with(pack) == []
    call_command("export_resolution_pack", check=pack)
    assert "is complete, and owes what the ledger says" in capsys.readouterr().out
    with pytest.raises(GuardNotMet, match="name an empty directory"):
        resolution_pack.export(pack, actor=officer, reason="test")

    copied = shutil.copytree(pack, tmp_path / "copied")
    part = copied / "client-records.csv.001.p7m"
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    (copied / "database.dump.001.p7m").unlink()
    assert resolution_pack.wrong_with(copied) == [
        "client-records.csv.001.p7m has other bytes than were exported",
        "database.dump.001.p7m cannot be read: No such file or directory",
    ]
    index = json.loads((copied / "index.json").read_text())
    (copied / "index.json").write_text(json.dumps(index | {"missing": ["insurer"]}))
    with pytest.raises(SystemExit):
        call_command("export_resolution_pack", check=copied)
    assert "was changed, or written with another field key" in capsys.readouterr().out
    # A year and a day later every review is too old, and the ledger has moved on.
    house.apply(owed)
    house.check_payees()
    house.paid_batch()
    assert resolution_pack.wrong_with(pack) == [
        "owed: the ledger says 1000, the pack 2000",
        "in_flight: the ledger says 1000, the pack 0",
    ]
    clock.travel(clock.now() + dt.timedelta(days=370), frozen=True)
    assert any("was reviewed on" in each for each in resolution_pack.wrong_with(pack))


def test_the_pack_opens_with_openssl_alone(tmp_path: Path) -> None:
    """A recipient needs no software of ours to read a file of the pack."""
    from refunds.closing import sealed_parts

    certificate, key = a_recipient(tmp_path)
    content = b"what is owed to whom\n" * 3
    sealed_parts.seal(
        tmp_path / "pack",
        "records.csv",
        [content],
        recipients=[documents.certificate_of(certificate.read_bytes())],
    )
    done = subprocess.run(
        ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", str(key),
         "-recip", str(certificate), "-in", str(tmp_path / "pack" / "records.csv.001.p7m")],
        capture_output=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == content
