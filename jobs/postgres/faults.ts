import { decisive, JobError, listed, shellWord, type ErrorDetails } from '../errors.ts'

/** A flag that resolves a fault: `--cast`, `n=text`. */
export interface FlagItem {
  readonly flag: string
  readonly item: string
}

/** Something that stands in the way of reading a table; `flags` are ready to be given. */
export class Fault extends JobError {
  readonly flags: readonly FlagItem[]

  constructor(
    code: 'usage' | 'data',
    message: string,
    { flags = [], ...details }: ErrorDetails & { readonly flags?: readonly FlagItem[] },
  ) {
    super(code, message, details)
    this.flags = flags
  }
}

/** Everything that stands in the way of one table or of a whole call (export-spec §6.7). */
export class Faults extends JobError {
  readonly faults: readonly JobError[]

  constructor(faults: readonly JobError[]) {
    const deciding = decisive(faults)
    const { code, field } = faults.find((fault) => fault === deciding)!
    super(
      code,
      listed(
        faults.map(({ message }) => message),
        '; ',
      ),
      {
        fix: fixOf(faults),
        ...(field !== undefined && { field }),
      },
    )
    this.faults = faults
  }
}

/** The error that tells all of them, each once; the only one as it is. `errors` holds at least one. */
export function allFaults(errors: readonly JobError[]): JobError {
  const faults = errors.flatMap((error) => (error instanceof Faults ? error.faults : [error]))
  const [first, ...more] = faults.filter(
    ({ message }, index) => faults.findIndex((other) => other.message === message) === index,
  )
  if (first === undefined) throw new TypeError('no faults')
  return more.length === 0 ? first : new Faults([first, ...more])
}

/** One flag of each name with all of its items, then what the others ask for. */
function fixOf(faults: readonly JobError[]): string {
  const items = faults.flatMap((fault) => (fault instanceof Fault ? fault.flags.slice(0, 1) : []))
  const names = [...new Set(items.map(({ flag }) => flag))]
  const flags = names.map(
    (name) =>
      `${name} ${shellWord(items.flatMap(({ flag, item }) => (flag === name ? [item] : [])).join(','))}`,
  )
  const others = faults.flatMap((fault) =>
    (fault instanceof Fault && fault.flags.length > 0) || fault.fix === undefined ? [] : [fault.fix],
  )
  const fixes = [
    ...(flags.length === 0 ? [] : [`use ${flags.join(' ')}, or leave columns out with --columns`]),
    ...new Set(others),
  ]
  return listed(fixes, '; ')
}

/** `flag item`, to be pasted into a shell. */
export const flagText = ({ flag, item }: FlagItem): string => `${flag} ${shellWord(item)}`
