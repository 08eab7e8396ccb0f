import { fileContent } from '../iceberg/manifest/data-file.ts'
import { isVector } from '../iceberg/manifest/delete-index.ts'
import { snapshotById, type TableMetadata } from '../iceberg/metadata/metadata.ts'
import { entriesOf, hasDeletes } from '../lake/read-plan.ts'
import { isManaged } from '../provenance/managed.ts'
import { parseSource } from '../provenance/source.ts'
import { smallShare } from '../lake/upkeep/compaction.ts'
import { targetBytes } from '../iceberg/writer/write-settings.ts'
import { fileSizes } from './facts/file-sizes.ts'
import type { Looked } from './look.ts'
import { sum } from './facts/numbers.ts'
import type { Views } from './options.ts'
import { partitionReports, partitionsReport, partitionText } from './facts/partitions.ts'
import { readerReports } from './facts/readers.ts'
import { remediesFor } from './remedies.ts'
import type { DeletesReport, FileReport, MetadataReport, TableReport } from './report-schema.ts'
import { columnReports, schemaHistory } from './facts/schema-history.ts'
import { abandoned, refReports, snapshotReports } from './facts/snapshots.ts'
import { compactable, expirable } from '../lake/upkeep/due.ts'
import { verdictsOf } from './verdicts.ts'

const mostNewest = 5

/** What is known of a table beside its metadata; `source`: what it is exported from, unset: as its snapshots say. */
export interface Beside extends Pick<TableReport, 'storage' | 'tree'> {
  readonly source?: string | undefined
}

/** What there is to say of a table; pure. `catalog` is its catalog's name. */
export function reportOf(
  looked: Looked,
  views: Views,
  catalog: string,
  { storage, tree, source }: Beside = {},
): TableReport {
  const { name, table, plan, nowMs } = looked
  const { metadata } = table
  const files = plan.files.map(({ file }) => file)
  const target = targetBytes(metadata.properties)
  const snapshots = snapshotReports(metadata, nowMs)
  const partitionList = partitionReports(metadata, plan.files, smallShare * target)
  const snapshotId = plan.snapshot?.['snapshot-id']
  const snapshot = snapshots.find(({ id }) => id === String(snapshotId))
  const oldest = snapshots.at(-1)?.at
  const facts = {
    table: name,
    uuid: metadata['table-uuid'],
    location: metadata.location,
    formatVersion: metadata['format-version'],
    managed: isManaged(metadata),
    rows: sum(files.map((file) => file.recordCount)),
    files: files.length,
    bytes: sum(files.map((file) => file.fileSizeInBytes)),
    ...(snapshot && { snapshot }),
    fileSizes: fileSizes(files, target),
    partitions: partitionsReport(metadata, plan.files, partitionList, snapshotId),
    snapshots: {
      count: snapshots.length,
      ...(oldest !== undefined && { oldest }),
      abandoned: abandoned(metadata).length,
      newest: snapshots.slice(0, mostNewest),
    },
    refs: refReports(metadata),
    schema: {
      id: plan.schema['schema-id'],
      columns: columnReports(plan.schema),
      history: schemaHistory(metadata),
    },
    metadata: metadataReport(looked),
    deletes: deletesReport(looked),
    readers: readerReports(looked),
    ...(storage && { storage }),
    ...(tree && { tree }),
    ...(views.files && { fileList: fileReports(looked) }),
    ...(views.snapshots && { snapshotList: snapshots }),
    ...(views.partitions && { partitionList }),
  }
  const upkeep = {
    compactable: compactable(metadata, plan),
    expirable: expirable(metadata, nowMs),
  }
  return {
    ...facts,
    verdicts: verdictsOf(
      facts,
      upkeep,
      remediesFor(
        catalog,
        name,
        source ?? sourceOf(metadata, snapshotId),
        upkeep.compactable.refused === undefined,
      ),
    ),
  }
}

/** The source's table, as the newest snapshot of ours says. */
function sourceOf(metadata: TableMetadata, snapshotId: bigint | undefined): string | undefined {
  for (let id = snapshotId; id !== undefined;) {
    const snapshot = snapshotById(metadata, id)
    const source = snapshot && parseSource(snapshot.summary)
    if (source !== undefined) return source.table
    id = snapshot?.['parent-snapshot-id']
  }
  return undefined
}

function metadataReport({ table, plan, metadataBytes, listBytes }: Looked): MetadataReport {
  const { metadata, metadataLocation = '' } = table
  const manifestBytes = sum(plan.manifests.map(({ manifestLength }) => manifestLength))
  return {
    location: metadataLocation,
    ...(metadataBytes !== undefined && { bytes: metadataBytes }),
    previousFiles: metadata['metadata-log'].length,
    snapshotLogEntries: metadata['snapshot-log'].length,
    manifests: plan.manifests.length,
    manifestBytes,
    ...(listBytes !== undefined && { manifestListBytes: listBytes }),
    planningBytes: (metadataBytes ?? 0) + (listBytes ?? 0) + manifestBytes,
  }
}

function deletesReport({ plan: { files, deleteFiles } }: Looked): DeletesReport {
  const applied = new Set(files.flatMap(({ deletes }) => entriesOf(deletes)))
  const vectors = deleteFiles.filter(({ dataFile }) => isVector(dataFile))
  const equalities = deleteFiles.filter(({ dataFile }) => dataFile.content === fileContent.equalityDeletes)
  // Several vectors may share a Puffin file.
  const bytes = new Map(deleteFiles.map(({ dataFile }) => [dataFile.filePath, dataFile.fileSizeInBytes]))
  return {
    positionFiles: deleteFiles.length - vectors.length - equalities.length,
    vectors: vectors.length,
    equalityFiles: equalities.length,
    rows: sum(
      deleteFiles
        .filter(({ dataFile }) => dataFile.content === fileContent.positionDeletes)
        .map(({ dataFile }) => dataFile.recordCount),
    ),
    bytes: sum([...bytes.values()]),
    filesWithDeletes: files.filter(hasDeletes).length,
    dangling: deleteFiles.filter((entry) => !applied.has(entry)).length,
  }
}

const fileReports = ({ table: { metadata }, plan: { files } }: Looked): FileReport[] =>
  files
    .map(({ file, sequenceNumber, snapshotId, deletes }) => ({
      path: file.filePath,
      partition: partitionText(metadata, file),
      rows: file.recordCount,
      bytes: file.fileSizeInBytes,
      format: file.fileFormat,
      sequence: sequenceNumber,
      ...(snapshotId !== undefined && { snapshot: String(snapshotId) }),
      deletes: entriesOf(deletes).length,
    }))
    .sort((a, b) => (a.partition === b.partition ? 0 : a.partition < b.partition ? -1 : 1))
