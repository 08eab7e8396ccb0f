import { usageError } from '../errors.ts'
import type { CommandSpec } from './options.ts'

/**
 * Gives the words after the command their option names, in the order of `spec.positionals`.
 *
 * @param words the command line's positional words, the command's own name left out
 * @param flags what was given as flags; a word for an option that is also a flag is refused
 * @returns flags and words by option name
 */
export function placePositionals(
  spec: CommandSpec,
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const names = loneDay(spec, words) ?? spec.positionals
  const extra = words[names.length]
  if (extra !== undefined) {
    throw usageError(`"${extra}" is one argument too many`, {
      field: extra,
      fix: `${spec.name} takes ${names.length === 0 ? 'none' : names.join(', ')}`,
    })
  }
  const placed = { ...flags }
  for (const [index, word] of words.entries()) {
    const name = names[index]!
    if (placed[name] !== undefined) {
      throw usageError(`${name} is given twice, as --${name} and as "${word}"`, {
        field: `--${name}`,
        fix: 'give it once',
      })
    }
    placed[name] = word
  }
  return placed
}

/** Written like a day, whether the calendar has it or not: what is no day is refused then (`./2024-9-1` is a folder). */
const dayShape = /^\d+-\d+-\d+$/

/** `lakejobs aggregate 2024-09-24`: a day alone is the date, not a folder of that name. */
function loneDay(
  { loneDay: name }: CommandSpec,
  [first, ...others]: readonly string[],
): string[] | undefined {
  const alone = name !== undefined && first !== undefined && others.length === 0
  return alone && dayShape.test(first) ? [name] : undefined
}
