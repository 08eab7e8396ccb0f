"""What holds of every table after every commit, by PyIceberg's reading of its metadata."""

from __future__ import annotations

from pyiceberg.manifest import DataFileContent
from pyiceberg.table import Table


def check_history(table: Table) -> None:
    """One line from the first snapshot, or the first that is left, to the current one, whose sequence numbers and times rise."""
    line = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number)
    assert line[-1].snapshot_id == table.current_snapshot().snapshot_id
    assert [s.parent_snapshot_id for s in line[1:]] == [s.snapshot_id for s in line[:-1]]
    assert line[0].parent_snapshot_id not in {s.snapshot_id for s in line}
    numbers = [snapshot.sequence_number for snapshot in line]
    assert len(set(numbers)) == len(numbers) and numbers[-1] == table.metadata.last_sequence_number
    times = [entry.timestamp_ms for entry in table.history()]
    assert times == sorted(times) and table.metadata.last_updated_ms >= times[-1]


def check_totals(table: Table) -> None:
    """The current summary's totals are those of the live files."""
    snapshot = table.current_snapshot()
    files = [
        entry.data_file
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    ]
    data = [file for file in files if file.content == DataFileContent.DATA]
    deletes = [file for file in files if file.content == DataFileContent.POSITION_DELETES]
    assert len(files) == len(data) + len(deletes)
    wanted = {
        "total-data-files": len(data),
        "total-records": sum(file.record_count for file in data),
        "total-delete-files": len(deletes),
        "total-position-deletes": sum(file.record_count for file in deletes),
        "total-equality-deletes": 0,
        "total-files-size": sum(file.file_size_in_bytes for file in files),
    }
    found = {name: int(snapshot.summary[name]) for name in wanted}
    assert found == wanted, f"totals of {snapshot.summary.operation} {snapshot.snapshot_id}: {found}, files: {wanted}"
