import type { Submittable } from 'pg'
import { asError } from '../../errors.ts'
import { wireOf, type Connection } from '../connect.ts'
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
  const tag = await runCopy(connection, sql, decoder, sink, table)
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
  const { stream } = wireOf(connection.client)
  const [parse, ...others] = stream.listeners('data') as ((bytes: Uint8Array) => void)[]
  if (parse === undefined || others.length > 0) throw new Error('the connection is in use')
  return new Promise((resolve, reject) => {
    let tag = ''
    let delivery = Promise.resolve()
    const detach = (): void => {
      stream.removeListener('data', onData)
      if (!stream.listeners('data').includes(parse)) stream.on('data', parse)
    }
    const fail = (error: unknown): void => {
      detach()
      connection.kill()
      reject(asError(error))
    }
    const feed = decoder.begin(parse)
    const onData = (chunk: Uint8Array): void => {
      try {
        feed(chunk)
        if (!decoder.ready()) return
        stream.pause()
        delivery = deliver(decoder, sink).then(() => {
          stream.resume()
        }, fail)
      } catch (error) {
        fail(error)
      }
    }
    const statement: Submittable & Record<string, unknown> = {
      submit() {
        stream.removeListener('data', parse)
        stream.on('data', onData)
        wireOf(connection.client).query(sql)
      },
      handleCommandComplete(message: { readonly text: string }) {
        tag = message.text
      },
      handleError(error: unknown) {
        detach()
        reject(connection.explain(error, table))
      },
      handleReadyForQuery() {
        detach()
        void delivery.then(() => {
          resolve(tag)
        })
      },
    }
    connection.client.query(statement)
  })
}
