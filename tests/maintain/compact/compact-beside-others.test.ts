import { describe, expect, it } from '@jest/globals'
import type { Catalog } from '../../../jobs/iceberg/catalog/catalog.ts'
import { CommitStateUnknownError } from '../../../jobs/iceberg/errors.ts'
import { branchSnapshot } from '../../../jobs/iceberg/metadata/metadata.ts'
import { eachCompactLake, rowsFrom, schema } from '../compact-lake.ts'

const test = eachCompactLake()

/** Something comes right before the commit of the compaction. */
const meanwhile = (work: () => Promise<void>): Catalog => {
  let isDone = false
  const { catalog } = test.lake
  return {
    ...catalog,
    inTurn: async (...given) => {
      if (!isDone) {
        isDone = true
        await work()
      }
      return catalog.inTurn(...given)
    },
  }
}

describe('a compaction that others meet', () => {
  it('leaves rows that were deleted meanwhile deleted: it plans anew (19)', async () => {
    const [file] = await test.append(5)
    const done = await test.compact(
      {},
      {
        catalog: meanwhile(async () =>
          test.commit({ operation: 'overwrite', addFiles: [await test.deletes([[file!, 1]])] }),
        ),
      },
    )
    expect(done.rewritten).toMatchObject({ replanned: 1, rows: 14, deletedRows: 1 })
    const rows = await test.rows()
    expect(rows).toHaveLength(14)
    expect(rows.filter((row) => row.includes(',1,'))).toEqual([])
  })

  it('gives way to a day that was written anew, and takes the others up again', async () => {
    await test.append(5, 0)
    await test.append(5, 1, 1000)
    const done = await test.compact(
      {},
      {
        catalog: meanwhile(async () => {
          const paths = new Set(
            (await test.live()).flatMap((file) => (file.partition[0] === 0 ? [file.filePath] : [])),
          )
          const addFiles = [await test.file(rowsFrom(500), [0])]
          await test.commit({ operation: 'overwrite', addFiles, removeFiles: { kind: 'paths', paths } })
        }),
      },
    )
    expect(done.rewritten).toMatchObject({ replanned: 1, from: { files: 5 }, to: { files: 1 } })
    const rows = await test.rows()
    expect(rows.filter((row) => row.includes('1970-01-01'))).toHaveLength(3)
    expect(rows).toHaveLength(18)
  })

  it('lands beside an append', async () => {
    await test.append(5)
    const done = await test.compact(
      {},
      {
        catalog: meanwhile(async () => test.commit({ addFiles: [await test.file(rowsFrom(900))] })),
      },
    )
    expect(done.rewritten).not.toHaveProperty('replanned')
    expect(await test.rows()).toHaveLength(18)
  })

  it('27: writes anew what another schema came in between', async () => {
    await test.append(5)
    const done = await test.compact(
      {},
      {
        catalog: meanwhile(() =>
          test.update(
            {
              action: 'add-schema',
              schema: {
                ...schema,
                'schema-id': 1,
                fields: schema.fields.map((field) => (field.id === 2 ? { ...field, type: 'long' } : field)),
              },
            },
            { action: 'set-current-schema', 'schema-id': -1 },
          ),
        ),
      },
    )
    expect(done.rewritten).toMatchObject({ replanned: 1, to: { files: 1 } })
    expect(branchSnapshot(test.table.metadata, 'main')?.['schema-id']).toBe(1)
    expect(await test.rows()).toHaveLength(15)
  })

  it('an outcome that nobody knows leaves the files; a failure removes them', async () => {
    await test.append(5)
    const files = await test.onDisk()
    const { catalog } = test.lake
    const refused: Catalog = { ...catalog, commit: () => Promise.reject(new Error('refused')) }
    await expect(test.compact({}, { catalog: refused })).rejects.toThrow('refused')
    expect(await test.onDisk()).toBe(files)
    const unknown: Catalog = {
      ...catalog,
      commit: async (...given) => {
        await catalog.commit(...given)
        throw new CommitStateUnknownError('t', 'base', 'next', new Error('no answer'))
      },
    }
    await expect(test.compact({}, { catalog: unknown })).rejects.toMatchObject({ code: 'unknownCommit' })
    expect(await test.onDisk()).toBe(files + 1)
    expect(await test.rows()).toHaveLength(15)
  })

  it('commits batch by batch: what is done stays done', async () => {
    await test.append(5, 0)
    await test.append(5, 1)
    let commits = 0
    const { catalog } = test.lake
    const killed: Catalog = {
      ...catalog,
      commit: (...given) =>
        ++commits === 2 ? Promise.reject(new Error('killed')) : catalog.commit(...given),
    }
    await expect(test.compact({ batchBytes: 1 }, { catalog: killed })).rejects.toThrow('killed')
    expect(await test.live()).toHaveLength(6)
    expect((await test.compact()).rewritten).toMatchObject({ from: { files: 5 }, to: { files: 1 } })
    expect(await test.rows()).toHaveLength(30)
  })
})
