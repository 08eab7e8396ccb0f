"""`pytest-counts.py RESULTS.xml STATUS FAILURES` prints "passed failed skipped" of a pytest run (JUnit XML, exit status).

Which tests failed, and the end of why, is added to the file FAILURES. An expected failure counts as skipped; a run without results, or one that failed otherwise, as a failure.
"""

import sys
import xml.etree.ElementTree as xml

MESSAGE_LINES = 15

file, status, failures_file = sys.argv[1:]
cases = []
try:
    (suite,) = xml.parse(file).getroot().iter("testsuite")
    cases = list(suite.iter("testcase"))
    total, *other = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
except (OSError, xml.ParseError, ValueError):
    total, other = 0, [0, 0, 0]
failures, errors, skipped = other
with open(failures_file, "a") as out:
    for case in cases:
        for fault in [*case.iter("failure"), *case.iter("error")]:
            lines = (fault.text or fault.get("message", "")).strip().splitlines()[-MESSAGE_LINES:]
            print(f"{case.get('classname')} {case.get('name')}", *lines, sep="\n    ", file=out)
failed = failures + errors
print(total - failed - skipped, failed if failed or status == "0" else 1, skipped)
