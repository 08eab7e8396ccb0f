import type { Day } from '../calendar.ts'
import { dataError } from '../errors.ts'
import type { FileIO, FileStat } from '../storage/file-io.ts'
import { join } from '../storage/place.ts'

/** The log files of `days` in the folder `input`; days without a file are left out. Both forms of a day: exit 3. */
export async function findInputs(
  io: FileIO,
  input: string,
  days: readonly Day[],
): Promise<Map<Day, FileStat>> {
  const found = await Promise.all(
    days.map(async (day) => {
      const plain = join(input, `${day}.csv`)
      const [csv, gzip] = await Promise.all([io.stat(plain), io.stat(`${plain}.gz`)])
      if (csv !== undefined && gzip !== undefined) {
        throw dataError(`${day} is there twice: ${day}.csv and ${day}.csv.gz in ${input}`, {
          field: plain,
          fix: 'keep the one that is right and remove the other',
        })
      }
      return [day, csv ?? gzip] as const
    }),
  )
  return new Map(found.filter((entry): entry is [Day, FileStat] => entry[1] !== undefined))
}

/** The days whose file is not what it was: changed, gone or new. */
export const changedInputs = (before: ReadonlyMap<Day, FileStat>, after: ReadonlyMap<Day, FileStat>): Day[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(
    (day) =>
      before.get(day)?.identity !== after.get(day)?.identity ||
      before.get(day)?.location !== after.get(day)?.location,
  )
