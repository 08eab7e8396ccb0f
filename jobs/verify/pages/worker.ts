import { parentPort } from 'node:worker_threads'
import { toThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { hashedGroup, type FromThread, type HashedColumns, type ToThread } from './group-threads.ts'

/** A thread that hashes one row group after the other (group-threads.ts). It is terminated when there are no more. */
let columns: HashedColumns | undefined

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'columns') {
    ;({ columns } = message)
    return
  }
  if (columns === undefined) return
  const { bytes } = message.one
  try {
    send({ kind: 'hashed', rows: hashedGroup(columns, message.one), spent: bytes }, [bytes.buffer])
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
})

function send(message: FromThread | ThreadFailure, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}
