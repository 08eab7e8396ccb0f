import { parentPort } from 'node:worker_threads'
import { transferables } from '../../parquet/row-group.ts'
import { toThreadFailure } from '../../thread-failure.ts'
import type { FromReader, ToReader } from './pool.ts'
import { readTable, type EncodedRows } from './read-table.ts'

/** A thread that reads one table after another (pool.ts). */
let accept: (() => void) | undefined

parentPort?.on('message', (message: ToReader) => {
  if (message.kind === 'accepted') accept?.()
  else void answer(message)
})

async function answer({ request }: Extract<ToReader, { kind: 'read' }>): Promise<void> {
  try {
    send({ kind: 'done', result: await readTable(request, { onRows: handOver }) })
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
}

/** One row group is on its way at a time: the next one is made meanwhile, a third would only fill memory. */
let onTheWay = Promise.resolve()

async function handOver(rows: EncodedRows): Promise<void> {
  await onTheWay
  onTheWay = new Promise((resolve) => {
    accept = resolve
  })
  parentPort?.postMessage({ kind: 'rows', rows } satisfies FromReader, transferables(rows.rowGroup))
}

function send(message: FromReader): void {
  parentPort?.postMessage(message)
}
