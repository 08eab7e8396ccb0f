import { lstat } from 'node:fs/promises'
import { addDays, daysBetween, type Day } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import type { ProgressBar } from '../progress.ts'
import { usageError, type JobError } from '../errors.ts'
import { FileExists } from '../storage/errors.ts'
import type { FileIO, WrittenFile } from '../storage/file-io.ts'
import { claimDemoFolder } from './demo-mark.ts'
import { createEvents } from './events.ts'
import { checkOptions, type GenerateOptions } from './options.ts'

const bufferBytes = 262_144

/** What was written; days left alone by `ifMissing` do not count. */
export interface Generated {
  readonly files: number
  readonly rows: number
  readonly bytes: number
  /** The files' locations, by day. */
  readonly outputs: string[]
}

/**
 * Writes `days` daily CRUD logs `<dir>/YYYY-MM-DD.csv` (design §3.4), each whole or not at all, in constant memory.
 * Emails depend on the seed alone, a day's events on seed, day and the number of emails, so that seven calls for
 * one day each equal one call for seven (operations-spec §2). Throws a `usageError` for options out of range, for days
 * that exist unless told what to do about them, and, with `demo`, for a folder that is not ours.
 */
export async function generate(
  io: FileIO,
  options: GenerateOptions,
  context: Pick<JobContext, 'signal' | 'progress'>,
): Promise<Generated> {
  checkOptions(options)
  if (options.demo) await claimDemoFolder(io, options.dir)
  const days = daysBetween(options.firstDate, addDays(options.firstDate, options.days - 1))
  if (!options.ifMissing) await refuseExisting(io, options, days)
  const bar = context.progress.start('generate', options.days * options.events, 'rows')
  const written: WrittenFile[] = []
  try {
    for (const day of days) {
      const file = await writeDay(io, options, day, { signal: context.signal, bar })
      if (file !== undefined) written.push(file)
    }
  } finally {
    bar.done()
  }
  return {
    files: written.length,
    rows: written.length * options.events,
    bytes: written.reduce((sum, file) => sum + file.size, 0),
    outputs: written.map((file) => file.location),
  }
}

/** Before anything is written: of several days all are made, or none. */
async function refuseExisting(
  io: FileIO,
  { dir, replace }: GenerateOptions,
  days: readonly Day[],
): Promise<void> {
  for (const day of days) {
    const plain = `${dir}/${day}.csv`
    // Two forms of a day are one too many for whoever reads them.
    for (const location of replace ? [`${plain}.gz`] : [plain, `${plain}.gz`])
      if ((await io.stat(location)) !== undefined) throw existing(location, replace)
    if (replace && io.scheme === 'file') await refuseLink(io.localPath(plain)!)
  }
}

/** A log may be a link to where it really is: writing would leave a file in its place. */
async function refuseLink(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined))?.isSymbolicLink() !== true) return
  throw usageError(`${path} is a symbolic link`, {
    field: '--replace',
    fix: 'remove the link, or give the folder that it leads to',
  })
}

function existing(location: string, replace: boolean): JobError {
  const anew = location.endsWith('.gz')
    ? 'remove the .gz, which --replace does not touch'
    : '--replace (make plain logs anew)'
  const fix = replace
    ? `${anew}, or give another folder`
    : `choose --if-missing (keep the days that exist) or ${anew}, or another folder`
  return usageError(`${location} exists`, { field: '--dir', fix })
}

interface DayContext {
  readonly signal: AbortSignal
  readonly bar: ProgressBar
}

/** Writes one day; undefined when `ifMissing` and it exists, also when another call has just published it. */
async function writeDay(
  io: FileIO,
  options: GenerateOptions,
  day: Day,
  context: DayContext,
): Promise<WrittenFile | undefined> {
  const { dir, ifMissing, events } = options
  const location = `${dir}/${day}.csv`
  context.signal.throwIfAborted()
  if (ifMissing && ((await io.stat(location)) ?? (await io.stat(`${location}.gz`))) !== undefined) {
    context.bar.add(events)
    return undefined
  }
  try {
    return await writeFile(io, options, { day, location }, context)
  } catch (thrown) {
    if (ifMissing && thrown instanceof FileExists) return undefined
    if (thrown instanceof FileExists) throw existing(location, options.replace)
    throw thrown
  }
}

async function writeFile(
  io: FileIO,
  options: GenerateOptions,
  { day, location }: { readonly day: Day; readonly location: string },
  { signal, bar }: DayContext,
): Promise<WrittenFile> {
  const output = await io.create(location, { ifAbsent: !options.replace, signal })
  try {
    const putEvents = createEvents(day, options)
    const buffer = Buffer.alloc(bufferBytes)
    for (let left = options.events; left > 0;) {
      const { rows, bytes } = putEvents(buffer, left)
      await output.write(buffer.subarray(0, bytes))
      signal.throwIfAborted()
      left -= rows
      bar.add(rows)
    }
    return await output.close()
  } catch (thrown) {
    await output.abort()
    throw thrown
  }
}
