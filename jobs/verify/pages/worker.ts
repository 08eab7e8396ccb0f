import { parentPort } from 'node:worker_threads'
import { toThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { hashedGroup, type FromThread, type ToThread } from './group-threads.ts'

/** A thread that hashes one row group after the other (group-threads.ts). It is terminated when there are no more. */
parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'start') {
    send({ kind: 'started' })
    return
  }
  const { columns, one } = message
  const { bytes } = one
  try {
    send({ kind: 'hashed', rows: hashedGroup(columns, one), spent: bytes }, [bytes.buffer])
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
})

function send(message: FromThread | ThreadFailure, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}
