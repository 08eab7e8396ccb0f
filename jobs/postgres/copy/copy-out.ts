import type { Client, Submittable } from 'pg'
import { asError } from '../../errors.ts'
import type { Connection } from '../connection/connect.ts'
import type { CopyDecoder, RowGroup } from './decoder.ts'
import { notCopy } from './scan.ts'

/** Takes complete row groups; while its promise is pending nothing more is read. */
export type RowGroupSink = (group: RowGroup) => Promise<void> | void

/**
 * Runs `COPY (…) TO STDOUT (FORMAT binary)` and decodes it. Rows of an incomplete row group stay in the decoder
 * for the next COPY or its `take(true)`. Returns the number of rows: it counts only if the trailer was seen and
 * the command tag names the same number (export-spec §1.3). When decoder or sink throw, the statement is
 * cancelled, the connection is cut and their error comes back as it is.
 */
export async function copyOut(
  connection: Connection,
  sql: string,
  decoder: CopyDecoder,
  sink: RowGroupSink,
  table: string,
): Promise<number> {
  const tag = await connection.watched(() => runCopy(connection, sql, decoder, sink, table))
  const { rows, ended } = decoder.progress()
  if (!ended || tag !== `COPY ${rows}`)
    throw notCopy(`${rows} rows${ended ? '' : ' without an end'} as "${tag}"`)
  await deliver(decoder, sink)
  return rows
}

async function deliver(decoder: CopyDecoder, sink: RowGroupSink): Promise<void> {
  for (let group = decoder.take(); group !== undefined; group = decoder.take()) await sink(group)
}

/**
 * Takes the socket's bytes before pg does: its parser makes an object of every row. Everything but CopyData is
 * handed on to it, so errors, notices and the end of the statement run their usual way. Resolves with the
 * command tag once the server is ready for the next statement.
 */
function runCopy(
  connection: Connection,
  sql: string,
  decoder: CopyDecoder,
  sink: RowGroupSink,
  table: string,
): Promise<string> {
  const { client, stream } = connection
  const { socket } = stream
  return new Promise((resolve, reject) => {
    let tag = ''
    let delivery = Promise.resolve()
    let isOver = false
    const fail = (error: unknown): void => {
      // Until the connection is cut more rows come: pg takes none, and cannot know where in a row they begin.
      stream.divert(() => undefined)
      connection.kill()
      reject(asError(error))
    }
    const feed = decoder.begin(stream.hand)
    const onData = (chunk: Uint8Array): void => {
      try {
        feed(chunk)
        // The statement may end within this chunk: then the rest is the caller's to deliver, and nobody else's.
        if (isOver || !decoder.ready()) return
        socket.pause()
        delivery = deliver(decoder, sink).then(() => {
          socket.resume()
        }, fail)
      } catch (error) {
        fail(error)
      }
    }
    const statement: Submittable & Record<string, unknown> = {
      submit() {
        stream.divert(onData)
        wireOf(client).query(sql)
      },
      handleCommandComplete(message: { readonly text: string }) {
        tag = message.text
      },
      handleError(error: unknown) {
        stream.restore()
        reject(connection.explain(error, table))
      },
      handleReadyForQuery() {
        isOver = true
        stream.restore()
        void delivery.then(() => {
          resolve(tag)
        })
      },
    }
    client.query(statement)
  })
}

/** The part of pg's client that sends a statement and leaves the answer to its `Submittable`; pg does not type it. */
const wireOf = (client: Client): { query(sql: string): void } =>
  (client as Client & { connection: { query(sql: string): void } }).connection
