import type { ClientReadableStream } from '@grpc/grpc-js'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { asError } from '../errors.ts'
import { ask, type Connection } from './connection.ts'
import { errorClassOf, isDisconnected, isServiceError, sparkFailure } from './failure.ts'
import type { ExecuteResponse } from './messages.ts'
import type { Plan } from './plan.ts'

/** What was observed of an execution: the metrics by name of each name in the plan; whole numbers, exact to 2^53. */
export type Observed = ReadonlyMap<string, Readonly<Record<string, number>>>

const firstPauseMs = 100
const longestPauseMs = 5_000

/**
 * Executes a plan so that a connection may break meanwhile: the server goes on, and the client takes up the stream behind the last
 * answer that it has (Spark's reattachable execution). Only a server that has never seen the operation is given it again.
 */
export async function execute(connection: Connection, plan: Plan, signal: AbortSignal): Promise<Observed> {
  signal.throwIfAborted()
  const { client, messages, metadata, patienceMs } = connection
  const operation_id = randomUUID()
  const observed = new Map<string, Record<string, number>>()
  let lastResponse: string | undefined
  let brokenSince: number | undefined
  let pauseMs = firstPauseMs
  let stream: ClientReadableStream<ExecuteResponse> | undefined
  let begun = false
  const onAbort = (): void => {
    stream?.cancel()
  }

  const open = (): ClientReadableStream<ExecuteResponse> => {
    const common = { ...connection.fields(), operation_id }
    if (begun)
      return client.ReattachExecute(
        { ...common, ...(lastResponse === undefined ? {} : { last_response_id: lastResponse }) },
        metadata,
      )
    begun = true
    const request_options = [{ reattach_options: { reattachable: true } }] as const
    return client.ExecutePlan({ ...common, plan, request_options }, metadata)
  }
  /** Whether the stream came to the operation's end; one that only pauses ends without it. */
  const take = async (answers: ClientReadableStream<ExecuteResponse>): Promise<boolean> => {
    for await (const answer of answers as AsyncIterable<ExecuteResponse>) {
      connection.observe(answer.server_side_session_id)
      if (answer.response_id !== undefined && answer.response_id !== '') lastResponse = answer.response_id
      brokenSince = undefined
      pauseMs = firstPauseMs
      for (const metrics of answer.observed_metrics ?? []) observed.set(metrics.name, numbersOf(metrics))
      if (answer.result_complete !== undefined) return true
    }
    return false
  }
  /** Returns where the operation is to be taken up again, throws where it is lost. */
  const recover = async (error: unknown): Promise<void> => {
    if (signal.aborted || !isServiceError(error)) throw error
    const errorClass = errorClassOf(error, messages)
    const isUnknown =
      errorClass === 'INVALID_HANDLE.OPERATION_NOT_FOUND' || errorClass === 'INVALID_HANDLE.SESSION_NOT_FOUND'
    if (isUnknown && lastResponse === undefined && brokenSince !== undefined) begun = false
    else if (!isDisconnected(error, messages)) throw error
    brokenSince ??= Date.now()
    if (Date.now() - brokenSince > patienceMs) throw error
    await sleep(pauseMs, undefined, { signal })
    pauseMs = Math.min(2 * pauseMs, longestPauseMs)
  }

  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      try {
        stream = open()
        if (await take(stream)) return observed
        signal.throwIfAborted()
      } catch (error) {
        await recover(error)
      }
    }
  } catch (error) {
    if (signal.aborted || (isServiceError(error) && isDisconnected(error, messages)))
      await interrupt(connection, operation_id)
    if (signal.aborted) throw asError(signal.reason)
    throw isServiceError(error) ? sparkFailure(error, connection.name, messages) : error
  } finally {
    signal.removeEventListener('abort', onAbort)
    stream?.cancel()
    await ask(connection, 'ReleaseExecute', { operation_id, release_all: {} }).catch(() => undefined)
  }
}

/**
 * Ends an operation that nobody waits for any more: another run may be about to begin. The server may not have heard of it yet: it is
 * asked until it has, for a while. Never fails; what it does not reach ends with the session.
 */
async function interrupt(connection: Connection, operation_id: string): Promise<void> {
  const request = { interrupt_type: 'INTERRUPT_TYPE_OPERATION_ID', operation_id }
  for (let attempt = 0; attempt < interruptAttempts; attempt++) {
    const answer = await ask(connection, 'Interrupt', request).catch(() => undefined)
    if (answer === undefined || (answer.interrupted_ids ?? []).length > 0) return
    await sleep(interruptPauseMs)
  }
}
const interruptAttempts = 15
const interruptPauseMs = 200

function numbersOf({
  keys = [],
  values = [],
}: NonNullable<ExecuteResponse['observed_metrics']>[number]): Record<string, number> {
  return Object.fromEntries(keys.map((key, i) => [key, Number(values[i]?.long ?? values[i]?.integer ?? NaN)]))
}
