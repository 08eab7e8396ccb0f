import { readdir } from 'node:fs/promises'
import type { Day } from '../calendar.ts'
import { dataError, listed, systemCode, usageError } from '../errors.ts'
import type { FileIO, FileStat } from '../storage/file-io.ts'
import { localError } from '../storage/local/errors.ts'
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

/**
 * What stands in the local folder `input` where logs of `days` are missing: names that differ by case, links that lead
 * nowhere, folders. Undefined when there is nothing like it, and in object stores. Throws a `usageError` when the folder
 * itself does not exist: that is a wrong name or a share that is not mounted, and no log will ever come.
 */
export async function nearMisses(
  io: FileIO,
  input: string,
  days: readonly Day[],
): Promise<string | undefined> {
  const path = io.scheme === 'file' ? io.localPath(input) : undefined
  if (path === undefined) return undefined
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw localError(error, 'list', path)
    throw usageError(`${input} is not a folder that exists`, {
      field: '--input',
      fix: 'give the folder of the logs with --input, or mount it',
    })
  })
  const wanted = new Set(days.flatMap((day) => [`${day}.csv`, `${day}.csv.gz`]))
  const found = entries.flatMap((entry) => {
    const { name } = entry
    if (!wanted.has(name))
      return wanted.has(name.toLowerCase()) ? [`rename ${name} to ${name.toLowerCase()}`] : []
    if (entry.isSymbolicLink()) return [`mend ${name}, a link that leads to no file`]
    return entry.isDirectory() ? [`replace ${name}, a folder, by a file`] : []
  })
  return found.length === 0 ? undefined : listed(found.sort())
}
