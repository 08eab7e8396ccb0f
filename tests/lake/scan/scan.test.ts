import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DataFile, ManifestEntry } from '../../../jobs/iceberg/manifest/data-file.ts'
import type { TableMetadata } from '../../../jobs/iceberg/metadata/metadata.ts'
import type { NestedField } from '../../../jobs/iceberg/schema/types.ts'
import { deletedPositions } from '../../../jobs/lake/scan/puffin.ts'
import type { PlannedFile } from '../../../jobs/lake/read-plan.ts'
import { readyScan } from '../../../jobs/lake/scan/ready-scan.ts'
import { takeStep } from '../../../jobs/lake/scan/scan-step.ts'
import { emptyMetadata, field, parquetFolder, type ParquetFolder } from '../parquet-folder.ts'

let files: ParquetFolder
beforeAll(async () => {
  files = await parquetFolder()
})
afterAll(() => files.remove())

/** The rows of files as JSON, sorted. */
async function rowsOf(
  planned: readonly PlannedFile[],
  fields: readonly NestedField[],
  metadata: Partial<TableMetadata> = {},
): Promise<string[]> {
  const { source, folder } = files
  const table = { ...source.table, metadata: { ...emptyMetadata, ...metadata } }
  const prefix = `t${randomBytes(4).toString('hex')}`
  const request = { ...source, table, scratch: folder, readsStore: false, fields, files: planned, prefix }
  const { steps, sql, tables } = await readyScan(request)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    for (const step of steps) await takeStep(connection, step)
    const rows = (await connection.runAndReadAll(sql)).getRowsJson().map((row) => JSON.stringify(row))
    for (const made of tables) await connection.run(`DROP TABLE ${made}`)
    return rows.sort()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const entry = (dataFile: DataFile, sequenceNumber: number): ManifestEntry => ({
  status: 1,
  snapshotId: 1n,
  sequenceNumber,
  fileSequenceNumber: sequenceNumber,
  dataFile,
})

const withDeletes = (planned: PlannedFile, deletes: Partial<PlannedFile['deletes']>): PlannedFile => ({
  ...planned,
  deletes: { vector: undefined, positions: [], equalities: [], ...deletes },
})

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => JSON.stringify([from + i]))

describe('deletes', () => {
  const five = (from = 0): Promise<PlannedFile> =>
    files.plannedFile(`SELECT (${from} + i)::int AS a FROM range(5) r(i) ORDER BY i`, { a: 1 }, 5)

  it('by position, of the files that they name, where these are not newer and in the same partition', async () => {
    const [one, other, newer] = [await five(), await five(10), { ...(await five(20)), sequenceNumber: 3 }]
    const rows = [one, other, newer].map(
      ({ file }, at) => `('${file.filePath}', ${at}::bigint), ('${file.filePath}', 4::bigint)`,
    )
    const file = await files.dataFile(
      `SELECT * FROM (VALUES ${rows.join(', ')}) AS d(file_path, pos)`,
      { file_path: 2147483546, pos: 2147483545 },
      6,
    )
    const positions = [entry({ ...file, content: 1 }, 2)]
    const planned = [one, other, newer].map((planned) => withDeletes(planned, { positions }))
    // The plan never has the delete for the newer file; were it there, its rows would stay all the same.
    expect(await rowsOf(planned, [field(1, 'int')])).toEqual(
      ['[1]', '[2]', '[3]', '[10]', '[12]', '[13]', ...numbers(20, 25)].sort(),
    )
  })

  it('by a deletion vector, beside a file without', async () => {
    const [one, other] = [await five(), await five(10)]
    const blob = vectorBlob([[0n, arrayContainer([[0, [1, 3]]])]])
    const path = join(files.folder, 'v.puffin')
    await writeFile(path, Buffer.concat([Buffer.from('PFA1'), blob]))
    const vector = entry(
      {
        ...one.file,
        content: 1,
        filePath: `file://${path}`,
        fileFormat: 'PUFFIN',
        referencedDataFile: one.file.filePath,
        contentOffset: 4,
        contentSizeInBytes: blob.length,
      },
      2,
    )
    expect(await rowsOf([withDeletes(one, { vector }), other], [field(1, 'int')])).toEqual(
      ['[0]', '[2]', '[4]', ...numbers(10, 15)].sort(),
    )
  })

  it('by equality: NULL is equal to NULL, only older files, also by a column that is gone', async () => {
    const data = (): Promise<PlannedFile> =>
      files.plannedFile(
        "SELECT * FROM (VALUES (1, 'x'), (2, NULL), (3, 'y'), (NULL, 'x')) t(a, b)",
        { a: 1, b: 2 },
        4,
      )
    const [older, newer] = [await data(), { ...(await data()), sequenceNumber: 2 }]
    const byB = await files.dataFile("SELECT * FROM (VALUES (NULL::varchar), ('y')) t(b)", { b: 2 }, 2)
    const byA = await files.dataFile('SELECT NULL::int AS a', { a: 1 }, 1)
    const equalities = [
      entry({ ...byB, content: 2, equalityIds: [2] }, 2),
      entry({ ...byA, content: 2, equalityIds: [1] }, 2),
    ]
    const schema = { type: 'struct', 'schema-id': 0, fields: [field(1, 'int'), field(2, 'string')] } as const
    expect(
      await rowsOf(
        [withDeletes(older, { equalities }), withDeletes(newer, { equalities })],
        [field(1, 'int')],
        { schemas: [schema] },
      ),
    ).toEqual(['[1]', '[1]', '[2]', '[3]', '[null]'])
  })
})

describe('columns of files', () => {
  it('without field ids are found by the name mapping, what is not there has its default', async () => {
    const planned = await files.plannedFile(
      "SELECT 7::int AS old, {'x': 1::int, 'y': 'z'} AS s, [1::int, NULL] AS l, MAP {'k': 2::int} AS m",
      {},
      1,
    )
    const mapping = [
      { 'field-id': 1, names: ['new', 'old'] },
      {
        'field-id': 2,
        names: ['s'],
        fields: [
          { 'field-id': 3, names: ['x'] },
          { 'field-id': 4, names: ['y'] },
        ],
      },
      { 'field-id': 5, names: ['l'], fields: [{ 'field-id': 6, names: ['element'] }] },
      {
        'field-id': 7,
        names: ['m'],
        fields: [
          { 'field-id': 8, names: ['key'] },
          { 'field-id': 9, names: ['value'] },
        ],
      },
    ]
    const struct = {
      type: 'struct',
      fields: [field(4, 'string', 'renamed'), field(10, 'int', 'added'), field(3, 'long', 'x')],
    } as const
    const list = { type: 'list', 'element-id': 6, 'element-required': false, element: 'long' } as const
    const map = {
      type: 'map',
      'key-id': 8,
      key: 'string',
      'value-id': 9,
      'value-required': false,
      value: 'long',
    } as const
    const fields = [
      field(2, struct),
      field(1, 'long'),
      field(5, list),
      field(7, map),
      { ...field(11, 'decimal(9, 2)'), 'initial-default': '1.50' } as NestedField,
    ]
    const metadata = { properties: { 'schema.name-mapping.default': JSON.stringify(mapping) } }
    expect(await rowsOf([planned], fields, metadata)).toEqual([
      '[{"renamed":"z","added":null,"x":"1"},"7",["1",null],[{"key":"k","value":"2"}],"1.50"]',
    ])
  })

  it('nested by their ids, NULL structs stay NULL, defaults of every type', async () => {
    const planned = await files.plannedFile(
      "SELECT * FROM (VALUES ({'a': 1::int, 'b': 2::int}), (NULL)) t(s)",
      { s: '{__duckdb_field_id: 1, a: 2, b: 3}' },
      2,
    )
    const struct = { type: 'struct', fields: [field(3, 'int', 'a'), field(2, 'int', 'b')] } as const
    const defaults = [
      ['date', '2024-02-29'],
      ['timestamptz', '2024-09-15T18:00:00.123456+00:00'],
      ['binary', '00ff'],
      ['boolean', true],
      ['string', "it's 5T3"],
    ] as const
    const fields = [
      field(1, struct),
      ...defaults.map(
        ([type, value], at) => ({ ...field(10 + at, type), 'initial-default': value }) as NestedField,
      ),
    ]
    const rest = '"2024-02-29","2024-09-15 18:00:00.123456+00","\\\\x00\\\\xFF",true,"it\'s 5T3"'
    expect(await rowsOf([planned], fields)).toEqual([`[null,${rest}]`, `[{"a":2,"b":1},${rest}]`].sort())
  })

  it('an identity partition tells the column that a file has not', async () => {
    const planned = await files.plannedFile('SELECT 7::int AS a', { a: 1 }, 1)
    const schema = { type: 'struct', 'schema-id': 0, fields: [field(1, 'int'), field(2, 'date')] } as const
    const spec = {
      'spec-id': 0,
      fields: [{ 'source-id': 2, 'field-id': 1000, name: 'd', transform: 'identity' }],
    }
    const file = { ...planned.file, partition: [19_000] }
    expect(
      await rowsOf([{ ...planned, file }], [field(1, 'int'), field(2, 'date')], {
        schemas: [schema],
        'partition-specs': [spec],
      }),
    ).toEqual(['[7,"2022-01-08"]'])
  })
})

/** A blob `deletion-vector-v1`. */
function vectorBlob(bitmaps: readonly (readonly [key: bigint, bitmap: Buffer])[]): Buffer {
  const count = Buffer.alloc(8)
  count.writeBigUInt64LE(BigInt(bitmaps.length))
  const parts = bitmaps.map(([key, bitmap]) => {
    const head = Buffer.alloc(4)
    head.writeUInt32LE(Number(key))
    return Buffer.concat([head, bitmap])
  })
  const body = Buffer.concat([Buffer.from('d1d33964', 'hex'), count, ...parts])
  const blob = Buffer.alloc(body.length + 8)
  blob.writeUInt32BE(body.length)
  body.copy(blob, 4)
  blob.writeUInt32BE(crc32(body), body.length + 4)
  return blob
}

const shorts = (values: readonly number[]): Buffer => Buffer.from(Uint16Array.from(values).buffer)
const words = (values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer)

/** A bitmap of array containers, without runs. */
const arrayContainer = (containers: readonly (readonly [key: number, values: readonly number[]])[]): Buffer =>
  Buffer.concat([
    words([12_346, containers.length]),
    ...containers.map(([key, values]) => shorts([key, values.length - 1])),
    words(containers.map(() => 0)),
    ...containers.map(([, values]) => shorts(values)),
  ])

describe('a deletion vector', () => {
  it('of arrays, of a bitmap and of runs, beyond 32 bits', () => {
    const dense = Buffer.alloc(8192, 0xff)
    const bitmap = Buffer.concat([words([12_346, 1]), shorts([1, 65_535]), words([0]), dense])
    const runs = Buffer.concat([words([12_347]), Buffer.of(1), shorts([0, 4]), shorts([2, 10, 2, 20, 1])])
    const blob = vectorBlob([
      [
        0n,
        arrayContainer([
          [0, [5, 7]],
          [2, [1]],
        ]),
      ],
      [1n, bitmap],
      [2n, runs],
    ])
    const positions = deletedPositions(blob, 'f')
    expect([...positions.subarray(0, 3)]).toEqual([5n, 7n, 131_073n])
    expect(positions.length).toBe(3 + 65_536 + 5)
    expect(positions[3]).toBe(2n ** 32n + 65_536n)
    expect([...positions.subarray(-5)]).toEqual([10n, 11n, 12n, 20n, 21n].map((n) => 2n ** 33n + n))
  })

  it('of which any byte is changed is refused', () => {
    const blob = vectorBlob([[0n, arrayContainer([[0, [5, 7]]])]])
    for (let at = 0; at < blob.length; at++) {
      const changed = Buffer.from(blob)
      changed[at]! ^= 1
      expect(() => deletedPositions(changed, 'f.puffin')).toThrow(/f\.puffin: the deletion vector is damaged/)
    }
    expect(() => deletedPositions(blob.subarray(0, 12), 'f')).toThrow(/damaged/)
  })
})
