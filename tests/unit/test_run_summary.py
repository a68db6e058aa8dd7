"""ingest.run_summary: plans and reports in words, whatever the files are called."""

from __future__ import annotations

import json
from dataclasses import replace

from app.losses import LossyDocument
from ingest.pipeline import DuplicateFile, Plan, Report
from ingest.run_summary import plan_lines, plan_object, report_lines, report_object, to_json
from ingest.sources import SkippedSource, SourceFailure

NOTHING = Plan((), (), (), (), (), (), (), (), (), frozenset(), ())


def test_a_plan_reads_as_a_diff() -> None:
    plan = Plan(
        new=("新.md",),
        changed=("changed.md",),
        renamed=(("old.md", "new/name.md"),),
        unchanged=("a.md", "b.md"),
        removed=("gone.md",),
        failed=(SourceFailure("closed.md", "unreadable", "…"),),
        retried=(SourceFailure("broken.pdf", "parse_failed", "…"),),
        duplicates=(("copy.md", "a.md"),),
        work=(),
        replaced=frozenset(),
        moved=(),
    )
    assert list(plan_lines(plan)) == [
        "+ 新.md",
        "~ changed.md",
        "> old.md → new/name.md",
        "- gone.md",
        "& copy.md (the same bytes as a.md)",
        "! closed.md (unreadable)",
        "! broken.pdf (parse_failed before; tried again)",
        "= 2 unchanged",
        "1 new, 1 changed, 1 renamed, 2 unchanged, 1 removed, 2 failed, 1 duplicate",
    ]
    shown = plan_object(plan)
    assert (shown["new"], shown["renamed"], len(shown["failed"]), shown["dry_run"]) == (1, 1, 2, True)
    assert shown["plan"]["renamed"] == [{"from": "old.md", "to": "new/name.md"}]
    assert shown["duplicates"] == [{"source": "copy.md", "of": "a.md", "similarity": 1.0}]
    json.loads(to_json(shown))


def test_f_1123_what_is_no_document_is_one_line_with_numbers_by_kind() -> None:
    """F-1123: pictures were listed as failures, in which a real one drowned."""
    codes = ["temporary", "picture", "excluded", "picture"]
    skipped = [SkippedSource(f"{n}.x", code, "…") for n, code in enumerate(codes)]
    line = "skipped: 2 pictures, 1 temporary file, 1 excluded"
    lines = list(report_lines(Report(skipped=skipped, excluded_documents=1), "default", interrupted=False))
    assert lines[1:] == [
        line,
        "in the collection from skipped files: 1 document, left as they are; `pgask documents delete` forgets them",
    ]
    plan = replace(NOTHING, skipped=tuple(skipped))
    assert list(plan_lines(plan)) == [line, "nothing to do"]
    assert plan_object(plan)["skipped"][0] == {"source": "0.x", "code": "temporary", "detail": "…"}


def test_what_was_left_out_is_counted_and_a_lossy_document_named() -> None:
    """Nothing is cut off silently: the summary says how much of which kind, and of which document much."""
    report = Report(
        dropped_chars={"hidden": 4, "drawing": 1200}, lossy_documents=[LossyDocument("a\x1b.tex", 0.234)]
    )
    lossy, _, left_out = report_lines(report, "default", interrupted=False)
    assert lossy == "lossy  a�.tex: 23% of its visible text was left out; `pgask documents show` tells what"
    assert left_out == "left out: 1,204 characters (drawing 1,200, hidden 4)"
    assert report_object(report)["lossy_documents"] == [{"source": "a\x1b.tex", "share": 0.234}]


def test_an_empty_plan_says_so() -> None:
    assert list(plan_lines(NOTHING)) == ["nothing to do"]


def test_files_that_fail_on_every_run_are_told_beside_nothing_to_do() -> None:
    broken = tuple(SourceFailure(f"{n}.pdf", "parse_failed", "…") for n in range(3))
    closed = (SourceFailure("closed.md", "unreadable", "…"),)
    *_, once = plan_lines(replace(NOTHING, retried=broken))
    assert once == "nothing to do; 3 failed files would be tried again"
    *_, both = plan_lines(replace(NOTHING, unchanged=("a.md",), failed=closed, retried=broken[:1]))
    assert both == "nothing to do; 1 file can't be taken in; 1 failed file would be tried again"
    *_, still = plan_lines(replace(NOTHING, still_failed=broken))
    assert still == "nothing to do; 3 failed files not changed since, so not tried again; --rehash tries"


def test_a_long_plan_is_cut_and_counted() -> None:
    lines = list(plan_lines(replace(NOTHING, new=tuple(f"{n}.md" for n in range(250)))))
    assert len(lines) == 102
    assert lines[100] == "+ … and 150 more"
    assert lines[101].startswith("250 new, ")


def test_a_report_names_failures_duplicates_and_coverage() -> None:
    report = Report(
        new=2,
        failed=[SourceFailure("x\x1b[2J.pdf", "encrypted", "It asks\nfor a password.")],
        chunks=9,
        tokens=4_000,
        seconds=1.26,
        duplicates=[DuplicateFile("b.md", "a.md", 1.0), DuplicateFile("c.md", "a.md", 0.934)],
        embedded_tokens=3_000,
        reused_tokens=1_000,
        unreadable_documents=3,
    )
    lines = list(report_lines(report, "zh docs", interrupted=True))
    assert lines[:4] == [
        "failed  x�[2J.pdf: encrypted. It asks�for a password.",
        "duplicate  b.md: the same text as a.md",
        "duplicate  c.md: 0.93 like a.md",
        "2 new, 0 changed, 0 renamed, 0 unchanged, 0 removed, 1 failed, 2 duplicates; 9 chunks, 4,000 tokens in 1.3 s",
    ]
    assert lines[4] == "coverage: 4,000 tokens read, 3,000 embedded, 1,000 reused, 0 dropped"
    assert "can't read 3 documents of collection 'zh docs' (over 10% unknown tokens)" in lines[5]
    assert "multilingual model" in lines[5]
    assert "run the same command again" in lines[6]
    assert report_object(report)["duplicates"][1] == {"source": "c.md", "of": "a.md", "similarity": 0.934}


def test_a_quiet_report_has_one_line_and_duplicates_are_capped() -> None:
    assert len(list(report_lines(Report(unchanged=5), "default", interrupted=False))) == 1
    many = Report(duplicates=[DuplicateFile(f"{n}.md", "a.md", 1.0) for n in range(120)])
    lines = list(report_lines(many, "default", interrupted=False))
    assert len(lines) == 102
    assert lines[100] == "duplicate  … and 20 more"


def test_json_keeps_letters_and_escapes_what_acts_on_a_terminal() -> None:
    text = to_json({"source": "中文\x1b\u202e\n", "plain": "é"})
    assert text.isprintable()
    assert "中文" in text
    assert json.loads(text) == {"source": "中文\x1b\u202e\n", "plain": "é"}
