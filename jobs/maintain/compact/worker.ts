import { parentPort } from 'node:worker_threads'
import { lakeEngine, type LakeEngine } from '../../lake/engine.ts'
import { transferables, type RelocatableRowGroup } from '../../parquet/row-group.ts'
import { toThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { rowGroups, type RowGroups, type TakenRows } from './row-groups.ts'
import type { FromThread, ToThread } from './thread.ts'

/** A thread that reads rows and encodes them (thread.ts). */
let groups: RowGroups | undefined
let engine: LakeEngine | undefined
let handedOver: { readonly accept: () => void; readonly refuse: (reason: Error) => void } | undefined
const stopping = new AbortController()
let last: Promise<void> | undefined

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

type Question = Exclude<ToThread, { kind: 'accepted' | 'stop' }>

async function answer(message: Question): Promise<void> {
  try {
    send({ kind: 'done', taken: await takenBy(message) })
  } catch (thrown) {
    send(toThreadFailure(thrown))
  }
}

async function takenBy(message: Question): Promise<TakenRows | undefined> {
  switch (message.kind) {
    case 'read':
      return groups!.read(message.files, handOver)
    case 'decode':
      return groups!.decode(message.group, handOver)
    case 'flush':
      await groups!.flush(handOver)
      return undefined
    case 'open':
      engine = lakeEngine({ ...message.engine, signal: stopping.signal })
      groups = await rowGroups(message.settings, engine)
      return undefined
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
