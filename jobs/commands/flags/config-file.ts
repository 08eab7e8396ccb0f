import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import type { JobContext } from '../../context.ts'
import { usageError } from '../../errors.ts'
import { fileOptions } from './export-options.ts'

const fileName = 'lakejobs.yaml'

/**
 * The file of a run, read and checked; undefined where there is none. Errors: usage, with all that is wrong in it, and for
 * `LAKEJOBS_TABLE` beside a file.
 *
 * @param given what `--config` or `LAKEJOBS_CONFIG` says
 * @param group where it is given, what is wrong with other groups is a warning; '': with any
 */
export async function loadConfig(
  given: string | undefined,
  { env, logger }: Pick<JobContext, 'env' | 'logger'>,
  group?: string,
): Promise<Config | undefined> {
  const file = given ?? fileName
  if (given === undefined && !existsSync(join(process.cwd(), fileName))) return undefined
  if (env['LAKEJOBS_TABLE'] !== undefined)
    throw usageError(`LAKEJOBS_TABLE is set, and ${file} says which tables are exported`, {
      field: 'LAKEJOBS_TABLE',
      fix: `unset LAKEJOBS_TABLE and name its tables in ${file}, or move the file away`,
    })
  const [{ readConfig }, { exportCheck }] = await Promise.all([
    import('../../config/read.ts'),
    import('./export-flags.ts'),
  ])
  const { config, others } = await readConfig(file, { options: fileOptions, check: exportCheck, env }, group)
  for (const { at, field, message, fix } of others)
    logger.warn(
      `${file}:${at.line}:${at.column} ${field}: ${message} (${fix})${group === '' ? '' : `; group ${group ?? ''} goes on`}`,
    )
  return config
}
