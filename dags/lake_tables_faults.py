"""Says what is wrong in `lakejobs.yaml`: an import error of this file, which has no DAG, stands on Airflow's home page."""

from __future__ import annotations

from lakejobs_dags.tables.document import Faults
from lakejobs_dags.tables.forms import config_file, read

_faults = Faults()
read(_faults)
if _faults.found:
    _texts = [fault.text(str(config_file())) for fault in sorted(_faults.found, key=lambda fault: fault.line)]
    raise ValueError("\n".join(_texts))
