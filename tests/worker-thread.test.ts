import { expect, it } from '@jest/globals'
import { startWorker, type WorkerThread } from '../jobs/worker-thread.ts'

interface Answer {
  readonly kind: string
  readonly text?: string
}

/** A thread that runs what it is told as code. */
const start = (): WorkerThread<string, Answer> =>
  startWorker(
    new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from 'node:worker_threads'
        parentPort.on('message', (code) => new Function('port', code)(parentPort))`)}`,
    ),
    'a thread of the test',
  )

const never = new AbortController().signal
const ask = (thread: WorkerThread<string, Answer>, message: string, signal = never): Promise<string> =>
  thread.ask<string>(
    { message },
    ({ text = '' }, resolve) => {
      if (text !== 'not yet') resolve(text)
    },
    signal,
  )

async function withThread(work: (thread: WorkerThread<string, Answer>) => Promise<void>): Promise<void> {
  const thread = start()
  try {
    await work(thread)
  } finally {
    await thread.terminate()
  }
}

const answer = (text: string): string => `port.postMessage({ kind: 'said', text: ${JSON.stringify(text)} });`

it('hears answers until one is the result, question after question', () =>
  withThread(async (thread) => {
    expect(await ask(thread, answer('not yet') + answer('one'))).toBe('one')
    expect(await ask(thread, answer('two'))).toBe('two')
  }))

it('fails when the thread ends without an error, while it is asked and ever after', () =>
  withThread(async (thread) => {
    const ended = 'a thread of the test ended (exit code 0) before it was through'
    await expect(ask(thread, 'process.exit(0)')).rejects.toThrow(ended)
    await expect(ask(thread, answer('too late'))).rejects.toThrow(ended)
  }))

it('fails when the thread breaks, with its error', () =>
  withThread(async (thread) => {
    await expect(ask(thread, 'throw new Error("broken")')).rejects.toThrow('broken')
    await expect(ask(thread, answer('too late'))).rejects.toThrow('broken')
  }))

it('fails with what the thread says, and can be asked again', () =>
  withThread(async (thread) => {
    const failed = { kind: 'failed', code: 'data', message: 'no such row', field: 'x', fix: 'look' }
    await expect(ask(thread, `port.postMessage(${JSON.stringify(failed)})`)).rejects.toMatchObject({
      code: 'data',
      message: 'no such row',
    })
    expect(await ask(thread, answer('well'))).toBe('well')
  }))

it('fails with the reason of its signal', () =>
  withThread(async (thread) => {
    const controller = new AbortController()
    const asked = ask(thread, '', controller.signal)
    controller.abort(new Error('stopped'))
    await expect(asked).rejects.toThrow('stopped')
  }))
