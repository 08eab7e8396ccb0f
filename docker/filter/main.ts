/**
 * A filter before the Docker engine's socket: listens on port 2375 and passes on what policy.ts allows. It keeps no
 * state: which containers are ours is written on them, so that it may be restarted while jobs run.
 */
import { readFileSync } from 'node:fs'
import {
  createServer,
  request,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { follow, followAll, type Engine } from './leftovers.ts'
import { bytes, callOf, createBody, isOurs, label, namesOf, Refusal, type Policy } from './policy.ts'

const socketPath = '/var/run/docker.sock'
const largestBody = 1024 * 1024

const setting = (name: string): string => {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}
const policy: Policy = {
  image: setting('FILTER_IMAGE'),
  network: setting('FILTER_NETWORK'),
  user: setting('FILTER_USER'),
  source: setting('FILTER_MOUNT_SOURCE'),
  target: setting('FILTER_MOUNT_TARGET'),
  tables: { source: setting('FILTER_TABLES_SOURCE'), target: setting('FILTER_TABLES_TARGET') },
  memory: bytes(setting('FILTER_MEMORY')),
  names: namesOf(readFileSync(new URL('.env.example', import.meta.url), 'utf8')),
}

/** Never the caller's body: only what this filter wrote reaches the engine. */
function ask(options: RequestOptions, body = ''): Promise<IncomingMessage> {
  const headers = {
    host: 'docker',
    'content-length': Buffer.byteLength(body),
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
  }
  return new Promise((resolve, reject) => {
    request({ socketPath, agent: false, ...options, headers })
      .on('response', resolve)
      .on('error', reject)
      .end(body)
  })
}

async function textOf(stream: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    size += part.length
    if (size > largestBody) throw new Refusal('a body of more than 1 MiB', 413)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

const engine: Engine = {
  status: async (method, path) => {
    const { statusCode = 0 } = await drained(await ask({ method, path }))
    return statusCode
  },
  ours: async () => {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${label}=${policy.network}`] }))
    const answer = await ask({ path: `/containers/json?all=1&filters=${filters}` })
    return (JSON.parse(await textOf(answer)) as { readonly Id: string }[]).map(({ Id }) => Id)
  },
}

async function drained(answer: IncomingMessage): Promise<IncomingMessage> {
  await textOf(answer)
  return answer
}

const minute = (): Promise<void> => setTimeout(60_000)

/** @throws {Refusal} unless the container is there and was made through this filter */
async function checkOwner(id: string): Promise<void> {
  const answer = await ask({ path: `/containers/${id}/json` })
  const description = await textOf(answer)
  if (answer.statusCode === 404) throw new Refusal(`no such container: ${id}`, 404)
  if (answer.statusCode !== 200 || !isOurs(description, policy))
    throw new Refusal(`container ${id}, which is none of ours`)
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { method = '', url = '' } = incoming
  const call = callOf(method, url)
  let body = ''
  if (call.kind === 'create') body = createBody(await textOf(incoming), policy)
  else incoming.resume()
  if (call.kind === 'container') {
    if (call.attach) throw new Refusal('attach without an upgrade')
    await checkOwner(call.id)
  }
  const answer = await ask({ method, path: url }, body)
  if (call.kind === 'create') {
    await created(answer, outgoing)
    return
  }
  outgoing.writeHead(answer.statusCode ?? 502, {
    'content-type': answer.headers['content-type'] ?? 'text/plain',
  })
  answer.pipe(outgoing)
  // A caller that goes away ends a long answer (wait, logs) of the engine.
  outgoing.on('close', () => answer.destroy())
}

async function created(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const text = await textOf(answer)
  const { Id: id } = JSON.parse(text) as { readonly Id?: string }
  if (id !== undefined) void follow(id, engine, minute)
  outgoing.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' }).end(text)
}

/** The operator reads a container's output through a connection that stops being HTTP. */
async function attach({ method = '', url = '' }: IncomingMessage, caller: Duplex): Promise<void> {
  const call = callOf(method, url)
  if (call.kind !== 'container' || !call.attach) throw new Refusal(`${method} ${url} with an upgrade`)
  await checkOwner(call.id)
  const headers = { host: 'docker', connection: 'Upgrade', upgrade: 'tcp', 'content-length': 0 }
  request({ socketPath, method, path: url, headers, agent: false })
    .on('upgrade', (_, engine, head) => {
      caller.write(
        'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
      )
      caller.write(head)
      engine.pipe(caller).pipe(engine)
      engine.on('error', () => caller.destroy())
      caller.on('close', () => engine.destroy())
    })
    .on('response', (answer) => {
      answer.resume()
      refuse(caller, answer.statusCode ?? 502, 'the engine did not attach')
    })
    .on('error', (error) => {
      refuse(caller, 502, error.message)
    })
    .end()
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Says no, here and to the caller. What a request holds otherwise (settings, passwords) is not said. */
function answerTo(error: unknown, what: string): { readonly status: number; readonly body: string } {
  const status = error instanceof Refusal ? error.status : 502
  const text = `docker-filter${status === 403 ? ' refuses' : ''}: ${message(error)}`
  process.stderr.write(`${new Date().toISOString()} ${what.split('?')[0] ?? ''} ${text}\n`)
  return { status, body: JSON.stringify({ message: text }) }
}

function refuse(caller: Duplex, status: number, text: string): void {
  const body = text.startsWith('{') ? text : JSON.stringify({ message: text })
  caller.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

const server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
  serve(incoming, outgoing).catch((error: unknown) => {
    const { status, body } = answerTo(error, `${incoming.method ?? ''} ${incoming.url ?? ''}`)
    if (!outgoing.headersSent)
      outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    outgoing.end(body)
  })
})
server.on('upgrade', (incoming, caller) => {
  caller.on('error', () => caller.destroy())
  attach(incoming, caller).catch((error: unknown) => {
    const { status, body } = answerTo(error, `${incoming.method ?? ''} ${incoming.url ?? ''}`)
    refuse(caller, status, body)
  })
})
server.listen(2375)
void followAll(engine, minute)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))
