import { readFile } from 'node:fs/promises'
import { asError, systemCode, usageError } from '../errors.ts'
import { settingsText } from '../options/settings-text.ts'
import type { Config } from './config.ts'
import { parseFaulty, type ConfigContext } from './parse.ts'
import { tableFacts } from './effective.ts'
import { fileError, type FileFault, type PlacedFault } from './faults.ts'

/** A file, and what is wrong in it that does not concern the group that was asked for. */
export interface ReadConfig {
  readonly config: Config
  readonly others: readonly FileFault[]
}

/**
 * Reads and checks a file. Errors: usage, for one that is not there or cannot be read, and all that is wrong in it.
 *
 * @param group where it is given, faults of other groups and of their tables are no errors
 */
export async function readConfig(
  file: string,
  context: Omit<ConfigContext, 'file'>,
  group?: string,
): Promise<ReadConfig> {
  let text: string
  try {
    text = settingsText(await readFile(file))
  } catch (error) {
    const isMissing = systemCode(error) === 'ENOENT'
    throw usageError(
      isMissing ? `there is no file ${file}` : `${file} cannot be read: ${asError(error).message}`,
      {
        field: '--config',
        fix:
          systemCode(error) === undefined ? `save ${file} as UTF-8` : 'correct --config or LAKEJOBS_CONFIG',
        cause: error,
      },
    )
  }
  const { config, faults } = parseFaulty(text, { file, ...context })
  const own = faults.filter((fault) => config === undefined || concerns(config, fault, group))
  if (config === undefined || own.length > 0) throw fileError(file, group === undefined ? faults : own)
  return { config, others: faults }
}

/** A table's fault concerns its group. */
const concerns = (config: Config, fault: PlacedFault, group: string | undefined): boolean => {
  const its = fault.key === undefined ? fault.group : tableFacts(config, fault.key.table, '').group.name
  return group === undefined || its === undefined || its === group
}
