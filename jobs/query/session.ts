import { join } from 'node:path'
import {
  DuckDBInstance,
  StatementType,
  version as duckdbVersion,
  type DuckDBConnection,
} from '@duckdb/node-api'
import { asError, usageError } from '../errors.ts'
import { quote } from '../lake/engine-names.ts'
import { identifier } from '../lake/engine-type.ts'
import { takeStep } from '../lake/scan/scan-step.ts'
import type { Sink } from './output/sink.ts'
import type { QueryRequest, StoreAccess } from './protocol.ts'
import type { Parsed } from './statement/tree.ts'
import { hasNamelessRow } from './output/nameless-row.ts'
import { csvWriter } from './output/write-csv.ts'
import { jsonWriter } from './output/write-json.ts'
import { tableWriter } from './output/write-table.ts'

/** An engine for one query. */
export async function openSession(): Promise<{ readonly connection: DuckDBConnection; close: () => void }> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  })
  const connection = await instance.connect()
  return {
    connection,
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** The tree of a text, as the engine's parser makes it. It only parses. */
export async function parse(connection: DuckDBConnection, sql: string): Promise<Parsed> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql])
  const text = String(reader.getRows()[0]?.[0])
  // A number beyond a double's, as 1e400, is none in JSON; a text has its quotes escaped.
  return JSON.parse(text.replaceAll(/"value":-?Infinity\b/g, '"value":null')) as Parsed
}

/** Runs a query on a connection that is prepared for it; the number of its rows. Errors: the engine's, and `JobError` usage. */
export async function query(
  connection: DuckDBConnection,
  { sql, explain, notes, format, width }: QueryRequest,
  sink: Sink,
): Promise<number> {
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) throw usageError('more than one statement is not allowed', { field: 'sql' })
  const writer = format === 'csv' ? csvWriter() : format === 'json' ? jsonWriter() : tableWriter(width)
  if (explain) {
    const plan = (await connection.runAndReadAll(`EXPLAIN ${sql}`)).getRows()
    await sink.write([...notes, ...plan.map((row) => String(row[1])), ''].join('\n'))
    return 0
  }
  const prepared = await statements.prepare(0)
  if (prepared.statementType !== StatementType.SELECT)
    throw usageError('anything but a SELECT is not allowed', { field: 'sql' })
  const result = await prepared.stream()
  const nameless = result.columnNames().find((_, at) => hasNamelessRow(result.columnType(at)))
  if (nameless !== undefined)
    throw usageError(`the fields of ${nameless} have no names`, {
      field: 'sql',
      fix: "give them some, as in {'first': 1, 'second': 2}, or select them as columns of their own",
    })
  await sink.write(writer.head(result))
  let rows = 0
  for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
    if (chunk.rowCount === 0 || sink.isGone()) break
    rows += chunk.rowCount
    await sink.write(writer.rows(chunk))
  }
  await sink.write(writer.end())
  return rows
}

/** Everything that a statement may use is there before the doors are closed; then nothing can be set any more. */
export async function prepare(connection: DuckDBConnection, request: QueryRequest): Promise<void> {
  const { steps, paths, threads, memoryLimit, spill, store } = request
  await connection.run(`SET threads = ${threads}; SET memory_limit = '${memoryLimit}B'; SET TimeZone = 'UTC';
    SET temp_directory = ${quote(join(spill, 'spill'))}`)
  if (store !== undefined) await openStore(connection, store)
  for (const step of steps) await takeStep(connection, step)
  await connection.run(`SET allowed_paths = [${paths.map(quote).join(', ')}];
    SET enable_external_access = false; SET lock_configuration = true`)
}

async function openStore(
  connection: DuckDBConnection,
  { extension, secrets, caBundle }: StoreAccess,
): Promise<void> {
  await connection.run(`LOAD ${quote(extension)}`).catch((error: unknown) => {
    throw usageError(`${extension} cannot be loaded: ${asError(error).message.split('\n')[0]}`, {
      field: '--duckdb-extensions',
      fix: `put the one of DuckDB ${duckdbVersion()} for this system there, or leave the setting out`,
      cause: error,
    })
  })
  if (caBundle !== undefined) await connection.run(`SET ca_cert_file = ${quote(caBundle)}`)
  for (const [at, secret] of secrets.entries()) {
    const { scope, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = secret
    const address = endpoint === undefined ? undefined : new URL(endpoint)
    const options = [
      'TYPE s3',
      'PROVIDER config',
      `KEY_ID ${quote(accessKeyId)}`,
      `SECRET ${quote(secretAccessKey)}`,
      `REGION ${quote(region)}`,
      `SCOPE ${quote(scope)}`,
      ...(sessionToken === undefined ? [] : [`SESSION_TOKEN ${quote(sessionToken)}`]),
      ...(address === undefined
        ? []
        : [
            `ENDPOINT ${quote(`${address.host}${address.pathname.replace(/\/$/, '')}`)}`,
            `USE_SSL ${address.protocol === 'https:'}`,
            "URL_STYLE 'path'",
          ]),
    ]
    await connection.run(`CREATE SECRET ${identifier(`lake_${at}`)} (${options.join(', ')})`)
  }
}
