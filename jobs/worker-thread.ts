import { Worker } from 'node:worker_threads'
import { asError } from './errors.ts'
import { fromThreadFailure, type ThreadFailure } from './thread-failure.ts'

/** A thread that is asked one thing at a time. `Tell` is what it is told, `Answer` what it answers beside failures. */
export interface WorkerThread<Tell, Answer> {
  /**
   * Tells it something, moving `transfer`, and hears its answers until one of them resolves. Rejects with what the thread
   * says went wrong, when it breaks or ends, without an error too and also if it has before, and when the signal is aborted.
   */
  ask<Result>(
    question: { readonly message: Tell; readonly transfer?: readonly ArrayBuffer[] },
    hear: (answer: Answer, resolve: (result: Result) => void, reject: (error: unknown) => void) => void,
    signal: AbortSignal,
  ): Promise<Result>
  /** Tells it something that is no question, moving `transfer`. */
  tell(message: Tell, transfer?: readonly ArrayBuffer[]): void
  terminate(): Promise<unknown>
}

/** Starts the thread of a module; one that cannot start says so when it is asked. `name` is for messages. */
export function startWorker<Tell, Answer extends { readonly kind: string }>(
  url: URL,
  name: string,
): WorkerThread<Tell, Answer> {
  const worker = new Worker(url)
  /** Why it answers no more. */
  let ended: Error | undefined
  let onEnd: ((reason: Error) => void) | undefined
  const end = (reason: unknown): void => {
    ended ??= asError(reason)
    onEnd?.(ended)
  }
  worker.on('error', end).on('exit', (code) => {
    end(new Error(`${name} ended (exit code ${code}) before it was through`))
  })
  return {
    ask: async ({ message, transfer = [] }, hear, signal) => {
      if (ended !== undefined) throw ended
      signal.throwIfAborted()
      let settle = (): void => undefined
      try {
        return await new Promise((resolve, reject) => {
          const onMessage = (answer: Answer | ThreadFailure): void => {
            if (isFailure(answer)) reject(fromThreadFailure(answer))
            else hear(answer, resolve, reject)
          }
          const onAbort = (): void => {
            reject(asError(signal.reason))
          }
          onEnd = reject
          settle = () => {
            onEnd = undefined
            worker.off('message', onMessage)
            signal.removeEventListener('abort', onAbort)
          }
          worker.on('message', onMessage)
          signal.addEventListener('abort', onAbort)
          worker.postMessage(message, transfer)
        })
      } finally {
        settle()
      }
    },
    tell: (message, transfer = []) => {
      worker.postMessage(message, transfer)
    },
    terminate: () => worker.terminate(),
  }
}

const isFailure = (answer: { readonly kind: string }): answer is ThreadFailure => answer.kind === 'failed'
