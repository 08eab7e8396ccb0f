import { parentPort } from 'node:worker_threads'
import { openFileIO } from '../../storage/open.ts'
import { toThreadFailure } from '../../thread-failure.ts'
import { readDay } from './read-day.ts'
import type { FromWorker, ToWorker } from './reader.ts'

/** A thread that reads one day after another (reader.ts). It is terminated when the run ends or is stopped. */
const never = new AbortController().signal

parentPort?.on('message', ({ s3, request }: ToWorker) => {
  void answer({ s3, request })
})

async function answer({ s3, request }: ToWorker): Promise<void> {
  try {
    const io = await openFileIO(request.location, s3)
    const events = {
      onOutgrown: () => {
        send({ kind: 'outgrown' })
      },
      onBytes: (count: number) => {
        send({ kind: 'bytes', count })
      },
    }
    send({ kind: 'done', read: await readDay(request, io, events, never) })
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message)
}
