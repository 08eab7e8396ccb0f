import type { KeyObject } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { JobContext } from '../../context.ts'
import { usageError } from '../../errors.ts'
import type { ExportOptions } from '../../export/options.ts'
import { parsePartitionExpression } from '../../iceberg/partition/transforms.ts'
import { hashKey } from '../../settings/hash-key.ts'
import { placeSetting, scratchFolder } from '../../settings/settings.ts'
import { decimals, exportFormats, exportScope, pairs } from './export-flags.ts'
import type { ExportValues } from './export-options.ts'

function keyOf(env: Readonly<Record<string, string>>): KeyObject {
  const key = hashKey(env)
  if (key !== undefined) return key
  throw usageError('LAKEJOBS_HASH_KEY is not set, by which --hash hashes', {
    field: 'LAKEJOBS_HASH_KEY',
    fix: 'set it or LAKEJOBS_HASH_KEY_FILE, for example to what openssl rand -hex 32 prints, and keep it',
  })
}

/**
 * What is said of a table, as the export takes it. Errors: usage, for what is said wrongly.
 *
 * @param isPartitionSaid `partition-by` is said of this table; else it is for tables that are made, if they have its columns
 * @param isNamed it is asked for by its very name, not by a pattern
 */
export function toOptions(
  values: ExportValues,
  isPartitionSaid: boolean,
  isNamed: boolean,
  { env }: Pick<JobContext, 'env'>,
): ExportOptions {
  const setting = isPartitionSaid ? '--partition-by' : 'EXPORT_PARTITION_BY'
  const partitionBy = values['partition-by']?.map((text) => parsePartitionExpression(text, setting))
  const scope = exportScope(values)
  if (values['replace-table'] && scope.mode === 'day')
    throw usageError('--replace-table with days, of which others would stay', {
      field: '--replace-table',
      fix: 'run it once with --mode full and without days',
    })
  return {
    formats: exportFormats(values.format),
    scope,
    parquetLocation: placeSetting(env, 'PARQUET_LOCATION'),
    scratch: scratchFolder(values.scratch),
    connections: values.connections ?? Math.min(availableParallelism(), 8),
    ...(values.columns === undefined ? {} : { columns: values.columns }),
    ...(values['exclude-columns'] === undefined ? {} : { excluded: values['exclude-columns'] }),
    ...(values.hash === undefined ? {} : { hashed: values.hash, hashKey: keyOf(env) }),
    ...(values['drop-columns'] === undefined ? {} : { dropColumns: values['drop-columns'] }),
    ...(values['out-of-range'] === 'error' ? {} : { outOfRange: values['out-of-range'] }),
    replaceTable: values['replace-table'],
    newColumns: values['new-columns'],
    newTables: isNamed ? 'export' : values['new-tables'],
    ...(values.where === undefined ? {} : { where: values.where }),
    casts: pairs('--cast', values.cast),
    lossyCasts: pairs('--lossy-cast', values['lossy-cast']),
    decimals: decimals(values.decimal),
    onlyChanged:
      !values.force && (values['skip-unchanged'] || (values.date !== undefined && values.lookback > 0)),
    dayColumn: values['day-column'],
    partitionBy: isPartitionSaid ? partitionBy : undefined,
    newTablesBy: isPartitionSaid ? [] : (partitionBy ?? []),
    renames: pairs('--rename', values.rename),
    upgrade: values.upgrade,
    required: values.required,
    rowSecurity: values['row-security'],
    maxShrink: values['max-shrink'],
    codec: values.codec,
    targetFileBytes: values['target-file-size'],
    groupRows: values['row-group-rows'],
    groupBytes: values['row-group-size'],
    maxRowBytes: values['max-row-bytes'],
    lockTimeoutMs: values['lock-timeout'] * 1000,
    dryRun: values['dry-run'],
  }
}
