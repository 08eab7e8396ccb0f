import { describe, expect, it } from '@jest/globals'
import type { TableMetadata } from '../../jobs/iceberg/metadata/metadata.ts'
import { parseMetadata } from '../../jobs/iceberg/metadata/metadata-json.ts'
import { without } from '../support/without.ts'
import { chooseSnapshot, currentState, type SnapshotChoice } from '../../jobs/lake/snapshot-choice.ts'

/** A table of version 3 as its JSON: rolled back from 3 to 2 at 4000, snapshot 1 expired but for a tag's. */
const text = `{
  "format-version": 3, "table-uuid": "u", "location": "s3://b/t", "last-sequence-number": 5, "last-updated-ms": 5000,
  "last-column-id": 2, "next-row-id": 8103159149723679872,
  "schemas": [
    {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "a", "required": false, "type": "int"}]},
    {"type": "struct", "schema-id": 1, "fields": [{"id": 1, "name": "b", "required": false, "type": "long"},
      {"id": 2, "name": "c", "required": true, "type": "string", "initial-default": "x", "write-default": "y"}]}],
  "current-schema-id": 1,
  "partition-specs": [{"spec-id": 0, "fields": []}], "default-spec-id": 0, "last-partition-id": 999,
  "sort-orders": [{"order-id": 0, "fields": []}], "default-sort-order-id": 0,
  "current-snapshot-id": 8103159149723679872,
  "snapshots": [
    {"snapshot-id": 2, "sequence-number": 2, "timestamp-ms": 2000, "manifest-list": "l2", "summary": {"operation": "append"}, "schema-id": 0, "first-row-id": 0, "added-rows": 5},
    {"snapshot-id": 3, "parent-snapshot-id": 2, "sequence-number": 3, "timestamp-ms": 3000, "manifest-list": "l3", "summary": {"operation": "append"}, "schema-id": 1, "first-row-id": 5, "added-rows": 5},
    {"snapshot-id": 8103159149723679872, "parent-snapshot-id": 2, "sequence-number": 5, "timestamp-ms": 5000, "manifest-list": "l5", "summary": {"operation": "append"}, "schema-id": 0, "first-row-id": 10, "added-rows": 1}],
  "snapshot-log": [{"timestamp-ms": 2000, "snapshot-id": 2}, {"timestamp-ms": 3000, "snapshot-id": 3},
    {"timestamp-ms": 4000, "snapshot-id": 2}, {"timestamp-ms": 5000, "snapshot-id": 8103159149723679872}],
  "refs": {"main": {"type": "branch", "snapshot-id": 8103159149723679872}, "audit": {"type": "branch", "snapshot-id": 2},
    "release": {"type": "tag", "snapshot-id": 2}}
}`
const metadata = parseMetadata(text, 'v3.metadata.json')
const chosen = (
  choice: SnapshotChoice,
  of: TableMetadata = metadata,
): readonly [bigint | undefined, number] => {
  const { snapshot, schema } = chooseSnapshot('t', of, choice)
  return [snapshot?.['snapshot-id'], schema['schema-id']]
}

describe('the snapshot that is read', () => {
  it('is main’s newest, under the table’s schema', () => {
    expect(chosen(currentState)).toEqual([8103159149723679872n, 1])
    const empty = without(metadata, 'current-snapshot-id')
    expect(chosen(currentState, { ...empty, snapshots: [], refs: {} })).toEqual([undefined, 1])
  })

  it('is a branch’s under the table’s schema, a tag’s or a snapshot’s under its own', () => {
    expect(chosen({ kind: 'ref', name: 'audit' })).toEqual([2n, 1])
    expect(chosen({ kind: 'ref', name: 'release' })).toEqual([2n, 0])
    expect(chosen({ kind: 'id', id: 3n })).toEqual([3n, 1])
    const nameless = without(metadata.snapshots[0]!, 'schema-id')
    expect(chosen({ kind: 'id', id: 2n }, { ...metadata, snapshots: [nameless] })).toEqual([2n, 1])
  })

  it('is what the log says was current at a time, rollbacks too', () => {
    const at = (ms: number): bigint | undefined => chosen({ kind: 'as-of', ms })[0]
    expect([2000, 2999, 3000, 3999, 4000, 4999, 5000, 9e12].map(at)).toEqual([
      2n,
      2n,
      3n,
      3n,
      2n,
      2n,
      8103159149723679872n,
      8103159149723679872n,
    ])
  })

  it.each<readonly [string, SnapshotChoice, string, string]>([
    ['expired', { kind: 'id', id: 1n }, 'no snapshot 1: it has expired', '8103159149723679872, 3, 2'],
    ['unknown', { kind: 'ref', name: 'mian' }, 'no branch or tag mian', 'main, audit, release'],
    ['of objects', { kind: 'ref', name: 'toString' }, 'no branch or tag toString', 'main, audit, release'],
    [
      'too early',
      { kind: 'as-of', ms: 1999 },
      'as of 1970-01-01T00:00:01.999Z',
      '1970-01-01T00:00:02.000Z or later',
    ],
  ])('is refused when it is %s, saying what there is', (_what, choice, message, fix) => {
    expect(() => chosen(choice)).toThrow(
      expect.objectContaining({
        code: 'data',
        message: expect.stringContaining(message),
        fix: expect.stringContaining(fix),
      }),
    )
  })

  it('of a table without history is refused too', () => {
    const empty = { ...metadata, snapshots: [], 'snapshot-log': [] }
    for (const choice of [
      { kind: 'id', id: 1n },
      { kind: 'as-of', ms: 1 },
    ] as const)
      expect(() => chosen(choice, empty)).toThrow(
        expect.objectContaining({ fix: expect.stringContaining('read the table as it is') }),
      )
  })
})
