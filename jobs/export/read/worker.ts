import { parentPort } from 'node:worker_threads'
import { keptReader } from '../../postgres/kept-reader.ts'
import { transferables } from '../../parquet/row-group.ts'
import { memoryOf } from '../../vector/vector-memory.ts'
import { toThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { createEncoder, type EncodedRows } from './encode-rows.ts'
import { readEncoded } from './read-encoded.ts'
import type { FromThread, ToThread } from './thread.ts'

/** A thread that reads and encodes tables, or encodes what another one reads (thread.ts). */
let handedOver: { readonly accept: () => void; readonly refuse: (reason: Error) => void } | undefined
const stopping = new AbortController()
const reader = keptReader()
let last: Promise<void> | undefined

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'accepted') handedOver?.accept()
  else if (message.kind === 'stop') void stop()
  else last = answer(message)
})

/** Cancels what the server does for this thread, waits until it is over and closes its connection. */
async function stop(): Promise<void> {
  const reason = new Error('the thread was stopped')
  stopping.abort(reason)
  handedOver?.refuse(reason)
  await last
  await reader.close()
  send({ kind: 'stopped' })
}

async function answer(message: Exclude<ToThread, { kind: 'accepted' | 'stop' }>): Promise<void> {
  try {
    if (message.kind === 'read') {
      const { request, settings } = message
      send({ kind: 'done', result: await readEncoded(request, settings, reader, handOver, stopping.signal) })
    } else {
      const encode = await createEncoder(message.settings)
      sendRows(encode(message.rows), memoryOf(message.rows.vectors))
    }
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
}

/** Resolves when the rows are accepted: one row group is on its way at a time. Rejects when the thread is stopped. */
function handOver(rows: EncodedRows): Promise<void> {
  return new Promise((accept, refuse) => {
    stopping.signal.throwIfAborted()
    handedOver = { accept, refuse }
    sendRows(rows)
  })
}

function sendRows(rows: EncodedRows, spent: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage({ kind: 'rows', rows, spent } satisfies FromThread, [
    ...transferables(rows.rowGroup),
    ...spent,
  ])
}

function send(message: FromThread | ThreadFailure): void {
  parentPort?.postMessage(message)
}
