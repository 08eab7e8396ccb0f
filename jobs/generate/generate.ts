import { addDays, daysBetween, type Day } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import type { ProgressBar } from '../progress.ts'
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
 * one day each equal one call for seven (operations-spec §2). Throws a `usageError` for options out of range and,
 * with `demo`, for a folder that is not ours.
 */
export async function generate(
  io: FileIO,
  options: GenerateOptions,
  context: Pick<JobContext, 'signal' | 'progress'>,
): Promise<Generated> {
  checkOptions(options)
  if (options.demo) await claimDemoFolder(io, options.dir)
  const days = daysBetween(options.firstDate, addDays(options.firstDate, options.days - 1))
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
    throw thrown
  }
}

async function writeFile(
  io: FileIO,
  options: GenerateOptions,
  { day, location }: { readonly day: Day; readonly location: string },
  { signal, bar }: DayContext,
): Promise<WrittenFile> {
  const output = await io.create(location, { ifAbsent: options.ifMissing, signal })
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
