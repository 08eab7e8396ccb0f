import { shellWord } from '../errors.ts'
import { crudLogs, writeAgain } from '../provenance/source.ts'

/** The command lines that mend what verdicts tell. */
export interface Remedies {
  readonly compact: string
  readonly manifests: string
  readonly expire: string
  readonly deleteFiles: string
  /** `percent`: of the folders' bytes that may go, where that is more than usual. */
  readonly orphans: (percent: number | undefined) => string
  /** Undefined: it is not known which table of which source it comes from. */
  readonly export: ((from: string, to: string) => string) | undefined
  readonly exportAll: string | undefined
  readonly upgrade: string | undefined
}

/**
 * @param source the table that it was exported from, as its snapshots say
 * @param isCompacted whether we can put its files together; otherwise Spark can
 */
export function remediesFor(
  catalog: string,
  table: string,
  source: string | undefined,
  isCompacted: boolean,
): Remedies {
  const call = (procedure: string): string =>
    `CALL ${catalog}.system.${procedure}(table => '${table.replaceAll("'", "''")}') -- Spark`
  const compact = `lakejobs maintain compact --table ${shellWord(table)}`
  const writing = source && writeAgain(table, source)
  // What is counted from logs is known by its days alone.
  const exporting = source === crudLogs ? undefined : writing && `${writing} --format iceberg`
  return {
    compact: isCompacted ? compact : call('rewrite_data_files'),
    manifests: isCompacted ? compact : call('rewrite_manifests'),
    expire: `lakejobs maintain expire --table ${shellWord(table)}`,
    orphans: (percent) =>
      `lakejobs maintain orphans --table ${shellWord(table)} --delete${percent === undefined ? '' : ` --max-orphans ${percent}%`}`,
    deleteFiles: isCompacted ? compact : call('rewrite_position_delete_files'),
    export:
      writing === undefined
        ? undefined
        : (from, to) =>
            `${exporting ?? writing} ${from === to ? `--date ${from}` : `--from ${from} --to ${to}`}`,
    exportAll: exporting && `${exporting} --mode full --force`,
    upgrade: exporting && `${exporting} --upgrade`,
  }
}
