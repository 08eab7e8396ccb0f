"""`pytest-counts.py RESULTS.xml STATUS` prints "passed failed skipped" of a pytest run (JUnit XML, exit status).

An expected failure counts as skipped; a run without results, or one that failed otherwise, as a failure.
"""

import sys
import xml.etree.ElementTree as xml

file, status = sys.argv[1:]
try:
    (suite,) = xml.parse(file).getroot().iter("testsuite")
    total, *other = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
except (OSError, xml.ParseError, ValueError):
    total, other = 0, [0, 0, 0]
failures, errors, skipped = other
failed = failures + errors
print(total - failed - skipped, failed if failed or status == "0" else 1, skipped)
