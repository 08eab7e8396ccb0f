import { expect, it } from '@jest/globals'
import type { Touched } from '../../jobs/context.ts'
import type { TableSummary } from '../../jobs/summary.ts'
import { datasets } from '../../jobs/telemetry/open-lineage/datasets.ts'

const catalog = { name: 'local', warehouse: () => 's3://bucket/iceberg' }
const fields = [
  { name: 'id', type: 'long' },
  { name: 'tags', type: { type: 'list' } },
]
const lake: Touched = {
  ...{ role: 'output', kind: 'lake', table: 'ns.t', location: 's3://bucket/iceberg/ns/t' },
  fields,
}
const plain: Touched = { role: 'output', kind: 'files', table: 'ns.t', location: 's3://bucket/parquet/t' }
const written: TableSummary = {
  ...{ table: 'ns.t', status: 'ok', rows: 7, bytes: 900, files: 2 },
  snapshotId: '9007199254740993123',
}

it('a table of an object store is named by its bucket and path, its version is text', () => {
  const { inputs, outputs } = datasets([lake], [written], catalog)
  expect(inputs).toEqual([])
  expect(outputs).toMatchObject([
    {
      namespace: 's3://bucket',
      name: 'iceberg/ns/t',
      facets: {
        version: { datasetVersion: '9007199254740993123' },
        schema: {
          fields: [
            { name: 'id', type: 'long' },
            { name: 'tags', type: 'list' },
          ],
        },
        symlinks: { identifiers: [{ namespace: 's3://bucket/iceberg', name: 'ns.t', type: 'TABLE' }] },
      },
      outputFacets: { outputStatistics: { rowCount: 7, size: 900, fileCount: 2 } },
    },
  ])
})

it('sizes of two formats together are said of neither, and of a table that failed nothing is', () => {
  const [first] = datasets([lake, plain], [written], catalog).outputs
  expect(first?.outputFacets?.['outputStatistics']).not.toHaveProperty('size')
  expect(first?.outputFacets).toMatchObject({ outputStatistics: { rowCount: 7 } })
  for (const output of datasets([lake, plain], [{ table: 'ns.t', status: 'failed', error: '' }], catalog)
    .outputs)
    expect(output).not.toHaveProperty('outputFacets')
})

it('what is read or written twice is there once, a bucket alone has a name, too', () => {
  const source = { host: 'db', port: 5432, database: 'd', schema: 's', table: 't' } as const
  const input: Touched = { role: 'input', kind: 'source', ...source }
  const bucket: Touched = { role: 'output', kind: 'files', location: 's3://bucket' }
  expect(datasets([input, input, bucket], [], catalog)).toMatchObject({
    inputs: [{ namespace: 'postgres://db:5432', name: 'd.s.t' }],
    outputs: [{ namespace: 's3://bucket', name: '/' }],
  })
})
