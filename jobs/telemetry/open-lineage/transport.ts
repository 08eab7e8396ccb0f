import { randomUUID } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'

type Environment = Readonly<Record<string, string>>

export type Warn = (message: string) => void

/** Hands one event over, once. Fails with the reason: no answer before the signal, another status than 2xx, no such folder. */
export type Send = (event: object, signal: AbortSignal) => Promise<void>

const standardEndpoint = 'api/v1/lineage'

/**
 * Where events go, by the names of OpenLineage's own clients: `OPENLINEAGE__TRANSPORT__*` (of type http, file or console), else
 * `OPENLINEAGE_URL`, `_ENDPOINT` and `_API_KEY`. Undefined: nowhere, for `OPENLINEAGE_DISABLED` too. What cannot be is a warning.
 */
export function transportOf(env: Environment, warn: Warn): Send | undefined {
  if (env['OPENLINEAGE_DISABLED']?.trim().toLowerCase() === 'true') return undefined
  const type = env['OPENLINEAGE__TRANSPORT__TYPE']
  const url = env['OPENLINEAGE__TRANSPORT__URL'] ?? env['OPENLINEAGE_URL']
  if (type === 'file') {
    const path = env['OPENLINEAGE__TRANSPORT__LOG_FILE_PATH']
    if (path !== undefined) return toFile(path, env['OPENLINEAGE__TRANSPORT__APPEND'] === 'true')
    warn('OPENLINEAGE__TRANSPORT__TYPE is file, and OPENLINEAGE__TRANSPORT__LOG_FILE_PATH does not say which')
  } else if (type !== undefined && type !== 'http') {
    warn(`OPENLINEAGE__TRANSPORT__TYPE: "${type}" is neither http nor file`)
  } else if (url !== undefined) {
    const endpoint = env['OPENLINEAGE__TRANSPORT__ENDPOINT'] ?? env['OPENLINEAGE_ENDPOINT']
    if (/^https?:/.test(url) && URL.canParse(endpoint ?? standardEndpoint, url))
      // As the clients join them.
      return toUrl(new URL(endpoint ?? standardEndpoint, url), apiKey(env))
    // Not repeated: an address may hold a password.
    warn('OPENLINEAGE_URL is no http or https address: give one such as http://localhost:5000')
  } else if (type === 'http' || 'OPENLINEAGE_CONFIG' in env) {
    warn('OPENLINEAGE_URL is not set; OPENLINEAGE_CONFIG is not read')
  }
  return undefined
}

function apiKey(env: Environment): string | undefined {
  const key = env['OPENLINEAGE__TRANSPORT__AUTH__APIKEY'] ?? env['OPENLINEAGE_API_KEY']
  if (key !== undefined) return key
  try {
    const { apiKey } = JSON.parse(env['OPENLINEAGE__TRANSPORT__AUTH'] ?? '{}') as { apiKey?: unknown }
    return typeof apiKey === 'string' ? apiKey : undefined
  } catch {
    return undefined
  }
}

/** A line more in the file, or a file of its own with the time behind its name. */
const toFile =
  (path: string, append: boolean): Send =>
  async (event, signal) => {
    const line = `${JSON.stringify(event)}\n`
    const time = new Date().toISOString().replaceAll(/\D/g, '')
    // Several processes may write at one time.
    const own = `${path}-${time}-${randomUUID().slice(0, 8)}.json`
    await (append ? appendFile(path, line) : writeFile(own, line, { signal, flag: 'wx' }))
  }

/** By node:http, not fetch: that takes longer to load than a small job takes to run. A redirect is no answer. */
const toUrl =
  (url: URL, key: string | undefined): Send =>
  async (event, signal) => {
    const { request } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'))
    await serverOfNamesAnswers(url.hostname, signal)
    const body = Buffer.from(JSON.stringify(event))
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      ...(key !== undefined && { Authorization: `Bearer ${key}` }),
    }
    await new Promise<void>((resolve, reject) => {
      // No agent: it would keep the connection, and the process with it.
      const sent = request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
        const { statusCode = 0 } = response
        if (statusCode >= 200 && statusCode < 300) resolve()
        else reject(new Error(`it answered ${statusCode}`))
        response.destroy()
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

/**
 * The system's own look-up of a name (getaddrinfo) cannot be ended, and keeps the process for as long as a server of names is
 * silent. This question can: after any answer the look-up is made. Fails with the signal's reason.
 */
async function serverOfNamesAnswers(host: string, signal: AbortSignal): Promise<void> {
  if (host === 'localhost' || isIP(host) !== 0) return
  const { Resolver } = await import('node:dns/promises')
  const resolver = new Resolver()
  const stop = (): void => {
    resolver.cancel()
  }
  signal.addEventListener('abort', stop)
  await resolver.resolve4(host).catch(() => undefined)
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
}
