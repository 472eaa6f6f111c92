"""`retrograd diagnose`: what it prints of a run that learned next to nothing, and how it exits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.command import Command, write_houses

# So low a learning rate that the weights hardly move.
SLOW = ("--epochs", "6", "--set", "learning_rate=2e-5", "--set", "width=8", "--set", "members=2")


@pytest.fixture
def slow_run(retrograd: Command, tmp_path: Path) -> Path:
    write_houses(tmp_path / "houses.csv", rows=300)
    result = retrograd("train", "houses.csv", "--target", "price", *SLOW, "--out", "slow")
    assert result.code == 0, result.err
    return tmp_path / "slow"


def found(retrograd: Command, run: Path, *options: str) -> dict[str, dict[str, object]]:
    result = retrograd("diagnose", run, "--json", *options)
    told = json.loads(result.out)
    assert result.code == any(each["severity"] != "note" for each in told["findings"])
    return {each["code"]: each for each in told["findings"]}


def test_a_finding_is_named_with_its_evidence_and_what_mends_it(
    retrograd: Command, slow_run: Path
) -> None:
    result = retrograd("diagnose", slow_run)
    assert result.code == 1
    assert "RG203" in result.out
    assert "→" in result.out


def test_json_has_every_part_of_a_finding(retrograd: Command, slow_run: Path) -> None:
    finding = found(retrograd, slow_run)["RG203"]
    assert set(finding) >= {"code", "name", "severity", "evidence", "remedies"}
    assert finding["severity"] in ("error", "warning")


def test_codes_are_muted_by_the_option_and_by_the_configuration(
    retrograd: Command, slow_run: Path
) -> None:
    codes = list(found(retrograd, slow_run))
    assert codes[0] not in found(retrograd, slow_run, "--ignore", codes[0])
    muted = ("--set", f"ignore={','.join(codes)}", "--out", "muted")
    retrograd("train", "houses.csv", "--target", "price", *SLOW, *muted)
    result = retrograd("diagnose", "muted")
    assert result.code == 0
    assert "Nothing is wrong" in result.out


def test_an_unknown_code_is_refused_and_where_it_stands_is_named(
    retrograd: Command, slow_run: Path
) -> None:
    result = retrograd("diagnose", slow_run, "--ignore", "RG999")
    assert result.code == 2
    assert "RG999" in result.err
    assert "--ignore" in result.err


def test_without_its_data_a_run_is_judged_by_its_record(
    retrograd: Command, slow_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "houses.csv").write_text("size,price\n1,2\n")
    result = retrograd("diagnose", slow_run)
    assert result.code == 1
    assert "Only the record is looked at" in result.out
    assert "RG203" in result.out


def test_a_run_without_a_record_is_refused(retrograd: Command, slow_run: Path) -> None:
    shutil.rmtree(slow_run / "record")
    result = retrograd("diagnose", slow_run)
    assert result.code == 2
    assert "record" in result.err


def test_training_report_and_diagnose_give_one_verdict(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv", rows=300)
    # The target itself is among the inputs, which the record of the steps alone does not show.
    lines = (tmp_path / "houses.csv").read_text().splitlines()
    place = lines[0].split(",").index("price")
    rows = [f"{line},{line.split(',')[place]}" for line in lines[1:]]
    (tmp_path / "leak.csv").write_text("\n".join([lines[0] + ",asked", *rows]) + "\n")
    train = ("train", "leak.csv", "--target", "price", "--epochs", "2", "--out", "run", "--json")
    told = json.loads(retrograd(*train).out.splitlines()[-1])["findings"]
    codes = [each["code"] for each in told]
    assert "RG305" in codes
    assert codes == list(found(retrograd, tmp_path / "run"))
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert all(code in page for code in codes)
    # Without the data what training found still stands in the report's place.
    kept = json.loads((tmp_path / "run" / "findings.json").read_text())["findings"]
    assert kept == told


def test_a_run_gone_on_with_has_findings_of_its_own(retrograd: Command, slow_run: Path) -> None:
    before = json.loads((slow_run / "findings.json").read_text())
    more = ("--resume", slow_run, "--epochs", "7")
    assert retrograd("train", *more).code == 0
    after = json.loads((slow_run / "findings.json").read_text())
    assert after != before
    assert [each["code"] for each in after["findings"]] == list(found(retrograd, slow_run))


def test_a_record_without_steps_is_no_clean_run(retrograd: Command, slow_run: Path) -> None:
    for rows in (slow_run / "record").glob("*.rows"):
        rows.write_bytes(b"")
    result = retrograd("diagnose", slow_run)
    assert result.code == 2
    assert "holds no step" in result.err
