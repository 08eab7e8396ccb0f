import { describe, expect, it } from '@jest/globals'
import type { Snapshot, SnapshotRef, TableMetadata } from '../../../jobs/iceberg/metadata/metadata.ts'
import { planExpiry, type Retention } from '../../../jobs/lake/upkeep/retention.ts'

const day = 86_400_000
const now = 100 * day

/** Snapshots by id, that many days old; `rows` are totals, a parent the one before unless another one is said. */
const snapshot = (
  id: number,
  age: number,
  { parent = id - 1, rows = 10 }: { readonly parent?: number; readonly rows?: number } = {},
): Snapshot => ({
  'snapshot-id': BigInt(id),
  ...(parent > 0 && { 'parent-snapshot-id': BigInt(parent) }),
  'sequence-number': id,
  'timestamp-ms': now - age * day,
  'manifest-list': `memory://t/metadata/${id}.avro`,
  summary: { operation: 'append', 'total-records': String(rows) },
})
const branch = (id: number, partial: Partial<SnapshotRef> = {}): SnapshotRef => ({
  type: 'branch',
  'snapshot-id': BigInt(id),
  ...partial,
})
const tag = (id: number, partial: Partial<SnapshotRef> = {}): SnapshotRef => ({
  ...branch(id, partial),
  type: 'tag',
})
const table = (
  snapshots: readonly Snapshot[],
  refs: Readonly<Record<string, SnapshotRef>>,
  properties: Readonly<Record<string, string>> = {},
  log: readonly number[] = [],
): TableMetadata =>
  ({
    snapshots,
    refs,
    properties,
    'snapshot-log': log.map((id) => ({
      'snapshot-id': BigInt(id),
      'timestamp-ms': snapshots.find((one) => one['snapshot-id'] === BigInt(id))!['timestamp-ms'],
    })),
  }) as unknown as TableMetadata

const unsaid: Retention = { olderThanMs: undefined, keep: undefined, keepBeforeShrinkMs: 0 }
const plan = (
  metadata: TableMetadata,
  retention: Partial<Retention> = {},
): { removed: number[]; refs: readonly string[]; shrink: number[] } => {
  const rowsOf = ({ summary }: Snapshot): number | undefined => Number(summary['total-records'])
  const { remove, removeRefs, beforeShrink } = planExpiry(metadata, { ...unsaid, ...retention }, rowsOf, now)
  const ids = (all: readonly Snapshot[]): number[] => all.map((one) => Number(one['snapshot-id']))
  return { removed: ids(remove), refs: removeRefs, shrink: ids(beforeShrink) }
}
/** One snapshot each ten days, the newest today. */
const tenDaily = [1, 2, 3, 4, 5, 6].map((id) => snapshot(id, (6 - id) * 10))

describe('what expires', () => {
  it('is older than 7 days and none of the newest 3, by default', () => {
    expect(plan(table(tenDaily, { main: branch(6) })).removed).toEqual([1, 2, 3])
    const daily = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((id) => snapshot(id, 9 - id))
    expect(plan(table(daily, { main: branch(9) })).removed).toEqual([1])
  })

  it('follows flags before the ref, the ref before the table, the table before the default', () => {
    const ofTable = {
      'history.expire.max-snapshot-age-ms': String(35 * day),
      'history.expire.min-snapshots-to-keep': '2',
    }
    expect(plan(table(tenDaily, { main: branch(6) }, ofTable)).removed).toEqual([1, 2])
    const ofRef = branch(6, { 'max-snapshot-age-ms': 15 * day, 'min-snapshots-to-keep': 1 })
    expect(plan(table(tenDaily, { main: ofRef }, ofTable)).removed).toEqual([1, 2, 3, 4])
    const flags = { olderThanMs: 45 * day, keep: 2 }
    expect(plan(table(tenDaily, { main: ofRef }, ofTable), flags).removed).toEqual([1])
  })

  it('is never a head, though nothing is to be kept (rules 3 and 4)', () => {
    const none = { olderThanMs: 0, keep: 0 }
    const refs = { main: branch(6), audit: branch(2, { 'min-snapshots-to-keep': 0 }), release: tag(4) }
    expect(plan(table(tenDaily, refs), none)).toEqual({ removed: [1, 3, 5], refs: [], shrink: [] })
    // A table with nothing but pinned snapshots has nothing to do.
    const pinned = { main: branch(6), a: tag(1), b: tag(2), c: tag(3), d: tag(4), e: tag(5) }
    expect(plan(table(tenDaily, pinned), none)).toEqual({ removed: [], refs: [], shrink: [] })
  })

  it('is a ref by its own age, by name, and then what only that had; never main (rule 3)', () => {
    const age = { 'max-ref-age-ms': 25 * day }
    const refs = { main: branch(3, age), old: branch(2, age), young: tag(5, age), release: tag(1) }
    const gone = plan(table(tenDaily, refs), { keep: 1 })
    expect(gone).toEqual({ removed: [2, 4], refs: ['old'], shrink: [] })
    const byTable = { 'history.expire.max-ref-age-ms': String(25 * day) }
    expect(plan(table(tenDaily, { main: branch(1), old: tag(2) }, byTable)).refs).toEqual(['old'])
  })

  it('is a snapshot without a ref that is old enough, whoever made it', () => {
    const staged = [...tenDaily, snapshot(7, 20, { parent: 3 }), snapshot(8, 1, { parent: 3 })]
    expect(plan(table(staged, { main: branch(6) })).removed).toEqual([1, 2, 3, 7])
  })

  it('is not young for a clock that went back: each snapshot is asked for itself', () => {
    const snapshots = [snapshot(1, 30), snapshot(2, 1), snapshot(3, 20), snapshot(4, 0)]
    expect(plan(table(snapshots, { main: branch(4) }), { keep: 1 }).removed).toEqual([1, 3])
  })

  it('has an end where parents go in a circle', () => {
    const snapshots = [snapshot(1, 30, { parent: 2 }), snapshot(2, 20)]
    expect(plan(table(snapshots, { main: branch(2) }), { keep: 1 }).removed).toEqual([1])
  })

  it('is not the last snapshot before more than half of the rows went, for so long', () => {
    const rows = [100, 100, 49, 50, 25, 25]
    const shrinking = rows.map((count, at) => snapshot(at + 1, (6 - at - 1) * 10, { rows: count }))
    const metadata = table(shrinking, { main: branch(6) })
    const retention = { keep: 1, olderThanMs: 0 }
    // 50 → 25 is half, not more.
    expect(plan(metadata, { ...retention, keepBeforeShrinkMs: 30 * day })).toMatchObject({
      removed: [1, 3, 4, 5],
      shrink: [2],
    })
    expect(plan(metadata, { ...retention, keepBeforeShrinkMs: 29 * day }).shrink).toEqual([])
    expect(plan(metadata, retention).removed).toEqual([1, 2, 3, 4, 5])
  })

  it('is not what main was before it was set to something smaller', () => {
    const snapshots = [
      snapshot(1, 20, { rows: 10 }),
      snapshot(2, 15, { rows: 100 }),
      snapshot(3, 10, { parent: 1, rows: 11 }),
    ]
    const retention = { keep: 1, olderThanMs: 0, keepBeforeShrinkMs: 30 * day }
    expect(plan(table(snapshots, { main: branch(3) }, {}, [1, 2, 3]), retention)).toMatchObject({
      removed: [1],
      shrink: [2],
    })
  })

  it('is not guessed from a property that is no number', () => {
    const wrong =
      (key: string, value: string): (() => unknown) =>
      () =>
        plan(table(tenDaily, { main: branch(6) }, { [key]: value }))
    for (const key of ['max-snapshot-age-ms', 'min-snapshots-to-keep', 'max-ref-age-ms'])
      for (const value of ['30d', '-1', '', '1e3'])
        expect(wrong(`history.expire.${key}`, value)).toThrow(
          expect.objectContaining({ code: 'usage', field: `history.expire.${key}` }),
        )
  })
})
