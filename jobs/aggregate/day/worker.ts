import { parentPort } from 'node:worker_threads'
import { openFileIO } from '../../storage/open.ts'
import { toThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { mergeToList } from '../lists/merge-to-list.ts'
import { readDay } from './read-day.ts'
import type { FromWorker, ToWorker } from './reader.ts'
import { createShare, type Share } from './share.ts'

/**
 * A thread that reads one day after another, merges their lists, or has a share of one (reader.ts). It is terminated when the run ends
 * or is stopped.
 */
const never = new AbortController().signal
let share: Share | undefined

parentPort?.on('message', (asked: ToWorker) => {
  void answer(asked)
})

async function answer(asked: ToWorker): Promise<void> {
  try {
    if (asked.kind === 'merge') {
      send({ kind: 'merged', list: mergeToList(asked.lists, asked.path) })
      return
    }
    if (asked.kind === 'share') {
      share = createShare(asked.request)
      return
    }
    if (asked.kind === 'block') {
      if (share !== undefined) send({ kind: 'scanned', block: share.scan(asked.block) })
      return
    }
    if (asked.kind === 'finish') {
      if (share !== undefined) send({ kind: 'shared', counts: share.finish() })
      share = undefined
      return
    }
    const { s3, request } = asked
    const io = await openFileIO(request.location, s3)
    const onBytes = (count: number): void => {
      send({ kind: 'bytes', count })
    }
    send({ kind: 'read', read: await readDay(request, io, onBytes, never) })
  } catch (thrown) {
    share = undefined
    send(toThreadFailure(thrown))
  }
}

function send(message: FromWorker | ThreadFailure): void {
  parentPort?.postMessage(message)
}
