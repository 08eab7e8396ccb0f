import { Readable } from 'node:stream'

async function* checked(body: Readable, length: number | undefined, toError: (thrown: unknown) => Error) {
  let seen = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      seen += chunk.length
      yield chunk
    }
  } catch (error) {
    throw toError(error)
  }
  if (length !== undefined && seen !== length) {
    throw toError(new Error(`the answer ended after ${seen} of ${length} bytes`))
  }
}

/**
 * The body of an answer as a stream that fails with `toError` when the body breaks or ends before `length`
 * bytes (its Content-Length; undefined: unknown), and that closes the body when the reader leaves.
 */
export function wholeBody(
  body: Readable,
  length: number | undefined,
  toError: (thrown: unknown) => Error,
): Readable {
  const whole = Readable.from(checked(body, length, toError), { objectMode: false })
  // A reader that leaves before the first byte never starts the generator, which would close the body.
  return whole.once('close', () => body.destroy())
}
