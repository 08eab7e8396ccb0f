import { usageError } from '../../errors.ts'
import { currentState, type SnapshotChoice } from '../../lake/snapshot-choice.ts'
import type { OptionTable, OptionValues } from '../../options/options.ts'

/** Which state of a table a command reads. */
export const snapshotFlags = {
  snapshot: { kind: 'text', describe: 'the snapshot with that id (default: the newest of main)' },
  'as-of': {
    kind: 'instant',
    describe: 'what main was at that time, such as 2024-09-16T07:00Z; without a zone it is UTC',
  },
  branch: { kind: 'text', describe: 'the newest snapshot of that branch, or the one of that tag' },
} as const satisfies OptionTable

/** Errors: usage where more than one is given, or the id is none. */
export function snapshotChoice(values: OptionValues<typeof snapshotFlags>): SnapshotChoice {
  const { snapshot, 'as-of': ms, branch } = values
  const given = Object.entries({ '--snapshot': snapshot, '--as-of': ms, '--branch': branch })
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag)
  const [first, second] = given
  if (first !== undefined && second !== undefined)
    throw usageError(`${first} and ${second} both say which snapshot`, {
      field: second,
      fix: 'give one of them',
    })
  if (ms !== undefined) return { kind: 'as-of', ms }
  if (branch !== undefined) return { kind: 'ref', name: branch }
  if (snapshot === undefined) return currentState
  if (/^-?\d{1,19}$/.test(snapshot)) return { kind: 'id', id: BigInt(snapshot) }
  throw usageError(`--snapshot: "${snapshot}" is no snapshot id`, {
    field: '--snapshot',
    fix: 'give a whole number, as `lakejobs inspect --snapshots` lists them; --branch takes names',
  })
}
