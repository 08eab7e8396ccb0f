import {
  mainBranch,
  snapshotById,
  type Snapshot,
  type TableMetadata,
} from '../../iceberg/metadata/metadata.ts'
import { runOf } from '../../provenance/provenance.ts'
import { countIn, defined } from './numbers.ts'
import type { RefReport, SnapshotReport } from '../report-schema.ts'

/** The snapshots of a table as a report has them, newest first. */
export function snapshotReports(metadata: TableMetadata, nowMs: number): SnapshotReport[] {
  const inMain = ancestry(metadata, metadata.refs[mainBranch]?.['snapshot-id'])
  const refs = refsBySnapshot(metadata)
  // Of equal times the later one in the list is the newer.
  return [...metadata.snapshots]
    .reverse()
    .map((snapshot) => snapshotReport(snapshot, refs, inMain, nowMs))
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
}

function snapshotReport(
  snapshot: Snapshot,
  refs: ReadonlyMap<bigint, readonly string[]>,
  inMain: ReadonlySet<bigint>,
  nowMs: number,
): SnapshotReport {
  const { 'snapshot-id': id, 'parent-snapshot-id': parent, 'timestamp-ms': ms, summary } = snapshot
  const { engine, run } = writerOf(summary)
  return defined({
    id: String(id),
    parent: parent === undefined ? undefined : String(parent),
    at: new Date(ms).toISOString(),
    ageSeconds: Math.round((nowMs - ms) / 1000),
    operation: summary['operation'] ?? 'unknown',
    engine,
    run,
    addedRows: countIn(summary, 'added-records'),
    removedRows: countIn(summary, 'deleted-records'),
    addedFiles: countIn(summary, 'added-data-files'),
    removedFiles: countIn(summary, 'deleted-data-files'),
    rows: countIn(summary, 'total-records'),
    refs: [...(refs.get(id) ?? [])],
    inMain: inMain.has(id),
  })
}

/**
 * Who made a snapshot, as far as its summary says. Java's engines name themselves (`engine-name`, older ones by keys of their
 * own), we name the run; PyIceberg and DuckDB say nothing.
 */
function writerOf(summary: Readonly<Record<string, string>>): {
  readonly engine: string | undefined
  readonly run: string | undefined
} {
  const own = runOf(summary)
  if (own !== undefined) return { engine: 'lakejobs', run: own }
  const run = runKeys.map((key) => summary[key]).find((value) => value !== undefined)
  const name = summary['engine-name'] ?? engines.find(([key]) => summary[key] !== undefined)?.[1]
  const version = summary['engine-version']
  if (name !== undefined) return { engine: version === undefined ? name : `${name} ${version}`, run }
  return { engine: summary['iceberg-version']?.replace(/ \(commit .*\)$/, ''), run }
}

const runKeys = ['spark.app.id', 'app-id', 'trino_query_id', 'flink.job-id'] as const
const engines: readonly (readonly [key: string, engine: string])[] = [
  ['spark.app.id', 'spark'],
  ['trino_query_id', 'trino'],
  ['flink.job-id', 'flink'],
]

/** A snapshot and those before it, as far as they are retained. */
export function ancestry(metadata: TableMetadata, newest: bigint | undefined): Set<bigint> {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot['snapshot-id'], snapshot]))
  const found = new Set<bigint>()
  for (let one = newest; one !== undefined && byId.has(one) && !found.has(one);) {
    found.add(one)
    one = byId.get(one)?.['parent-snapshot-id']
  }
  return found
}

/** Snapshots that no ref has come through: those of a rollback, above all. */
export function abandoned(metadata: TableMetadata): Snapshot[] {
  const kept = new Set<bigint>()
  for (const ref of Object.values(metadata.refs))
    for (const id of ancestry(metadata, ref['snapshot-id'])) kept.add(id)
  return metadata.snapshots.filter((snapshot) => !kept.has(snapshot['snapshot-id']))
}

function refsBySnapshot(metadata: TableMetadata): Map<bigint, string[]> {
  const refs = new Map<bigint, string[]>()
  for (const [name, ref] of Object.entries(metadata.refs)) {
    const id = ref['snapshot-id']
    refs.set(id, [...(refs.get(id) ?? []), name])
  }
  return refs
}

export const refReports = (metadata: TableMetadata): RefReport[] =>
  Object.entries(metadata.refs).map(([name, ref]) => {
    const ms = snapshotById(metadata, ref['snapshot-id'])?.['timestamp-ms']
    return {
      name,
      type: ref.type,
      snapshot: String(ref['snapshot-id']),
      ...(ms !== undefined && { at: new Date(ms).toISOString() }),
    }
  })
