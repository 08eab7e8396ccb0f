import { describe, expect, it } from '@jest/globals'
import { listText } from '../../../jobs/iceberg/json/json-lists.ts'
import { branchSnapshot, type TableMetadata } from '../../../jobs/iceberg/metadata/metadata.ts'
import { metadataBytes, parseMetadata } from '../../../jobs/iceberg/metadata/metadata-json.ts'
import { applyUpdates, logPrevious, type TableUpdate } from '../../../jobs/iceberg/metadata/updates.ts'
import { deepFreeze } from '../deep-freeze.ts'
import { byDay, dataFile, eachWithTables, emptyTable } from '../tables.ts'

const lake = eachWithTables()
const { commit } = lake

/** A table of three snapshots and a branch, as it is in its file. */
async function written(): Promise<string> {
  let table = await emptyTable(lake, byDay)
  for (let n = 0; n < 3; n++) table = await commit(table, { addFiles: [dataFile(table, { count: 1 }, [n])] })
  const first = table.metadata.snapshots[0]!['snapshot-id']
  table = await lake.catalog.commit(
    table.identifier,
    [],
    [{ action: 'set-snapshot-ref', 'ref-name': 'audit', type: 'branch', 'snapshot-id': first }],
  )
  return (await lake.io.read(table.metadataLocation!)).toString()
}

describe('what is remembered by identity', () => {
  const snapshotOf = (metadata: TableMetadata): TableUpdate => ({
    action: 'add-snapshot',
    snapshot: {
      ...branchSnapshot(metadata, 'main')!,
      'snapshot-id': 99n,
      'sequence-number': metadata['last-sequence-number'] + 1,
      'timestamp-ms': metadata['last-updated-ms'],
    },
  })
  const all: readonly [string, (metadata: TableMetadata) => readonly TableUpdate[]][] = [
    ['nothing', () => []],
    ['a snapshot', (metadata) => [snapshotOf(metadata)]],
    [
      'a snapshot of main',
      (metadata) => [
        snapshotOf(metadata),
        { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 99n },
      ],
    ],
    [
      'a rollback',
      ({ snapshots }) => [
        {
          action: 'set-snapshot-ref',
          'ref-name': 'main',
          type: 'branch',
          'snapshot-id': snapshots[1]!['snapshot-id'],
        },
      ],
    ],
    ['no main', () => [{ action: 'remove-snapshot-ref', 'ref-name': 'main' }]],
    [
      'expiry',
      ({ snapshots }) => [{ action: 'remove-snapshots', 'snapshot-ids': [snapshots[1]!['snapshot-id']] }],
    ],
    ['a property', () => [{ action: 'set-properties', updates: { a: 'b' } }]],
    [
      'another schema',
      ({ schemas }) => [
        { action: 'add-schema', schema: { ...schemas[0]!, fields: schemas[0]!.fields.slice(1) } },
        { action: 'set-current-schema', 'schema-id': -1 },
      ],
    ],
    ['another spec', () => [{ action: 'add-spec', spec: { 'spec-id': 0, fields: [] } }]],
  ]

  it.each(all)('is not changed, and its text is what it is: %s', async (_what, updatesOf) => {
    const base = deepFreeze(parseMetadata(await written(), 'a'))
    const next = logPrevious(applyUpdates(base, updatesOf(base), lake.clock.ms + 1000), base, 'a')
    const again = deepFreeze(applyUpdates(deepFreeze(next), [{ action: 'set-properties', updates: {} }], 0))
    for (const metadata of [base, next, again]) {
      // Twice: the second time the text is a remembered one.
      const texts = [metadataBytes(metadata), metadataBytes(metadata)].map(String)
      expect(texts[1]).toBe(texts[0])
      const read = parseMetadata(texts[0]!, 'again')
      expect([listsOf(read), read.refs]).toEqual([listsOf(metadata), metadata.refs])
    }
  })
})

it('a list is known by all of its elements', () => {
  const [a, b, c] = [{ n: 1 }, { n: 2 }, { n: 3 }]
  const text = (...list: readonly object[]): string => listText(list).join('')
  expect([text(a, b, c), text(a, b, c), text({ n: 4 }, b, c), text(b, c), text(a, c), text()]).toEqual([
    '{"n":1},{"n":2},{"n":3}',
    '{"n":1},{"n":2},{"n":3}',
    '{"n":4},{"n":2},{"n":3}',
    '{"n":2},{"n":3}',
    '{"n":1},{"n":3}',
    '',
  ])
})

const listsOf = (metadata: TableMetadata): unknown => [
  metadata.snapshots.map((snapshot) => ({ ...snapshot, summary: { ...snapshot.summary } })),
  metadata['snapshot-log'],
]
