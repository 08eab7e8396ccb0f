import { describe, expect, it } from '@jest/globals'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { branchSnapshot } from '../../../jobs/iceberg/metadata/metadata.ts'
import type { FileSelection } from '../../../jobs/iceberg/snapshot/snapshot-request.ts'
import { planRead } from '../../../jobs/lake/read-plan.ts'
import { planCompaction } from '../../../jobs/lake/upkeep/compaction.ts'
import { contents } from '../../iceberg/tables.ts'
import { expectSame } from '../../support/expect-same.ts'
import { eachCompactLake, rowsFrom, schema } from '../compact-lake.ts'

const test = eachCompactLake()

const head = () => branchSnapshot(test.table.metadata, 'main')!
const pathsOf = (...files: readonly DataFile[]): FileSelection => ({
  kind: 'paths',
  paths: new Set(files.map(({ filePath }) => filePath)),
})
const deleteFiles = async () => (await planRead({ name: 't', ...test.table })).deleteFiles

describe('compaction', () => {
  it('puts small files of a partition into one, by a commit that changes no row', async () => {
    await test.append(5, 0)
    await test.append(5, 1, 1000)
    const [before, parent] = [await test.rows(), head()]
    const done = await test.compact()
    expect(done.rewritten).toMatchObject({ from: { files: 10 }, to: { files: 2 }, rows: 30, commits: 1 })
    expect(await test.rows()).toEqual(before)
    // 9: nothing is deleted; what the older snapshots need is there.
    expect(await test.rows({ choice: { kind: 'id', id: parent['snapshot-id'] } })).toEqual(before)
    const { summary, ...snapshot } = head()
    expect(snapshot['parent-snapshot-id']).toBe(parent['snapshot-id'])
    // 30: totals are the parent's, and what changed.
    expect(summary).toMatchObject({
      operation: 'replace',
      'added-records': '30',
      'deleted-records': '30',
      'total-records': '30',
      'total-data-files': '2',
    })
    expect(Object.keys(summary).filter((key) => key.startsWith('lakejobs.'))).toEqual([])
    expect(await test.compact()).not.toHaveProperty('rewritten')
    expect(head()['snapshot-id']).toBe(snapshot['snapshot-id'])
  })

  it('42, 26: claims no order, writes the current schema, keeps the age of the rows and each input’s spec', async () => {
    await test.append(3)
    await test.update(
      {
        action: 'add-schema',
        schema: {
          ...schema,
          'schema-id': 1,
          fields: [
            { id: 3, name: 'renamed', required: false, type: 'string' },
            { id: 2, name: 'n', required: false, type: 'long' },
            { id: 1, name: 'day', required: false, type: 'date' },
            { id: 4, name: 'added', required: false, type: 'double' },
          ],
        },
      },
      { action: 'set-current-schema', 'schema-id': -1 },
    )
    await test.append(2)
    const [before, uuid, starting] = [await test.rows(), test.table.metadata['table-uuid'], head()]
    await test.update(
      { action: 'add-spec', spec: { 'spec-id': 1, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    )
    await test.compact()
    expect(await test.rows()).toEqual(before)
    expect(before[0]).toMatch(/null\]$/)
    const [file] = await test.live()
    expect(file).toMatchObject({ sortOrderId: 0, specId: 0, partition: [0] })
    expect(test.table.metadata['table-uuid']).toBe(uuid)
    const { manifests, entries } = await contents(test.lake.io, test.table.metadata)
    const added = entries.find(({ dataFile }) => dataFile.filePath === file!.filePath)!
    expect(added).toMatchObject({ status: 1, sequenceNumber: starting['sequence-number'] })
    const own = manifests.find(({ addedFilesCount }) => addedFilesCount > 0)!
    expect(own.minSequenceNumber).toBe(starting['sequence-number'])
    expect(own.sequenceNumber).toBe(head()['sequence-number'])
  })

  it('24, 25: by spec and typed value, and never to more files than there were', async () => {
    await test.append(4, 0)
    await test.append(4, 1)
    expect(await test.compact()).not.toHaveProperty('rewritten')
    const nulls = await test.file(`SELECT NULL::date AS day, 1::int AS n, 'x' AS text`, [null])
    await test.commit({ addFiles: [nulls] })
    expect(await test.compact()).not.toHaveProperty('rewritten')
    expect((await test.compact({ minFiles: 4 })).rewritten).toMatchObject({
      from: { files: 8 },
      to: { files: 2 },
    })
  })

  it('a dry run makes the same plan and changes nothing', async () => {
    await test.append(6)
    const [location, files] = [test.table.metadataLocation, await test.onDisk()]
    const dry = await test.compact({}, { dryRun: true })
    expect([test.table.metadataLocation, await test.onDisk()]).toEqual([location, files])
    const { rewritten } = await test.compact()
    expect(dry.rewritten).toMatchObject({ from: rewritten!.from, rows: rewritten!.rows, to: { files: 1 } })
  })

  it('leaves what is more than --max-rewrite, the newest, for the next run', async () => {
    const files = await test.append(5, 0)
    await test.append(5, 1)
    const maxRewrite = files.reduce((sum, file) => sum + file.fileSizeInBytes, 0) + 10
    const done = await test.compact({ maxRewrite })
    expect(done).toMatchObject({ rewritten: { from: { files: 5 } }, leftAlone: [{ files: 5 }] })
    expect((await test.live()).filter(({ partition }) => partition[0] === 1)).toHaveLength(5)
    expect((await test.compact({ maxRewrite })).rewritten).toMatchObject({ from: { files: 5 } })
  })

  it('skips a table whose last two commits replaced everything, and says so', async () => {
    const write = async (files: number): Promise<void> => {
      const addFiles = await Promise.all(Array.from({ length: files }, (_, at) => test.file(rowsFrom(at))))
      await test.commit({
        operation: 'overwrite',
        addFiles,
        removeFiles: { kind: 'rows', filter: { kind: 'true' } },
      })
    }
    await write(6)
    await write(6)
    expect((await test.compact({}, { dryRun: true })).rewritten).toMatchObject({ from: { files: 6 } })
    await write(6)
    expect(await test.compact()).toMatchObject({
      leftAlone: [{ files: 6, reason: expect.stringMatching(/replaced everything/) as unknown }],
    })
    expect(await test.live()).toHaveLength(6)
  })

  it('19: position deletes are applied, once each, and their files go with the last file that they were for (22, 23)', async () => {
    const files = await test.append(3)
    const [first, second] = files
    await test.commit({
      operation: 'overwrite',
      addFiles: [
        await test.deletes([
          [first!, 0],
          [first!, 0],
          [second!, 2],
        ]),
      ],
    })
    await test.commit({ operation: 'overwrite', addFiles: [await test.deletes([[first!, 1]])] })
    const [before, old] = [await test.rows(), head()['snapshot-id']]
    expect(before).toHaveLength(6)
    const done = await test.compact()
    expect(done.rewritten).toMatchObject({ from: { files: 3 }, to: { files: 1 }, rows: 6, deletedRows: 3 })
    expect(done.files).toMatchObject([
      { kind: 'data' },
      { kind: 'deletes', before: { files: 2 }, after: { files: 0 } },
      {},
    ])
    expect(await test.rows()).toEqual(before)
    expect(await test.rows({ choice: { kind: 'id', id: old } })).toEqual(before)
    expect(head().summary).toMatchObject({
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-records': '6',
    })
    expect(await test.compact()).not.toHaveProperty('rewritten')
  })

  it('22: a delete file without a data file to apply to is dropped', async () => {
    const [gone] = await test.append(2)
    // Its bounds tell that it is for no other file.
    const path = new Map([[2147483546, Buffer.from(gone!.filePath)]])
    const deletes = { ...(await test.deletes([[gone!, 0]])), lowerBounds: path, upperBounds: path }
    await test.commit({ operation: 'overwrite', addFiles: [deletes] })
    await test.commit({ operation: 'delete', removeFiles: pathsOf(gone!) })
    expect(await deleteFiles()).toHaveLength(1)
    const before = await test.rows()
    const done = await test.compact()
    expect(done.rewritten).toMatchObject({ from: { files: 0 }, to: { files: 0 }, commits: 1 })
    expect(await deleteFiles()).toEqual([])
    expect(await test.rows()).toEqual(before)
  })

  it('23: of deletes that may be for several files, those stay that one needs which is left for later', async () => {
    const [first, second] = await test.append(2)
    const both = [
      [first!, 0],
      [second!, 1],
    ] as const
    await test.commit({ operation: 'overwrite', addFiles: [await test.deletes(both)] })
    const before = await test.rows()
    const plan = planCompaction(test.table.metadata, await planRead({ name: 't', ...test.table }), {
      minFiles: 5,
      maxRewrite: 1e9,
      mostGroupBytes: 1,
    })
    expect(plan.groups.map(({ deletes }) => deletes.length)).toEqual([0, 1])
    await test.compact({ mostGroupBytes: 1, maxRewrite: first!.fileSizeInBytes })
    expect(await test.rows()).toEqual(before)
    expect(await deleteFiles()).toHaveLength(1)
    await test.compact()
    expect(await test.rows()).toEqual(before)
    expect(await deleteFiles()).toHaveLength(0)
  })

  it('7: after a rollback only what main has is put together', async () => {
    await test.append(5)
    const [before, id] = [await test.rows(), head()['snapshot-id']]
    await test.append(2, 0, 500)
    await test.update({ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id })
    await test.compact()
    expect(await test.rows()).toEqual(before)
  })

  it('divides a file that is far too large, into files that are right', async () => {
    const file = await test.file(rowsFrom(0, 60_000))
    await test.commit({ addFiles: [file] })
    await test.update({
      action: 'set-properties',
      updates: { 'write.target-file-size-bytes': String(Math.ceil(file.fileSizeInBytes / 4)) },
    })
    const before = await test.rows()
    const done = await test.compact()
    expect(done.rewritten!.from.files).toBe(1)
    expect(done.rewritten!.to.files).toBeGreaterThan(2)
    expectSame(await test.rows(), before)
    expect(await test.compact()).not.toHaveProperty('rewritten')
  })

  it.each([
    [
      'equality deletes',
      async () => {
        const file = await test.file(`SELECT DATE '1970-01-01' AS day`, [0], { day: 1 })
        await test.commit({ operation: 'overwrite', addFiles: [{ ...file, content: 2, equalityIds: [1] }] })
      },
      /equality deletes/,
    ],
    [
      'a list whose elements must be there',
      () =>
        test.update(
          {
            action: 'add-schema',
            schema: {
              ...schema,
              'schema-id': 1,
              fields: [
                ...schema.fields,
                {
                  id: 9,
                  name: 'list',
                  required: false,
                  type: { type: 'list', 'element-id': 10, element: 'int', 'element-required': true },
                },
              ],
            },
          },
          { action: 'set-current-schema', 'schema-id': -1 },
        ),
      /column list of type list/,
    ],
  ] as const)('refuses %s by name, and writes nothing', async (_, spoil, message) => {
    await test.append(5)
    await spoil()
    const files = await test.onDisk()
    const failure = test.compact()
    await expect(failure).rejects.toMatchObject({ code: 'data', field: 'default.web_logs' })
    await expect(failure).rejects.toThrow(message)
    expect(await test.onDisk()).toBe(files)
  })

  it('refuses format version 3 by name, and writes nothing: rows would lose their ids', async () => {
    await test.append(5)
    const files = await test.onDisk()
    const { catalog } = test.lake
    const asVersion3: typeof catalog = {
      ...catalog,
      async load(...given) {
        const table = await catalog.load(...given)
        return { ...table, metadata: { ...table.metadata, 'format-version': 3 } }
      },
    }
    await expect(test.compact({}, { catalog: asVersion3 })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('format version 3') as unknown,
      fix: expect.stringContaining('rewrite_data_files') as unknown,
    })
    expect(await test.onDisk()).toBe(files)
  })
})
