import { parentPort } from 'node:worker_threads'
import { transferables } from '../../parquet/row-group.ts'
import { memoryOf } from '../../parquet/vector-memory.ts'
import { toThreadFailure } from '../../thread-failure.ts'
import { createEncoder, type EncodedRows } from './encode-rows.ts'
import { readEncoded } from './read-encoded.ts'
import type { FromThread, ToThread } from './thread.ts'

/** A thread that reads and encodes tables, or encodes what another one reads (thread.ts). */
let accept: (() => void) | undefined

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'accepted') accept?.()
  else void answer(message)
})

async function answer(message: Exclude<ToThread, { kind: 'accepted' }>): Promise<void> {
  try {
    if (message.kind === 'read')
      send({ kind: 'done', result: await readEncoded(message.request, message.settings, handOver) })
    else {
      const encode = await createEncoder(message.settings)
      sendRows(encode(message.rows), memoryOf(message.rows.vectors))
    }
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
}

/** Resolves when the rows are accepted: one row group is on its way at a time. */
function handOver(rows: EncodedRows): Promise<void> {
  return new Promise((resolve) => {
    accept = resolve
    sendRows(rows)
  })
}

function sendRows(rows: EncodedRows, spent: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage({ kind: 'rows', rows, spent } satisfies FromThread, [
    ...transferables(rows.rowGroup),
    ...spent,
  ])
}

function send(message: FromThread): void {
  parentPort?.postMessage(message)
}
