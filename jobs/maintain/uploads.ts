import { asError } from '../errors.ts'
import type { FileIO, UnpublishedWrite } from '../storage/file-io.ts'
import { failureText } from './remove-files.ts'
import { none, plus, type Amount } from './tally.ts'

/** Unfinished writes of before a time. */
export interface RemovedUploads {
  readonly freed: Amount
  /** Younger, or not to be removed. */
  readonly left: Amount
  readonly failures: readonly string[]
}

/** Writes below some folders that were never published, old and young. */
export interface FoundUploads {
  readonly old: readonly UnpublishedWrite[]
  readonly young: Amount
}

/**
 * Writes that were begun and never published: multipart uploads, whose parts no listing shows, and temporary files of ours. Those
 * from `cutoffMs` on are young. Errors: the store's; the signal's reason.
 */
export async function findUploads(
  io: FileIO,
  folders: readonly string[],
  cutoffMs: number,
  signal: AbortSignal,
): Promise<FoundUploads> {
  const old: UnpublishedWrite[] = []
  let young = none
  for (const folder of folders)
    for await (const write of io.unpublished(folder)) {
      signal.throwIfAborted()
      if (write.begunMs >= cutoffMs) young = plus(young, amountOf(write))
      else old.push(write)
    }
  return { old, young }
}

/** Drops the old ones; with `dryRun` they are only counted. Errors: the signal's reason, between two. */
export async function removeUploads(
  io: FileIO,
  { old, young }: FoundUploads,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<RemovedUploads> {
  let [freed, left] = [none, young]
  const failures: string[] = []
  for (const write of old) {
    signal.throwIfAborted()
    const failure = dryRun ? undefined : await io.discard(write).then(() => undefined, asError)
    if (failure === undefined) freed = plus(freed, amountOf(write))
    else {
      left = plus(left, amountOf(write))
      failures.push(failureText(failure))
    }
  }
  return { freed, left, failures }
}

const amountOf = ({ size }: UnpublishedWrite): Amount => ({ files: 1, bytes: size })
