import { expect, it } from '@jest/globals'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDataFiles, type DataFilesWriter } from '../../../jobs/export/write/data-files.ts'
import { loadCodec } from '../../../jobs/parquet/codec.ts'
import { defaultLimits, encodeRowGroup, type RelocatableRowGroup } from '../../../jobs/parquet/row-group.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { column, duckdb, int32s } from '../../parquet/support.ts'

const columns = [column('n', { kind: 'int32' }), column('v', { kind: 'int32' })]
const codec = await loadCodec('none')
const rowGroup = (n: number, values: number[]): RelocatableRowGroup =>
  encodeRowGroup(columns, [int32s(values.map(() => n)), int32s(values)], { ...defaultLimits, codec })

const int = { kind: 'int' } as const
const all = { kind: 'all' } as const
const nulls = { kind: 'nulls' } as const
const writerOn = (io: FileIO, scratch: string, targetBytes = 1e9): DataFilesWriter =>
  createDataFiles({
    io,
    location: 'memory://lake/t',
    schema: {
      type: 'struct',
      'schema-id': 0,
      fields: [
        { id: columns[0]!.fieldId, name: 'n', required: false, type: 'int' },
        { id: columns[1]!.fieldId, name: 'v', required: false, type: 'int' },
      ],
    },
    columns,
    specId: 0,
    fields: [
      { id: 1000, name: 'n', sourceId: columns[0]!.fieldId, transform: { kind: 'identity' }, type: int },
    ],
    properties: {},
    targetBytes,
    operationId: 'op',
    scratch,
    mostOpen: 3,
    signal: new AbortController().signal,
  })

async function locationsIn(io: FileIO): Promise<string[]> {
  const found: string[] = []
  for await (const { location } of io.list('memory://lake')) found.push(location)
  return found
}

async function withScratch(work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'lakejobs-data-files-'))
  await work(scratch)
  expect(await readdir(scratch)).toEqual([])
  await rm(scratch, { recursive: true })
}

it('gives each of more partitions than files may be open one file, in whatever order rows come', () =>
  withScratch(async (scratch) => {
    const io = memoryFileIO(() => new Date(0))
    const writer = writerOn(io, scratch)
    for (let round = 0; round < 4; round++)
      for (let n = 0; n < 10; n++)
        await writer.add({ partition: [n], rowGroup: rowGroup(n, [round, 10 * n]) }, n < 8 ? all : nulls)
    const files = await writer.finish(({ kind }) => kind === 'all')
    expect(files.map(({ partition }) => partition[0]).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect((await locationsIn(io)).sort()).toEqual(files.map(({ filePath }) => filePath).sort())
    for (const { partition, filePath, recordCount, lowerBounds, upperBounds } of files) {
      const n = Number(partition[0])
      expect(recordCount).toBe(8)
      const read = await duckdb(await io.read(filePath), 'SELECT n, v FROM $file')
      expect(read).toEqual([0, 1, 2, 3].flatMap((round) => [round, 10 * n].map((v) => ({ n, v }))))
      const bounds = [lowerBounds, upperBounds].map((of) =>
        Buffer.from(of!.get(columns[1]!.fieldId)!).readInt32LE(),
      )
      expect(bounds).toEqual([0, Math.max(3, 10 * n)])
    }
  }))

/** The store, and how many files are open in it, now and at most. */
function counting(io: FileIO): { io: FileIO; open: () => number; most: () => number } {
  let open = 0
  let most = 0
  const create: FileIO['create'] = async (location, options) => {
    const file = await io.create(location, options)
    most = Math.max(most, ++open)
    return { ...file, close: (look) => file.close(look).finally(() => open--) }
  }
  return { io: { ...io, create }, open: () => open, most: () => most }
}

it('has no more files open than it may, while rows come and when they are all there', () =>
  withScratch(async (scratch) => {
    const { io, open, most } = counting(memoryFileIO(() => new Date(0)))
    const writer = writerOn(io, scratch)
    for (let n = 0; n < 20; n++) await writer.add({ partition: [n], rowGroup: rowGroup(n, [1]) }, all)
    expect([open(), most()]).toEqual([3, 3])
    await writer.finish(() => true)
    expect([open(), most()]).toEqual([0, 3])
  }))

it('begins another file of a partition where one is large enough, those that waited, too', () =>
  withScratch(async (scratch) => {
    const writer = writerOn(
      memoryFileIO(() => new Date(0)),
      scratch,
      1,
    )
    for (let n = 0; n < 5; n++)
      for (let part = 0; part < 2; part++)
        await writer.add({ partition: [n], rowGroup: rowGroup(n, [part]) }, all)
    const files = await writer.finish(() => true)
    expect(files.map(({ partition }) => partition[0]).sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
  }))

it('leaves nothing behind when it is discarded, before and after files are finished', () =>
  withScratch(async (scratch) => {
    const io = memoryFileIO(() => new Date(0))
    for (const isFinished of [false, true]) {
      const writer = writerOn(io, scratch)
      for (let n = 0; n < 5; n++) await writer.add({ partition: [n], rowGroup: rowGroup(n, [1]) }, all)
      if (isFinished) expect(await writer.finish(() => true)).toHaveLength(5)
      expect(await writer.discard()).toEqual([])
      expect(await locationsIn(io)).toEqual([])
    }
  }))
