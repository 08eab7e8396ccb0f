import { usageError } from '../errors.ts'
import { tableText, type Table } from '../iceberg/catalog/catalog.ts'
import { currentSchema } from '../iceberg/metadata/metadata.ts'
import { planRead } from '../lake/read-plan.ts'
import { isIn } from '../provenance/provenance.ts'
import type { Interval } from '../provenance/interval.ts'
import { readTableRows } from '../provenance/table-rows.ts'
import { unitOfPartition } from '../provenance/unit-of-file.ts'
import type { VerifyOptions } from './options.ts'
import { metadataFaults } from './metadata-check.ts'
import { comparison, type Prepared } from './prepared.ts'
import type { TableName } from '../postgres/identifiers.ts'

/** Fixes the snapshot of a table, before the source's instant is taken. */
export async function prepareTable(
  { identifier, metadata, io }: Table,
  source: TableName | undefined,
  options: Pick<VerifyOptions, 'days' | 'hashKey'>,
): Promise<Prepared> {
  const { days } = options
  const name = tableText(identifier)
  const table = { name, metadata, io }
  const plan = await planRead(table)
  const { snapshot } = plan
  const known = await readTableRows(table, snapshot)
  const { day } = known
  if (days !== undefined && !currentSchema(metadata).fields.some(({ id }) => id === day))
    throw usageError(`table ${name} does not tell its rows apart by day`, {
      field: '--date',
      fix: 'leave the days out: all of the table is verified',
    })
  const within = (interval: Interval): boolean => days === undefined || isIn([days], interval)
  // By partition alone: a wrong bound, which is to be found, must not hide a file.
  const files = plan.files.filter(({ file }) => {
    const unit = unitOfPartition(metadata, file, day)
    return unit === undefined || within(unit)
  })
  return {
    format: 'iceberg',
    table,
    snapshot,
    location: undefined,
    files,
    faults: (await metadataFaults(table, snapshot)).map((message) => ({
      kind: 'mismatch',
      unit: 'table',
      message,
    })),
    known,
    within,
    ...comparison(table, known, source, options),
  }
}
