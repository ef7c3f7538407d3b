"""UTF-8 with or without a mark, Shift_JIS by option, either line end; what is broken is named by line and byte."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from tests.winddown.loading.rows import reasons, refusal, refused_rows
from winddown.errors import LoadRefused
from winddown.loading import csv_source, file_kinds, loader
from winddown.loading.csv_source import CsvSource, examined

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

Write = Callable[..., Path]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize(
    ("encoding", "option"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp932", "shift_jis")],
)
def test_the_same_rows_load_alike_in_every_encoding_and_line_end(
    encoding: str, option: str, newline: str, quoting: Any, write: Write
) -> None:
    # The second kanji of 表 and the kana ソ have a byte in Shift_JIS that is a backslash elsewhere.
    rows = (
        {"display_name": "表 花子", "kana_name": "ソノダ ハナコ"},
        {"account_ref": "A2", "login_id": "b", "display_name": r"back\slash", "phone": ""},
    )
    file = write("accounts", *rows, encoding=encoding, newline=newline, quoting=quoting)
    done = loader.load("accounts", file, encoding=option)
    assert (done.rows, done.inserted) == (2, 2)
    assert list(User.objects.order_by("pk").values_list("display_name", "kana_name")) == [
        ("表 花子", "ソノダ ハナコ"),
        (r"back\slash", "ハナコ"),
    ]


def test_commas_and_doubled_quotes_are_kept_inside_quotes(write: Write) -> None:
    loader.load("accounts", write("accounts", {"display_name": 'Sato, "Hana"'}))
    assert User.objects.get().display_name == 'Sato, "Hana"'


def test_a_file_without_a_last_line_end_and_with_blank_lines_is_complete(write: Write) -> None:
    file = write("accounts", {}, {"account_ref": "A2", "login_id": "b"})
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1], "", lines[2]]))
    assert loader.load("accounts", file).inserted == 2


def test_a_broken_byte_is_reported_by_line_and_byte(
    write: Write, everything: Callable[[], dict[str, Any]]
) -> None:
    before = everything()
    file = write("accounts", {}, {"account_ref": "A2", "login_id": "b"})
    lines = file.read_bytes().split(b"\n")
    lines[2] = b"A2,b\xff" + lines[2][4:]
    file.write_bytes(b"\n".join(lines))
    told = str(refusal(loader.load, "accounts", file))
    assert "line 3, byte 5 (0xFF) is not UTF-8" in told
    assert "--encoding shift_jis" in told
    assert everything() == before


def test_a_broken_byte_late_in_a_large_file_is_reported_by_its_line(tmp_path: Path) -> None:
    header = b"wallet_ref,account_ref,opened_at\n"
    row = b"W%08d,A1,2019-07-01T09:00:00+09:00\n"
    data = bytearray(header + b"".join(row % number for number in range(100_000)))
    data[len(header) + 90_000 * len(row % 1) + 3] = 0xE3
    file = tmp_path / "wallets.csv"
    file.write_bytes(data)
    assert "line 90002, byte 4 (0xE3)" in str(refusal(loader.load, "wallets", file))


def test_shift_jis_read_as_utf_8_is_refused(write: Write) -> None:
    told = str(refusal(loader.load, "accounts", write("accounts", {}, encoding="cp932")))
    assert "line 2" in told
    assert "is not UTF-8" in told


def test_utf_8_read_as_shift_jis_is_refused_and_not_garbled(write: Write) -> None:
    told = str(refusal(loader.load, "accounts", write("accounts", {}), encoding="shift_jis"))
    assert "it is UTF-8, not Shift_JIS" in told
    assert not User.objects.exists()


def test_utf_16_is_refused(write: Write) -> None:
    told = str(refusal(loader.load, "accounts", write("accounts", {}, encoding="utf-16")))
    assert "line 1, byte 4 is a NUL" in told


def test_an_unclosed_quote_is_refused_with_the_line_of_its_start(write: Write) -> None:
    file = write("accounts", {}, {"account_ref": "A2", "login_id": "b"})
    file.write_text(file.read_text().replace("\nA2,b,", '\nA2,"b,'))
    assert "line 3 is not CSV" in str(refusal(loader.load, "accounts", file))


def test_control_characters_are_refused(write: Write) -> None:
    for character in ("\t", "\x07", "\n", "\x1f", "\x7f"):
        file = write("accounts", {"display_name": f"a{character}b"})
        refused = refusal(loader.load, "accounts", file)
        assert [(line, column) for line, column, _ in reasons(refused)] == [(2, "display_name")]


def test_line_numbers_count_the_lines_of_the_file_and_not_the_rows(write: Write) -> None:
    file = write(
        "accounts",
        {"display_name": "two\nlines"},
        {"account_ref": "A2", "login_id": "b", "phone": "nobody"},
    )
    refused = refusal(loader.load, "accounts", file)
    assert [(line, column) for line, column, _ in reasons(refused)] == [
        (2, "display_name"),
        (4, "phone"),
    ]


def test_refused_rows_are_written_back_in_the_encoding_of_the_file(write: Write) -> None:
    bad = {"phone": "x"}
    refused = refusal(
        loader.load, "accounts", write("accounts", bad, encoding="cp932"), encoding="shift_jis"
    )
    assert refused_rows(refused, encoding="cp932")[0]["display_name"] == "花子"
    refused = refusal(loader.load, "accounts", write("accounts", bad, encoding="utf-8-sig"))
    assert Path(refused.facts["refused_file"]).read_bytes().startswith(b"\xef\xbb\xbfline,")


def test_a_file_that_changes_while_it_is_read_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("accounts", {})
    look = examined

    def look_and_write(path: Path, *, encoding: str) -> Any:
        found = look(path, encoding=encoding)
        path.write_text(path.read_text().replace("hanako@", "hanakx@"))
        return found

    monkeypatch.setattr(loader, "examined", look_and_write)
    assert "it changed while it was read" in str(refusal(loader.load, "accounts", file))
    assert not User.objects.exists()


@pytest.mark.parametrize("quote", ["", '"'])
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, quote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 1 << 14)
    kind = file_kinds.get("wallets")

    def peak(rows: int) -> int:
        file = tmp_path / "wallets.csv"
        with file.open("w") as out:
            out.write(",".join(kind.names) + "\n")
            for number in range(rows):
                out.write(f"{quote}W{number}{quote},A{number},2019-07-01T09:00:00+09:00\n")
        source = CsvSource(file, encoding="utf-8", found=examined(file, encoding="utf-8"))
        source.columns = kind.columns
        tracemalloc.start()
        for _ in source.copy_lines():
            pass
        assert source.rows == rows
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    # Both are many blocks long; the larger is ten times the smaller.
    assert peak(20_000) < peak(2_000) * 1.5


def test_an_endless_line_is_refused_and_not_kept_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_bytes(b"x" * (3 << 20))
    with pytest.raises(LoadRefused, match="a line is longer"):
        loader.load("accounts", file)
