import { version } from '../../version.ts'

/** Who says it: a URI, as each event and facet has one. */
export const producer = `urn:lakejobs:${version}`

const spec = 'https://openlineage.io/spec'

/** The schema of events; facets have versions of their own. */
export const eventSchema = `${spec}/2-0-2/OpenLineage.json#/$defs/RunEvent`

const facets = {
  parent: '1-2-0/ParentRunFacet',
  errorMessage: '1-0-1/ErrorMessageRunFacet',
  processing_engine: '1-1-1/ProcessingEngineRunFacet',
  jobType: '2-0-4/JobTypeJobFacet',
  schema: '1-2-0/SchemaDatasetFacet',
  dataSource: '1-0-1/DatasourceDatasetFacet',
  version: '1-0-1/DatasetVersionDatasetFacet',
  symlinks: '1-0-1/SymlinksDatasetFacet',
  storage: '1-0-1/StorageDatasetFacet',
  catalog: '1-1-0/CatalogDatasetFacet',
  outputStatistics: '1-0-2/OutputStatisticsOutputDatasetFacet',
} as const

/** A facet by its name, with who says it and the schema that it follows. */
export function facet(
  name: keyof typeof facets,
  fields: Readonly<Record<string, unknown>>,
): Record<string, object> {
  const path = facets[name]
  const definition = path.slice(path.indexOf('/') + 1)
  return {
    [name]: {
      _producer: producer,
      _schemaURL: `${spec}/facets/${path}.json#/$defs/${definition}`,
      ...fields,
    },
  }
}
