import type { Day } from '../../calendar.ts'
import { mapConcurrently } from '../../concurrency.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { join } from '../../storage/place.ts'
import type { CrudDay, RejectsReport } from '../schema.ts'

type Reason = RejectsReport['reasons'][number]

/** Characters of a rejected line that are kept. */
const rawLength = 200

/** Of each day that has rejected lines: how many for which reason, and the first of each. Errors: the store's. */
export const rejectsOf = (io: FileIO, folder: string, days: readonly CrudDay[]): Promise<RejectsReport[]> =>
  mapConcurrently(
    days.filter(({ rejects = 0 }) => rejects > 0),
    2,
    async ({ day, rejects = 0 }) => ({ day, lines: rejects, reasons: await reasonsOf(io, folder, day) }),
  )

async function reasonsOf(io: FileIO, folder: string, day: Day): Promise<Reason[]> {
  const location = join(folder, `${day}.csv`)
  if ((await io.stat(location)) === undefined) return []
  const found = new Map<string, Reason>()
  for await (const [, line = '', reason = '', raw = ''] of records(io, location)) {
    const known = found.get(reason)
    if (known !== undefined) found.set(reason, { ...known, lines: known.lines + 1 })
    else if (/^\d+$/.test(line))
      found.set(reason, { reason, lines: 1, line: Number(line), raw: raw.slice(0, rawLength) })
  }
  return [...found.values()].sort((a, b) => b.lines - a.lines || a.line - b.line)
}

/** The records of a file of rejects (RFC 4180), its header too; of long fields the beginning. */
async function* records(io: FileIO, location: string): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let fields: string[] = []
  let field = ''
  let isQuoted = false
  let isQuoteOpen = false
  for await (const chunk of (await io.stream(location)) as AsyncIterable<Uint8Array>) {
    for (const character of decoder.decode(chunk, { stream: true })) {
      if (isQuoted && !isQuoteOpen) {
        if (character === '"') isQuoteOpen = true
        else field = added(field, character)
      } else if (character === '"') {
        // The second of two, or the first of a quoted field.
        if (isQuoteOpen) field = added(field, '"')
        isQuoted = true
        isQuoteOpen = false
      } else if (character === ',' || character === '\n') {
        fields.push(field)
        field = ''
        isQuoted = isQuoteOpen = false
        if (character === '\n') {
          yield fields
          fields = []
        }
      } else field = added(field, character)
    }
  }
}

const added = (field: string, character: string): string =>
  field.length < 4 * rawLength ? field + character : field
