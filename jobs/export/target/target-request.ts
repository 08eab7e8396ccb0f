import type { WantedColumn } from '../../iceberg/schema/schema-evolution.ts'
import { hashKeyId } from '../../provenance/hash-key.ts'
import { managedProperty } from '../../provenance/managed.ts'
import type { ExportOptions } from '../options.ts'
import type { ChosenColumns } from './left-out.ts'
import type { TablePair } from './names.ts'
import { ownRenames } from './own-renames.ts'
import type { TargetRequest } from './table-target.ts'
import { codecProperties } from '../../iceberg/writer/write-settings.ts'

/** What the options of a call ask of the table that one of its sources is written to. */
export const targetRequest = (
  options: ExportOptions,
  pair: TablePair,
  chosen: ChosenColumns & { readonly dayColumn: string | undefined },
  columns: readonly WantedColumn[],
): TargetRequest => ({
  identifier: pair.target,
  columns,
  partitionBy: options.formats.has('iceberg') ? options.partitionBy : undefined,
  newTablesBy: options.formats.has('iceberg') ? options.newTablesBy : [],
  dayColumn: chosen.dayColumn,
  renames: ownRenames(options.renames, pair.source, chosen, chosen.flagTable.isOneOfSeveral),
  upgrade: options.upgrade,
  retypes: options.replaceTable === true,
  chosen,
  dropColumns: options.dropColumns ?? [],
  hashKey: options.hashKey && hashKeyId(options.hashKey),
  properties: { ...codecProperties(options.codec), [managedProperty]: 'true' },
})
