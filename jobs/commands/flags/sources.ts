import type { Config } from '../../config/config.ts'
import { mainSource, type SourceTable } from '../../config/table-key.ts'
import type { JobContext } from '../../context.ts'
import type { PostgresSettings } from '../../postgres/connection/settings.ts'
import { postgresSettings } from '../../settings/settings.ts'
import type { ExportValues } from './export-options.ts'

/** A source's server and database, and the prefix of its environment names. */
export interface SourceAccess {
  readonly settings: PostgresSettings
  readonly prefix: string
}

/** How a source is reached. Errors: usage, for settings that are missing or wrong. */
export function sourceAccess(
  { sources }: Config,
  name: string,
  env: JobContext['env'],
  stallTimeoutMs: number,
): SourceAccess {
  const source = name === mainSource ? undefined : sources.get(name)
  const prefix = source?.env ?? 'POSTGRES'
  const { database } = source ?? {}
  const settings = postgresSettings(
    database === undefined ? env : { ...env, [`${prefix}_DB`]: database },
    prefix,
  )
  return { settings: { ...settings, stallTimeoutMs }, prefix }
}

/** The sources that a file, or the environment without one, has tables of: '' for that of `POSTGRES_*`. */
export function usedSources(config: Config | undefined): string[] {
  const isMainUsed =
    config === undefined || config.tables.some(({ key }) => key.matches({ ...key.table, source: mainSource }))
  return [...(isMainUsed ? [mainSource] : []), ...(config?.sources.keys() ?? [])]
}

/** Every table and view of a source that a pattern may mean. Errors: those of a connection. */
export async function sourceTables(
  config: Config,
  source: string,
  values: Pick<ExportValues, 'stall-timeout'>,
  { env, signal }: JobContext,
): Promise<SourceTable[]> {
  const [{ connect }, { listTables }] = await Promise.all([
    import('../../postgres/connection/connect.ts'),
    import('../../postgres/source/list-tables.ts'),
  ])
  const { settings, prefix } = sourceAccess(config, source, env, values['stall-timeout'])
  const connection = await connect(settings, { prefix, signal })
  try {
    return (await listTables(connection)).map((table) => ({ ...table, source }))
  } finally {
    await connection.close()
  }
}
