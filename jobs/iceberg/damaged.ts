import { asError, dataError, JobError } from '../errors.ts'

const fix =
  'bring the file back from a backup, or do without it: docs/recovery.md, "A manifest is damaged" and "A metadata file is damaged"'

/** A file of a table that is not what its writer wrote. `what`: the rest of a sentence that begins with the file. */
export const damaged = (location: string, what = 'is damaged', cause?: unknown): JobError =>
  dataError(`${location} ${what}`, { field: location, fix, cause })

/** What reading a file comes to: of one that is damaged anything may be missing, of another type or out of range. */
export function unlessDamaged<Read>(location: string, read: () => Read): Read {
  try {
    return read()
  } catch (error) {
    if (error instanceof JobError && error.field === location)
      throw error.fix === undefined ? dataError(error.message, { field: location, fix, cause: error }) : error
    throw damaged(location, `is damaged: ${asError(error).message}`, error)
  }
}
