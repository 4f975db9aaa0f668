"""Compares what pkcs11-check reported with docs/conformance.md, which is the only list of what is known.

    verdict.py PAGE SET left-out               the tests that are left out of SET (quick or codes), one a line
    verdict.py PAGE SET verdict REPORT.jsonl   the verdict on a run: 0 when the page tells all that it found

A row of the page's tables begins with a test in backticks; `*` stands for anything. A row that no longer holds is a
failure as well, so that the page stays true.
"""

import collections
import json
import re
import sys

LEFT_OUT = {"quick": ["Left out"], "codes": ["Left out", "Left out of the strict run"]}
XFAILS = {"quick": ["Expected xfails", "Left out of the strict run"], "codes": ["Expected xfails"]}
MAYBE = "Xfails of the machine"


def main(page, which, task, *rest):
    tables = read_tables(page)
    left_out = [row for heading in LEFT_OUT[which] for row in tables[heading]]
    if which == "codes":
        left_out = [row for row in left_out if row.startswith("ckr/")]
    if task == "left-out":
        print(*left_out, sep="\n")
        return 0
    xfails = [row for heading in XFAILS[which] for row in tables[heading]]
    return verdict(which, read_report(rest[0]), left_out, xfails, tables[MAYBE])


def read_tables(page):
    """The first column of each table, by the heading that it stands under."""
    tables = collections.defaultdict(list)
    heading = ""
    with open(page, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                heading = line.lstrip("#").strip()
            elif row := re.match(r"\| `([^`]+)` \|", line):
                tables[heading].append(row[1])
    return tables


def read_report(path):
    """What became of each test, with the reason; and of the run, if it did not come to its end."""
    outcomes, last, ended = {}, "", False
    with open(path, encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            ended |= record["$report_type"] == "SessionFinish"
            if record["$report_type"] == "TestReport":
                last = record["nodeid"]
                outcome, reason = outcome_of(record)
                if outcome != "passed" or record["when"] == "call":
                    outcomes[last] = (outcome, reason)
    if not ended:
        outcomes["the run"] = ("crashed", f"it ended in or after {last}")
    return outcomes


def outcome_of(record):
    if record.get("wasxfail") is not None and record["outcome"] == "skipped":
        return "xfailed", record["wasxfail"]
    if record["outcome"] == "failed":
        crash = (record["longrepr"] or {}).get("reprcrash") if isinstance(record["longrepr"], dict) else None
        return "failed", crash["message"].splitlines()[0] if crash else str(record["longrepr"])
    return record["outcome"], ""


def verdict(which, outcomes, left_out, xfails, maybe):
    counts = collections.Counter(outcome for outcome, _ in outcomes.values())
    bad = []
    for test, (outcome, reason) in sorted(outcomes.items()):
        if outcome in ("failed", "crashed"):
            bad.append(f"{outcome}: {test}: {reason}")
        elif outcome == "xfailed" and not any(matches(row, test) for row in xfails + maybe):
            bad.append(f"xfailed, not on the page: {test}: {reason}")
    for row in left_out:
        if row in outcomes:
            bad.append(f"left out, and yet it ran: {row}")
    for row in xfails:
        ran = [outcome for test, (outcome, _) in outcomes.items() if matches(row, test)]
        if ran and "xfailed" not in ran:
            bad.append(f"on the page, and no xfail any more: {row}: {', '.join(sorted(set(ran)))}")
    for line in bad:
        print(line)
    table = ", ".join(f"{counts[name]} {name}" for name in ("passed", "failed", "crashed", "xfailed", "skipped"))
    print(f"conformance {which}: {table}; {len(left_out)} left out; {'not as' if bad else 'as'} docs/conformance.md says")
    return 1 if bad or not counts["passed"] else 0


def matches(row, test):
    return re.fullmatch(".*".join(map(re.escape, row.split("*"))), test) is not None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
