import { describe, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import type { Catalog } from '../../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import type { NestedField } from '../../../jobs/iceberg/schema/types.ts'
import { checkWritten } from '../../../jobs/maintain/compact/check-written.ts'
import { rewriteGroup, type GroupMeans } from '../../../jobs/maintain/compact/rewrite-group.ts'
import type { RowGroups } from '../../../jobs/maintain/compact/row-groups.ts'
import { readFooter } from '../../../jobs/lake/footer/footer.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { noDeletes } from '../../../jobs/iceberg/manifest/delete-index.ts'
import { DuckDBInstance } from '@duckdb/node-api'
import { eachCompactLake, schema } from '../compact-lake.ts'

const test = eachCompactLake({
  'write.parquet.compression-codec': 'zstd',
  'write.parquet.row-group-size-bytes': '65536',
})

/** Name, Iceberg type, DuckDB expression of row `i`. */
const columns = [
  ['b', 'boolean', 'i % 3 = 0'],
  ['i', 'int', '(i * 7919 - 2147483648)::int'],
  ['l', 'long', '(i * 1234567891234567 - 9223372036854775807)::bigint'],
  [
    'f',
    'float',
    "CASE i % 5 WHEN 0 THEN 'nan'::float WHEN 1 THEN '-0.0'::float WHEN 2 THEN '-inf'::float ELSE (i / 7)::float END",
  ],
  [
    'd',
    'double',
    "CASE i % 5 WHEN 0 THEN 'nan'::double WHEN 1 THEN '-0.0'::double WHEN 2 THEN 'inf'::double ELSE i / 7.0 END",
  ],
  ['dd', 'date', "DATE '0044-03-15' + (i * 97)::int"],
  ['tt', 'time', "TIME '23:59:59.999999' - to_microseconds(i)"],
  ['ts', 'timestamp', 'make_timestamp(-62135596800000000 + i * 1234567891)'],
  ['tz', 'timestamptz', 'make_timestamptz(253402300799999999 - i * 1234567891)'],
  ['s', 'string', "CASE WHEN i % 4 = 0 THEN '' ELSE repeat('ż' || chr(0), (i % 9)::int) || i END"],
  ['u', 'uuid', "(printf('%08x', i) || '-ffff-4000-8000-' || printf('%012x', 99999 - i))::uuid"],
  ['bi', 'binary', "unhex(repeat('00ff', (i % 5)::int))"],
  ['d4', 'decimal(4, 2)', '((i % 19999) - 9999)::decimal(6,0) / 100'],
  ['d9', 'decimal(9, 0)', '(i - 999999999)::decimal(9,0)'],
  ['d18', 'decimal(18, 18)', '(-0.999999999999999999)::decimal(18,18)'],
  ['d20', 'decimal(20, 0)', '(-99999999999999999999 + i)::decimal(20,0)'],
  ['d38', 'decimal(38, 9)', '(99999999999999999999999999999.123456789 - i)::decimal(38,9)'],
] as const

/** NULL, empty, of a NULL, of values with and without NULLs, in turn. */
const listOf = (sql: string): string =>
  `CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN [] WHEN 2 THEN [NULL] WHEN 3 THEN [NULL, ${sql}, NULL]
    WHEN 4 THEN [${sql}] ELSE list_resize([${sql}, ${sql}], i % 11, ${sql}) END`

describe('values', () => {
  it.each<[string, (sql: string) => string, boolean]>([
    ['as they are', (sql) => sql, false],
    ['or NULL', (sql) => `CASE WHEN i % 7 = 3 THEN NULL ELSE ${sql} END`, false],
    ['in lists', listOf, true],
  ])(
    'of every type come bit by bit the same, %s; with the table’s codec and row groups',
    async (_, value, isList) => {
      const fields = columns.map(([name, type], at): NestedField => ({
        id: 10 + at,
        name,
        required: false,
        type: isList
          ? { type: 'list', 'element-id': 100 + at, element: type, 'element-required': false }
          : type,
      }))
      await test.update(
        {
          action: 'add-schema',
          schema: { ...schema, 'schema-id': 1, fields: [...schema.fields, ...fields] },
        },
        { action: 'set-current-schema', 'schema-id': -1 },
      )
      const idOf = (id: number) => (isList ? `{__duckdb_field_id: ${id}, element: ${90 + id}}` : id)
      const ids = { day: 1, ...Object.fromEntries(fields.map(({ name, id }) => [name, idOf(id)])) }
      const addFiles: DataFile[] = []
      for (let at = 0; at < 5; at++) {
        const list = columns.map(([name, type, sql]) => {
          return `${value(type.startsWith('decimal') ? `CAST(${sql} AS ${type})` : sql)} AS ${name}`
        })
        addFiles.push(
          await test.file(
            `SELECT DATE '1970-01-01' AS day, ${list.join(', ')} FROM range(${at * 700}, ${(at + 1) * 700}) r(i)`,
            [0],
            ids,
          ),
        )
      }
      await test.commit({ addFiles })
      const before = await bitsOf(await test.live(), fields)
      const done = await test.compact()
      expect(done.rewritten).toMatchObject({ from: { files: 5 }, to: { files: 1 }, rows: 3500 })
      const live = await test.live()
      expect(await bitsOf(live, fields)).toEqual(before)
      const footer = await readFooter(test.lake.io, live[0]!)
      expect(footer.rowGroups.length).toBeGreaterThan(1)
      if (isList) expect(JSON.stringify(footer.columns)).toContain('"fieldId":101')
      // Once more, of what we wrote ourselves.
      await test.commit({
        addFiles: [await test.file(`SELECT DATE '1970-01-01' AS day WHERE false`, [0], { day: 1 })],
      })
      expect((await test.compact({ minFiles: 2 })).rewritten).toMatchObject({ rows: 3500 })
      expect(await bitsOf(await test.live(), fields)).toEqual(before)
    },
  )

  /** All rows with floats as their bits, in an order of their own. */
  async function bitsOf(files: readonly DataFile[], fields: readonly NestedField[]): Promise<unknown[]> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    const connection = await instance.connect()
    const paths = files.map(({ filePath }) => `'${filePath.slice('file://'.length)}'`).join(', ')
    // Casts to text tell NaN from NULL and -0.0 from 0.0.
    const isBytes = (type: unknown): boolean => type === 'binary' || type === 'string'
    const list = fields.map(({ name, type }) => {
      if (isBytes(type)) return `hex(${name}) AS ${name}`
      return typeof type === 'object' && type.type === 'list' && isBytes(type.element)
        ? `list_transform(${name}, lambda x: hex(x))::varchar AS ${name}`
        : `${name}::varchar AS ${name}`
    })
    const all = await connection.runAndReadAll(
      `SELECT ${list.join(', ')} FROM read_parquet([${paths}], union_by_name = true)`,
    )
    connection.closeSync()
    instance.closeSync()
    return all
      .getRowsJson()
      .map((row) => JSON.stringify(row))
      .sort()
  }
})

describe('what was written', () => {
  const file = (): Promise<DataFile> =>
    test.file(`SELECT DATE '1970-01-01' AS day, i::int AS n, NULL AS text FROM range(9) r(i)`)
  const column = { name: 'n', fieldId: 2, required: false, type: { kind: 'int32' } } as const
  const rowGroup = (rowCount: number, nullCount: number) =>
    ({ rowCount, chunks: [{ metrics: { nullCount } }] }) as unknown as Parameters<
      typeof checkWritten
    >[3][number]

  it.each([
    ['as it was', [[9, 0]], undefined],
    [
      'other row groups',
      [
        [4, 0],
        [5, 0],
      ],
      /1 row groups of 2/,
    ],
    ['other rows in one', [[8, 0]], /row group 0 has 9 rows of 8/],
    ['other NULLs', [[9, 1]], /0 NULLs of 1 in column n/],
  ] as const)('28: is opened again before it is committed: %s', async (_, groups, message) => {
    const check = checkWritten(
      test.lake.io,
      [column],
      await file(),
      groups.map(([rows, nulls]) => rowGroup(rows, nulls)),
    )
    if (message === undefined) await check
    else await expect(check).rejects.toThrow(message)
  })

  it('28: … and what a store has spoiled is not committed, and removed', async () => {
    await test.append(5)
    const [before, files, { io }] = [test.table.metadataLocation, await test.onDisk(), test.lake]
    const spoiling: FileIO = {
      ...io,
      async create(location, options) {
        const file = await io.create(location, options)
        const close: typeof file.close = async (look) => {
          const written = await file.close(look)
          if (location.endsWith('.parquet'))
            await writeFile(io.localPath(location)!, 'x'.repeat(written.size))
          return written
        }
        return { ...file, close }
      },
    }
    const { catalog } = test.lake
    const through: Catalog = {
      ...catalog,
      load: async (...given) => ({ ...(await catalog.load(...given)), io: spoiling }),
    }
    await expect(test.compact({}, { catalog: through })).rejects.toThrow(/parquet/)
    expect([test.table.metadataLocation, await test.onDisk()]).toEqual([before, files])
  })

  it('the footer of a file of others is read once', async () => {
    await test.append(5)
    const { io, catalog } = test.lake
    const asked = new Map<string, number>()
    const counting: FileIO = {
      ...io,
      stream(location, range) {
        asked.set(location, (asked.get(location) ?? 0) + 1)
        return io.stream(location, range)
      },
    }
    const through: Catalog = {
      ...catalog,
      load: async (...given) => ({ ...(await catalog.load(...given)), io: counting }),
    }
    const before = (await test.live()).map(({ filePath }) => filePath)
    await test.compact({}, { catalog: through })
    expect(before.map((location) => asked.get(location))).toEqual([1, 1, 1, 1, 1])
  })

  it.each([
    ['fewer', { rows: 8, deleted: 0 }],
    ['fewer than those that are not deleted', { rows: 7, deleted: 1 }],
    ['more', { rows: 10, deleted: 0 }],
  ])('29: is nothing where not exactly the rows came: %s', async (_, taken) => {
    const one = await file()
    const planned = {
      file: one,
      sequenceNumber: 1,
      snapshotId: 1n,
      position: 'inside',
      deletes: noDeletes,
    } as const
    const reader: RowGroups = {
      read: () => Promise.resolve(taken),
      decode: () => Promise.resolve(undefined),
      flush: () => Promise.resolve(),
    }
    const { signal } = new AbortController()
    const table = { ...test.table, name: 't' }
    const means = {
      source: { table, snapshot: undefined, scratch: test.folder, maxDownload: 1e9, signal },
      fields: schema.fields,
      specFields: () => [],
      onRows: () => undefined,
    } as unknown as GroupMeans
    const group = { specId: 0, partition: [0], files: [planned], bytes: 1, deletes: [], outputs: 1 }
    await expect(rewriteGroup(group, [reader], means)).rejects.toThrow(/have 9 rows/)
  })
})
