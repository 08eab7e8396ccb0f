import type { Touched } from '../../context.ts'
import type { TableSummary } from '../../summary.ts'
import { facet } from './facets.ts'

/** A dataset of an event. */
export interface Dataset {
  readonly namespace: string
  readonly name: string
  readonly facets: Readonly<Record<string, object>>
  readonly outputFacets?: Readonly<Record<string, object>>
}

/** What names the catalog: `ICEBERG_CATALOG_NAME`, where it and the warehouse are. */
export interface CatalogName {
  readonly name: string
  /** Its location; it is asked for where there is a table in it. */
  readonly warehouse: () => string
}

/**
 * What a run read and wrote, as OpenLineage names it (its spec, "Naming"): a table of PostgreSQL by server and database, an Iceberg
 * table by its location with its name as a symlink, plain files by their folder.
 *
 * @param tables what the run says of the lake's tables: their version, and of those that were written how much
 */
export function datasets(
  touched: readonly Touched[],
  tables: readonly TableSummary[],
  catalog: CatalogName,
): { readonly inputs: Dataset[]; readonly outputs: Dataset[] } {
  const all = new Map<string, { readonly role: Touched['role']; readonly dataset: Dataset }>()
  for (const one of touched) {
    const dataset = datasetOf(one)
    all.set(`${one.role} ${dataset.namespace} ${dataset.name}`, { role: one.role, dataset })
  }
  const of = (wanted: Touched['role']): Dataset[] =>
    [...all.values()].flatMap(({ role, dataset }) => (role === wanted ? [dataset] : []))
  return { inputs: of('input'), outputs: of('output') }

  function datasetOf(one: Touched): Dataset {
    if (one.kind === 'source') {
      const namespace = `postgres://${one.host}:${one.port}`
      const name = `${one.database}.${one.schema}.${one.table}`
      return { namespace, name, facets: facet('dataSource', { name: namespace, uri: namespace }) }
    }
    const place = placeOf(one.location)
    const summary = tables.find(({ table }) => table === one.table)
    const isWritten = one.role === 'output' && summary !== undefined && summary.status !== 'failed'
    const amounts = isWritten ? statisticsOf(one, summary) : {}
    const isCounted = Object.keys(amounts).length > 0
    return {
      ...place,
      facets: one.kind === 'lake' ? lakeFacets(one, summary?.snapshotId) : {},
      ...(isCounted && { outputFacets: facet('outputStatistics', amounts) }),
    }
  }

  /** Sizes are those of all formats together: they are said where there is one. */
  function statisticsOf({ table }: Touched, { rows, bytes, files }: TableSummary): Record<string, number> {
    const isAlone = touched.filter((other) => other.role === 'output' && other.table === table).length === 1
    return {
      ...(rows !== undefined && { rowCount: rows }),
      ...(isAlone && bytes !== undefined && { size: bytes }),
      ...(isAlone && files !== undefined && { fileCount: files }),
    }
  }

  function lakeFacets(
    { table, fields }: Touched & { readonly kind: 'lake' },
    snapshotId: string | undefined,
  ): Record<string, object> {
    const location = catalog.warehouse()
    const warehouse = placeOf(location)
    return {
      ...facet('schema', { fields: fields.map(schemaField) }),
      ...facet('storage', { storageLayer: 'iceberg', fileFormat: 'parquet' }),
      ...facet('catalog', {
        ...{ framework: 'iceberg', type: 'jdbc', name: catalog.name },
        warehouseUri: location,
      }),
      ...facet('symlinks', {
        identifiers: [{ namespace: `${warehouse.namespace}/${warehouse.name}`, name: table, type: 'TABLE' }],
      }),
      ...(snapshotId !== undefined && facet('version', { datasetVersion: snapshotId })),
    }
  }
}

/** A bucket, or this machine's files, and the path there. */
function placeOf(location: string): { readonly namespace: string; readonly name: string } {
  const [, bucket, key = ''] = /^(s3:\/\/[^/]+)\/?(.*?)\/*$/.exec(location) ?? []
  if (bucket !== undefined) return { namespace: bucket, name: key === '' ? '/' : key }
  return { namespace: 'file', name: location.replace(/^file:\/\//, '') }
}

type Field = (Touched & { readonly kind: 'lake' })['fields'][number]

const schemaField = ({ name, type }: Field): object => ({
  name,
  // Nested types have no text in Iceberg; their kind is one.
  type: typeof type === 'string' ? type : type.type,
})
