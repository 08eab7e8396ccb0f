import { asError, JobError } from '../errors.ts'
import { toThreadFailure } from '../thread-failure.ts'
import type { FromEngine, QueryRequest, ToEngine } from './protocol.ts'
import { standardOutput } from './output/sink.ts'

/**
 * The process in which a query runs: it is told the statement, gives its tree back, then is told what it may read and
 * answers on its standard output. It ends when its parent does, and its parent ends it: nothing less stops an expression
 * that heeds no interruption.
 */
const tell = (answer: FromEngine): void => {
  process.send?.(answer)
}
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGKILL')
})
// Ctrl-C goes to both; what is to be done about it is the parent's to decide.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined)

const loaded = import('./session.ts')
const opened = loaded.then(({ openSession }) => openSession())
opened.catch(() => undefined)
const sink = standardOutput()

/** What the engine is at, for what it has to say against it. */
let during: 'parse' | 'prepare' | 'query' = 'parse'

async function answerTo(message: ToEngine): Promise<FromEngine> {
  const { parse, prepare, query } = await loaded
  const { connection } = await opened
  if (message.kind === 'parse') return { kind: 'parsed', parsed: await parse(connection, message.sql) }
  const { request }: { readonly request: QueryRequest } = message
  during = 'prepare'
  await prepare(connection, request)
  during = 'query'
  const rows = await query(connection, request, sink)
  await sink.flush()
  return { kind: 'done', rows }
}

process.on('message', (message: ToEngine) => {
  answerTo(message).then(tell, (error: unknown) => {
    tell(
      error instanceof JobError
        ? toThreadFailure(error)
        : { kind: 'refused', message: asError(error).message, during },
    )
  })
})
