import { usageError } from '../errors.ts'

/** Where a Spark Connect server is, and how to speak to it. */
export interface Remote {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly token: string | undefined
  readonly userId: string
  /** Parameters that are not the client's: sent with each call, as other clients do. */
  readonly headers: Readonly<Record<string, string>>
}

/** How a remote is called in messages: never with its parameters, of which one is a secret. */
export const remoteName = ({ host, port }: Remote): string =>
  `sc://${host.includes(':') ? `[${host}]` : host}:${port}`

const form = 'sc://host:15002, or sc://host:443/;use_ssl=true;token=…'
const ownParameters = new Set(['use_ssl', 'token', 'user_id', 'user_agent', 'session_id'])

/**
 * Reads SPARK_REMOTE: `sc://host:port/;name=value;…` (Spark, sql/connect/docs/client-connection-string.md). Names and values are
 * percent-decoded. A token makes the connection secure; without TLS it is only sent to this machine. Throws a `usageError`.
 */
export function parseRemote(text: string): Remote {
  const wrong = (why: string, fix = `give ${form}`): Error =>
    usageError(`SPARK_REMOTE: ${why}`, { field: 'SPARK_REMOTE', fix })
  const [, bracketed, plain, portText, rest = ''] =
    /^sc:\/\/(?:\[([0-9a-f:.]+)\]|([^/:;[\]@\s]+))(?::(\d{1,5}))?(?:\/(.*))?$/is.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) throw wrong('not a Spark Connect address')
  const port = Number(portText ?? 15002)
  if (port < 1 || port > 65535) throw wrong(`there is no port ${port}`)
  const parameters = new Map<string, string>()
  for (const pair of rest.split(';').filter((one) => one !== '')) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(pair) ?? []
    // A pair without a name may be a token's piece: it is not shown.
    if (name === undefined || value === undefined) throw wrong('a parameter is not name=value')
    try {
      parameters.set(decodeURIComponent(name), decodeURIComponent(value))
    } catch {
      throw wrong(`the parameter ${name} is not percent-encoded`, 'write % as %25')
    }
  }
  const useSsl = parameters.get('use_ssl')
  if (useSsl !== undefined && !/^(true|false)$/i.test(useSsl)) throw wrong('use_ssl is true or false')
  const token = parameters.get('token')
  const secure = useSsl === undefined ? token !== undefined : useSsl.toLowerCase() === 'true'
  if (token !== undefined && !secure && !isLoopback(host))
    throw wrong(`the token would reach ${host} unencrypted`, 'leave use_ssl=false out')
  const headers = Object.fromEntries([...parameters].filter(([name]) => !ownParameters.has(name)))
  return { host, port, secure, token, userId: parameters.get('user_id') ?? 'lakejobs', headers }
}

const isLoopback = (host: string): boolean => /^(localhost|127\.[\d.]+|::1)$/i.test(host)
