import type { Config } from '../../jobs/config/config.ts'
import { parseConfig } from '../../jobs/config/parse.ts'
import { exportCheck } from '../../jobs/commands/flags/export-flags.ts'
import { fileOptions } from '../../jobs/commands/flags/export-options.ts'

/** The export's options that a file may give. */
export const options = fileOptions

/** Parses a file's text as the commands do. */
export const parse = (text: string, env: Readonly<Record<string, string>> = {}): Config =>
  parseConfig(text, { file: 'lakejobs.yaml', options, check: exportCheck, env })
