import { FileChanged } from './errors.ts'
import type { Look, OutputFile, WriteOptions, WrittenFile } from './file-io.ts'

/** What a store does for one open file. `outputFile` calls `write` one at a time and `publish` once. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>
  publish(look?: Look): Promise<WrittenFile>
  /** Drops what was written. Called at most once, also while a `write` is under way. */
  discard(): Promise<void>
  /** Stops a `publish` that still has bytes to send. Without it a publication always runs to its end. */
  interrupt?(reason: unknown): void
}

/**
 * The life of an open file, the same in every store: open, then published or dropped, once. The first failure
 * drops the file and is what every later call fails with; a signal does the same, with its reason.
 */
export function outputFile(sink: Sink, signal?: AbortSignal): OutputFile {
  let failure: { readonly reason: unknown } | undefined
  let publishing: Promise<WrittenFile> | undefined
  let discarding: Promise<void> | undefined

  const remember = (reason: unknown): void => {
    failure ??= { reason: signal?.aborted === true ? signal.reason : reason }
  }
  const fail = (reason: unknown): Promise<void> => {
    remember(reason)
    signal?.removeEventListener('abort', onSignal)
    // A leftover that cannot be removed now is found by the next run; the failure is what counts.
    discarding ??= sink.discard().catch(() => undefined)
    return discarding
  }
  const onSignal = (): void => {
    if (publishing === undefined) void fail(signal?.reason)
    else sink.interrupt?.(signal?.reason)
  }
  signal?.addEventListener('abort', onSignal, { once: true })

  const attempt = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      const result = await action()
      if (failure === undefined) return result
    } catch (error) {
      await fail(error)
    }
    await discarding
    throw failure?.reason
  }

  return {
    write(chunk) {
      if (publishing !== undefined) return Promise.reject(new Error('write after close'))
      return attempt(async () => {
        if (failure === undefined) await sink.write(chunk)
      })
    },
    close(look) {
      // What it throws is the failure, however the sink words it.
      const looking =
        look &&
        ((): ReturnType<Look> =>
          look().catch((error: unknown) => {
            remember(error)
            throw error
          }))
      publishing ??= attempt(() => {
        if (failure !== undefined) throw failure.reason
        return sink.publish(looking)
      }).finally(() => signal?.removeEventListener('abort', onSignal))
      return publishing
    },
    async abort() {
      if (publishing === undefined) await fail(new Error('the file was aborted'))
      else await publishing.catch(() => undefined)
    },
  }
}

const mostLooks = 5

/** Publishes by `attempt` over what `look` has seen; looks again where it throws `FileChanged`, five times in all. */
export async function publishOver<T>(
  look: Look,
  attempt: (seen: string | undefined) => Promise<T>,
): Promise<T> {
  for (let looks = 1; ; looks++) {
    const seen = await look()
    try {
      return await attempt(seen)
    } catch (error) {
      if (!(error instanceof FileChanged) || looks === mostLooks) throw error
    }
  }
}

/** `FileIO.write` by way of `FileIO.create`. */
export async function writeWhole(
  create: (location: string, options?: WriteOptions) => Promise<OutputFile>,
  location: string,
  body: Uint8Array,
  options?: WriteOptions,
): Promise<WrittenFile> {
  const file = await create(location, options)
  await file.write(body)
  return file.close()
}
