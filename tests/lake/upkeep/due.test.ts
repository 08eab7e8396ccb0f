import { describe, expect, it } from '@jest/globals'
import { compactable } from '../../../jobs/lake/upkeep/due.ts'
import { noDeletes } from '../../../jobs/iceberg/manifest/delete-index.ts'
import type { TableMetadata } from '../../../jobs/iceberg/metadata/metadata.ts'
import { emptyMetadata } from '../../lake/parquet-folder.ts'
import type { PlannedFile } from '../../../jobs/lake/read-plan.ts'

const planned = (bytes: number, day = 0): PlannedFile => ({
  file: {
    content: 0,
    filePath: 'a',
    fileFormat: 'PARQUET',
    specId: 0,
    partition: [day],
    recordCount: 2,
    fileSizeInBytes: bytes,
  },
  sequenceNumber: 1,
  snapshotId: 1n,
  position: 'inside',
  deletes: noDeletes,
})
const target1000 = {
  ...emptyMetadata,
  'format-version': 2,
  refs: {},
  snapshots: [],
  properties: { 'write.target-file-size-bytes': '1000' },
} as unknown as TableMetadata
const many = (count: number, bytes: number, day = 0): PlannedFile[] =>
  Array.from({ length: count }, () => planned(bytes, day))

describe('files that compaction would rewrite', () => {
  it.each([
    ['five small ones', many(5, 100), 5],
    ['four small ones: too few', many(4, 100), 0],
    ['five small ones of as many days', [1, 2, 3, 4, 5].map((day) => planned(100, day)), 0],
    ['none that are right', many(9, 800), 0],
    ['five of which as many would come', many(5, 749), 5],
    ['one that is too large', many(1, 1801), 1],
    ['one at the edge', many(1, 1800), 0],
  ])('are %s', (_, files, expected) => {
    expect(compactable(target1000, { files, deleteFiles: [], manifests: [] }).files).toBe(expected)
  })

  it('are those with deleted rows, whatever their size', () => {
    const entry = {
      status: 1,
      snapshotId: 1n,
      sequenceNumber: 1,
      fileSequenceNumber: 1,
      dataFile: planned(1).file,
    }
    const deleted = { ...planned(900), deletes: { ...noDeletes, positions: [entry] } }
    expect(
      compactable(target1000, { files: [deleted, ...many(3, 900)], deleteFiles: [entry], manifests: [] }),
    ).toEqual({
      files: 1,
      bytes: 900,
      partitions: 1,
      manifests: 0,
      refused: undefined,
    })
  })
})
