import { parentPort } from 'node:worker_threads'
import { lakeEngine, type LakeEngine } from '../../lake/engine.ts'
import { transferables, type RelocatableRowGroup } from '../../parquet/row-group.ts'
import { toThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { rowGroups, type RowGroups } from './row-groups.ts'
import type { FromThread, ToThread } from './thread.ts'

/** A thread that reads rows and encodes them (thread.ts). */
let groups: RowGroups | undefined
let engine: LakeEngine | undefined
let handedOver: { readonly accept: () => void; readonly refuse: (reason: Error) => void } | undefined
const stopping = new AbortController()
let last: Promise<void> | undefined
const nothing = { rows: 0, deleted: 0 }

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'accepted') handedOver?.accept()
  else if (message.kind === 'stop') void stop()
  else last = answer(message)
})

async function stop(): Promise<void> {
  const reason = new Error('the thread was stopped')
  stopping.abort(reason)
  handedOver?.refuse(reason)
  await last
  engine?.close()
  send({ kind: 'stopped' })
}

async function answer(message: Exclude<ToThread, { kind: 'accepted' | 'stop' }>): Promise<void> {
  try {
    if (message.kind === 'open') {
      engine = lakeEngine({ ...message.engine, signal: stopping.signal })
      groups = await rowGroups(message.settings, engine)
    }
    const taken = message.kind === 'read' ? await groups!.read(message.files, handOver) : nothing
    if (message.kind === 'flush') await groups!.flush(handOver)
    send({ kind: 'done', taken })
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
}

/** Resolves when the row group is accepted. Rejects when the thread is stopped. */
function handOver(rowGroup: RelocatableRowGroup): Promise<void> {
  return new Promise((accept, refuse) => {
    stopping.signal.throwIfAborted()
    handedOver = { accept, refuse }
    parentPort?.postMessage({ kind: 'rows', rowGroup } satisfies FromThread, transferables(rowGroup))
  })
}

function send(message: FromThread | ThreadFailure): void {
  parentPort?.postMessage(message)
}
