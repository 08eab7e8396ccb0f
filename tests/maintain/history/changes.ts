import { randomUUID } from 'node:crypto'
import type { Table } from '../../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { writeMetadataFile } from '../../../jobs/iceberg/catalog/stored/metadata-file.ts'
import { branchSnapshot } from '../../../jobs/iceberg/metadata/metadata.ts'
import type { TableUpdate } from '../../../jobs/iceberg/metadata/updates.ts'
import { commitSnapshot } from '../../../jobs/iceberg/snapshot/commit.ts'
import type { SnapshotRequest } from '../../../jobs/iceberg/snapshot/snapshot-request.ts'
import { forgetTable } from '../../../jobs/maintain/entry/forget.ts'
import { daysFilter } from '../../../jobs/provenance/days-filter.ts'
import { request, rowsWhere } from '../../iceberg/tables.ts'
import { schema } from '../compact-lake.ts'
import { dayMs } from '../lake-with-files.ts'
import { days, type HistoryLake, type NewFile } from './history-lake.ts'

/** The rows of a snapshot that was made, by those of its parent. */
export type Expected = (parent: readonly string[]) => readonly string[]

type Change = (at: HistoryLake, table: Table) => Promise<Expected | undefined>

const nothingNew = undefined

const commit = async (
  { lake }: HistoryLake,
  table: Table,
  partial: Partial<SnapshotRequest>,
): Promise<void> => {
  await commitSnapshot(lake.catalog, table, request(table, partial), lake.effects)
}

const update = async ({ lake, identifier }: HistoryLake, ...updates: TableUpdate[]): Promise<undefined> => {
  await lake.catalog.commit(identifier, [], updates)
  return nothingNew
}

const without = (gone: readonly string[]): Expected => {
  const set = new Set(gone)
  return (parent) => parent.filter((row) => !set.has(row))
}

const branchOf = ({ pick }: HistoryLake, { metadata }: Table): string =>
  pick([
    'main',
    ...Object.entries(metadata.refs).flatMap(([name, { type }]) => (type === 'branch' ? [name] : [])),
  ])

/** Deletes of rows of one file, each of them by a position, as Spark's merge-on-read makes them. */
async function deletedRows(
  at: HistoryLake,
  file: DataFile,
): Promise<{ readonly file: DataFile; readonly rows: readonly string[] }> {
  const rows = await at.rowsIn(file)
  const positions = [...new Set([at.below(rows.length), at.below(rows.length)])]
  const deletes = await at.deletes(positions.map((position) => [file, position] as const))
  return { file: deletes, rows: positions.map((position) => rows[position]!) }
}

export const changes: Readonly<Record<string, Change>> = {
  async append(at, table) {
    const added: NewFile[] = []
    for (let more = 1 + at.below(4); more > 0; more--) added.push(await at.newFile(table, at.pick(days)))
    const branch = branchOf(at, table)
    const startingSnapshotId = branchSnapshot(table.metadata, branch)?.['snapshot-id']
    await commit(at, table, { branch, startingSnapshotId, addFiles: added.map(({ file }) => file) })
    return (parent) => [...parent, ...added.flatMap(({ rows }) => rows)]
  },
  async overwriteDay(at, table) {
    const day = at.pick(days)
    const { file, rows } = await at.newFile(table, day)
    const filter = daysFilter(schema.fields[0]!, [{ from: day, to: day }])
    await commit(at, table, { operation: 'overwrite', addFiles: [file], removeFiles: rowsWhere(filter) })
    return (parent) => [...parent.filter((row) => !row.startsWith(day)), ...rows]
  },
  async overwriteAll(at, table) {
    const { file, rows } = await at.newFile(table, at.pick(days))
    const removeFiles = rowsWhere({ kind: 'true' })
    await commit(at, table, { operation: 'overwrite', addFiles: [file], removeFiles })
    return () => rows
  },
  async remove(at, table) {
    const files = await at.live(table)
    if (files.length === 0) return nothingNew
    const file = at.pick(files)
    const rows = await at.rowsIn(file)
    const removeFiles = { kind: 'paths', paths: new Set([file.filePath]) } as const
    await commit(at, table, { operation: 'delete', removeFiles })
    return without(rows)
  },
  async deleteRows(at, table) {
    const files = await at.live(table)
    if (files.length === 0) return nothingNew
    const { file, rows } = await deletedRows(at, at.pick(files))
    await commit(at, table, { operation: 'overwrite', addFiles: [file] })
    return without(rows)
  },
  async ref(at, { metadata }) {
    if (metadata.snapshots.length === 0) return nothingNew
    const id = at.pick(metadata.snapshots)['snapshot-id']
    const type = at.pick(['branch', 'tag'] as const)
    const name = `${type}-${at.below(3)}`
    return metadata.refs[name] === undefined
      ? update(at, { action: 'set-snapshot-ref', 'ref-name': name, type, 'snapshot-id': id })
      : update(at, { action: 'remove-snapshot-ref', 'ref-name': name })
  },
  async rollback(at, { metadata }) {
    if (metadata.snapshots.length === 0) return nothingNew
    const id = at.pick(metadata.snapshots)['snapshot-id']
    return update(at, {
      action: 'set-snapshot-ref',
      'ref-name': 'main',
      type: 'branch',
      'snapshot-id': id,
    })
  },
  /** A column more, or a wider one. */
  async evolve(at, { metadata }) {
    const [last] = metadata.schemas.slice(-1)
    const id = metadata['last-column-id'] + 1
    const isWider = at.below(2) === 0
    const fields = isWider
      ? last!.fields.map((field) => (field.id === 2 ? { ...field, type: 'long' } : field))
      : [...last!.fields, { id, name: `c${id}`, required: false, type: 'long' } as const]
    return update(
      at,
      { action: 'add-schema', schema: { ...last!, fields } },
      { action: 'set-current-schema', 'schema-id': -1 },
    )
  },
  async respec(at, { metadata }) {
    const other = metadata['partition-specs'].find((spec) => spec['spec-id'] !== metadata['default-spec-id'])
    const spec = { 'spec-id': 0, fields: other?.fields ?? [] }
    return update(at, { action: 'add-spec', spec }, { action: 'set-default-spec', 'spec-id': -1 })
  },
  async rename(at) {
    const name = at.identifier.name === 'web_logs' ? 'renamed' : 'web_logs'
    const to = { namespace: ['default'], name }
    await at.lake.catalog.rename(at.identifier, to)
    at.identifier = to
    return nothingNew
  },
  /** A table elsewhere that needs what this one has now; the second of three is forgotten. */
  async sibling(at, { metadata, io }) {
    const { lake, siblings } = at
    if (siblings.length === 3) return nothingNew
    const identifier = { namespace: ['default'], name: `sibling${siblings.length}` }
    const location = `${metadata.location}_${identifier.name}`
    const pointer = `${location}/metadata/00000-${randomUUID()}.metadata.json`
    await writeMetadataFile(io, pointer, { ...metadata, 'table-uuid': randomUUID(), location })
    await lake.catalog.register(identifier, pointer)
    siblings.push(pointer)
    if (siblings.length % 2 === 0) await forgetTable(identifier, false, lake.catalog)
    return nothingNew
  },
  wait({ lake, below }) {
    lake.clock.ms += below(4) * dayMs
    return Promise.resolve(nothingNew)
  },
  /** What a run that was killed before its commit leaves. */
  async strand(at, table) {
    await at.newFile(table, at.pick(days))
    await at.lake.io.write(
      `${table.metadata.location}/metadata/00099-${randomUUID()}.metadata.json`,
      Buffer.from('{}'),
    )
    return nothingNew
  },
}

/** Histories that share files make faults show. */
export const likely = [
  ...Array.from({ length: 12 }, () => 'append'),
  ...Array.from({ length: 5 }, () => 'deleteRows'),
  ...['overwriteDay', 'overwriteDay', 'remove', 'ref', 'wait'],
]
/** What others do in the middle of a maintenance. */
export const meanwhile = ['append', 'overwriteDay', 'deleteRows', 'ref', 'remove', 'rollback', 'evolve']
