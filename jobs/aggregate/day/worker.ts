import { parentPort } from 'node:worker_threads'
import { openFileIO } from '../../storage/open.ts'
import { toThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { mergeToList } from '../lists/merge-to-list.ts'
import { readDay } from './read-day.ts'
import type { FromWorker, ToWorker } from './reader.ts'

/** A thread that reads one day after another, or merges their lists (reader.ts). It is terminated when the run ends or is stopped. */
const never = new AbortController().signal

parentPort?.on('message', (asked: ToWorker) => {
  void answer(asked)
})

async function answer(asked: ToWorker): Promise<void> {
  try {
    if (asked.kind === 'merge') {
      send({ kind: 'merged', list: mergeToList(asked.lists, asked.path) })
      return
    }
    const { s3, request } = asked
    const io = await openFileIO(request.location, s3)
    const onBytes = (count: number): void => {
      send({ kind: 'bytes', count })
    }
    send({ kind: 'read', read: await readDay(request, io, onBytes, never) })
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
}

function send(message: FromWorker | ThreadFailure): void {
  parentPort?.postMessage(message)
}
