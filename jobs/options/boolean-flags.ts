import { usageError } from '../errors.ts'
import { booleanFix, booleanOf } from './boolean.ts'

const shape = /^--(?:(no-)?([^=]+))(?:=(.*))?$/s

/**
 * Writes the flags `names` out as `--x=true` and `--x=false`, in the one form that a parser cannot take for another:
 * `--x`, `--x=ON`, `--x 1`, `--no-x`, `--x 0` … The next word belongs to a flag only if it is a boolean. Other words stay
 * as they are, and so does everything behind `--`.
 *
 * @throws usage error for a value that is none, for one behind `--no-x`, and for a flag that is given twice
 */
export function writeFlagsOut(argv: readonly string[], names: ReadonlySet<string>): string[] {
  const written: string[] = []
  const given = new Set<string>()
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  for (let at = 0; at < end; at++) {
    const [, no = '', rest = '', assigned] = shape.exec(argv[at]!) ?? []
    const isNegated = no !== '' && !names.has(no + rest)
    const name = isNegated ? rest : no + rest
    if (!names.has(name)) {
      written.push(argv[at]!)
      continue
    }
    const field = `--${name}`
    if (given.has(name)) throw usageError(`${field} is given 2 times`, { field, fix: 'give it once' })
    given.add(name)
    if (isNegated && assigned !== undefined) {
      throw usageError(`--no-${name} takes no value`, { field, fix: `write --no-${name}, or ${field}=false` })
    }
    const next = assigned ?? (at + 1 < end ? argv[at + 1]! : '')
    const value = isNegated ? false : booleanOf(next)
    if (value === undefined && assigned !== undefined) {
      throw usageError(`${field}: "${assigned}" is not valid`, { field, fix: booleanFix })
    }
    if (!isNegated && assigned === undefined && value !== undefined) at++
    written.push(`${field}=${String(value ?? true)}`)
  }
  return [...written, ...argv.slice(end)]
}
