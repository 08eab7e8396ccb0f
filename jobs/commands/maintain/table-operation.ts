import { tmpdir } from 'node:os'
import { msPerDay } from '../../calendar.ts'
import { usageError } from '../../errors.ts'
import type { Retention } from '../../lake/upkeep/retention.ts'
import type { CompactOptions } from '../../maintain/compact/compact.ts'
import type { Operation } from '../../maintain/maintain.ts'
import type { OrphanOptions } from '../../maintain/orphans.ts'
import type { EntryKind } from './entry-operation.ts'
import type { Kind, Values } from './options.ts'

/** What is done to tables that are there. Errors: usage, for flags that say too little or too much. */
export function operationOf(kind: Exclude<Kind, EntryKind | 'list'>, values: Values): Operation {
  switch (kind) {
    case 'all':
      return {
        kind,
        compact: compactOf(values),
        retention: retentionOf(values),
        orphans: orphansOf(values),
      }
    case 'compact':
      return { kind, ...compactOf(values) }
    case 'expire':
      return { kind, retention: retentionOf(values) }
    case 'orphans':
      return { kind, ...orphansOf(values) }
    case 'adopt':
      return { kind }
    case 'tag': {
      const { name, drop: isDrop } = values
      if (name === undefined)
        throw usageError('maintain tag: no name', { field: '--name', fix: 'give the tag with --name' })
      if (isDrop && values.snapshot !== undefined)
        throw usageError('maintain tag: --drop takes no --snapshot', {
          field: '--snapshot',
          fix: 'leave it out',
        })
      return { kind, name, snapshotId: snapshotOf(values), isDrop }
    }
    case 'retain': {
      const { days } = values
      if (days === undefined)
        throw usageError('maintain retain: how many days stay?', {
          field: '--days',
          fix: 'give --days, such as --days 365',
        })
      return { kind, days }
    }
    case 'rollback': {
      const id = snapshotOf(values)
      const { to: ms, 'allow-non-ancestor': allowNonAncestor } = values
      if ((id === undefined) === (ms === undefined))
        throw usageError('maintain rollback: say to what, once', {
          field: '--snapshot',
          fix: 'give --snapshot or --to; `lakejobs inspect --table TABLE --snapshots` lists them',
        })
      return { kind, to: id === undefined ? { ms: ms! } : { id }, allowNonAncestor }
    }
  }
}

const compactOf = (values: Values): CompactOptions => ({
  minFiles: values['min-files'],
  maxRewrite: values['max-rewrite'],
  scratch: values.scratch ?? tmpdir(),
  maxDownload: values['max-download'],
})

const retentionOf = (values: Values): Retention => ({
  olderThanMs: values['older-than'],
  keep: values.keep,
  keepBeforeShrinkMs: values['keep-before-shrink'] ?? 30 * msPerDay,
})

function orphansOf(values: Values): OrphanOptions {
  const ageMs = values['orphan-age'] ?? 3 * msPerDay
  if (ageMs < msPerDay && !values['allow-young-orphans'])
    throw usageError('--orphan-age: less than 24h may be files that a run is writing', {
      field: '--orphan-age',
      fix: 'give 24h or more; or, where nothing writes now, --allow-young-orphans',
    })
  return { ageMs, maxShare: values['max-orphans'] ?? 0.2, isDelete: values.delete }
}

function snapshotOf({ snapshot }: Values): bigint | undefined {
  if (snapshot === undefined || /^-?\d{1,19}$/.test(snapshot))
    return snapshot === undefined ? undefined : BigInt(snapshot)
  throw usageError(`--snapshot: "${snapshot}" is no snapshot id`, {
    field: '--snapshot',
    fix: 'give a whole number, as `lakejobs inspect --snapshots` lists them',
  })
}
