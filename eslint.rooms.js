/**
 * The arrows of docs/architecture.md. A room may import the rooms that are listed for it, those within it, and the files directly
 * in jobs/. The rooms of a folder that is split are listed one by one, by the folder's own arrows too.
 */
export const jobFolders = [
  'init',
  'check',
  'seed',
  'discover',
  'generate',
  'export',
  'aggregate',
  'verify',
  'inspect',
  'query',
  'maintain',
]
export const libraries = {
  kernel: [],
  options: [],
  spark: [],
  storage: [],
  vector: ['kernel'],
  parquet: ['kernel', 'vector'],
  postgres: ['kernel', 'vector'],
  iceberg: ['parquet', 'storage', 'postgres', 'vector'],
  provenance: ['iceberg', 'kernel', 'storage', 'vector'],
  lake: ['iceberg', 'kernel', 'parquet', 'storage', 'vector'],
  config: ['options', 'postgres'],
  runs: ['storage'],
}
export const rooms = {
  cli: ['commands', 'options', 'telemetry'],
  commands: ['settings', ...jobFolders, 'report', ...Object.keys(libraries)],
  settings: Object.keys(libraries),
  // It tells others about a run.
  telemetry: ['settings', ...Object.keys(libraries)],
  ...Object.fromEntries(jobFolders.map((job) => [job, Object.keys(libraries)])),
  // It shows what others know.
  report: ['aggregate', 'check', 'inspect', ...Object.keys(libraries)],
  ...libraries,
}
/** What the rooms of a split folder may import of one another, from the ground up. */
export const innerRooms = {
  postgres: {
    connection: [],
    source: ['connection'],
    copy: ['connection', 'source'],
  },
  iceberg: {
    json: [],
    avro: [],
    schema: ['json'],
    partition: ['avro', 'schema'],
    metadata: ['json', 'partition', 'schema'],
    manifest: ['avro', 'json', 'metadata', 'partition', 'schema'],
    metrics: ['manifest', 'schema'],
    writer: ['manifest', 'metadata', 'metrics', 'partition', 'schema'],
    expression: ['manifest', 'partition', 'schema'],
    catalog: ['manifest', 'metadata', 'partition', 'schema'],
    snapshot: ['avro', 'catalog', 'expression', 'manifest', 'metadata', 'partition', 'schema'],
  },
}
