import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { asError } from '../../errors.ts'
import { plainStream, tlsStream, type ByteStream } from './byte-stream.ts'
import { isFor, namesOf } from './server-identity.ts'
import { isSocketFolder, socketPath, type PostgresSettings, type TlsSettings } from './settings.ts'
import { secureContext, verificationOf } from './tls-options.ts'

/** `if offered`: unencrypted where the server has no TLS. */
export type Encryption = 'none' | 'if offered' | 'always'

export interface OpenedStream extends ByteStream {
  /** Undefined: not encrypted. */
  readonly tls: TlsFacts | undefined
}

/** What was agreed on, for people. */
export interface TlsFacts {
  readonly protocol: string
  readonly cipher: string
  readonly subject: string
  readonly issuer: string
  readonly validTo: string
}

/** For people: `TLSv1.3 …, certificate CN=… of CN=…, valid to 2027-01-01`. */
export const encryptionText = (tls: TlsFacts | undefined): string =>
  tls === undefined
    ? 'not encrypted'
    : `${tls.protocol} ${tls.cipher}, certificate ${tls.subject} of ${tls.issuer}, valid to ${tls.validTo}`

/** Encryption failed: refused by the server, or its certificate is not what the settings ask for. */
export class TlsFailure extends Error {
  override readonly name = 'TlsFailure'
  readonly reason: 'not offered' | 'certificate' | 'host' | 'handshake'
  /** OpenSSL's code, where it has one. */
  readonly code: string | undefined

  constructor(reason: TlsFailure['reason'], message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
    this.code = (cause as { readonly code?: string } | undefined)?.code
  }
}

export const connectTimeoutMs = 10_000
export const noAnswer = (): Error =>
  Object.assign(new Error(`no answer for ${connectTimeoutMs / 1000} s`), { code: 'ETIMEDOUT' })

/** A peer that went away without a word is noticed after this and ten more tries, a second apart. */
const keepAliveMs = 30_000

/**
 * Connects and, if asked to, agrees on TLS as PostgreSQL does it: a request in the clear, answered by one byte. Errors:
 * the system's for the connection, `TlsFailure`, usage errors for files of the settings; the abort's reason.
 */
export async function openStream(
  settings: PostgresSettings,
  encryption: Encryption,
  { prefix, signal }: { readonly prefix: string; readonly signal?: AbortSignal | undefined },
): Promise<OpenedStream> {
  const { tls, host, port } = settings
  const context = encryption === 'none' || tls === undefined ? undefined : await secureContext(tls, prefix)
  signal?.throwIfAborted()
  const plain = plainStream()
  const { socket } = plain
  const late = setTimeout(() => {
    socket.destroy(noAnswer())
  }, connectTimeoutMs)
  const abort = (): void => {
    socket.destroy(asError(signal?.reason))
  }
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const isConnected = once(socket, 'connect')
    if (isSocketFolder(host)) socket.connect(socketPath(settings))
    else socket.connect({ host, port, keepAlive: true, keepAliveInitialDelay: keepAliveMs, noDelay: true })
    await isConnected
    if (context === undefined || tls === undefined) return { ...plain, tls: undefined }
    if (!(await isTlsOffered(socket))) {
      if (encryption === 'if offered') return { ...plain, tls: undefined }
      throw new TlsFailure('not offered', 'the server has no TLS')
    }
    const secure = await handshake(socket, host, tls, context)
    return { ...tlsStream(secure), tls: factsOf(secure) }
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(late)
    signal?.removeEventListener('abort', abort)
  }
}

/** SSLRequest: protocol 1234.5679 (PostgreSQL docs, "Message Formats"). */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

async function isTlsOffered(socket: Socket): Promise<boolean> {
  const isAnswered = nextBytes(socket)
  socket.write(sslRequest)
  const answer = (await isAnswered).toString('latin1')
  if (answer === 'S') return true
  if (answer === 'N') return false
  // More than the byte would be unencrypted data that somebody put ahead of the encrypted (CVE-2021-23222).
  throw new TlsFailure('handshake', 'the server’s answer to the request for TLS is none')
}

function nextBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose)
      finish()
    }
    const onData = (bytes: Buffer): void => {
      settle(() => {
        resolve(bytes)
      })
    }
    const onError = (error: Error): void => {
      settle(() => {
        reject(error)
      })
    }
    const onClose = (): void => {
      onError(new TlsFailure('handshake', 'the server closed the connection when asked for TLS'))
    }
    socket.on('data', onData).on('error', onError).on('close', onClose)
  })
}

async function handshake(
  socket: Socket,
  host: string,
  tls: TlsSettings,
  context: Awaited<ReturnType<typeof secureContext>>,
): Promise<TLSSocket> {
  const verification = verificationOf(tls)
  const secure = connectTls({
    socket,
    secureContext: context,
    // An address is no server name (RFC 6066).
    ...(isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: verification !== 'none',
    checkServerIdentity: (_, certificate) => {
      const names = namesOf(certificate)
      if (verification !== 'chain and host' || isFor(host, names)) return undefined
      const shown = [...names.dns, ...names.addresses]
      if (shown.length === 0 && names.common !== undefined) shown.push(names.common)
      return new TlsFailure(
        'host',
        `the server’s certificate is for ${shown.join(', ') || 'nobody'}, not for ${host}`,
      )
    },
  })
  try {
    await once(secure, 'secureConnect')
    return secure
  } catch (error) {
    secure.destroy()
    if (error instanceof TlsFailure || (error as { code?: string }).code === 'ETIMEDOUT') throw error
    // Null or an error's code, whatever the types say.
    const isCertificate = Boolean(secure.authorizationError as unknown)
    const { message } = asError(error)
    throw new TlsFailure(isCertificate ? 'certificate' : 'handshake', message, error)
  }
}

/** By getPeerCertificate, not getPeerX509Certificate: after the latter Node.js (20) has none for pg's channel binding. */
function factsOf(socket: TLSSocket): TlsFacts {
  const { subject, issuer, valid_to: validTo } = socket.getPeerCertificate()
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().standardName,
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    validTo: new Date(validTo).toISOString().slice(0, 10),
  }
}

/** `CN=…, O=…`; a part that is there twice is a list. */
const oneLine = (name: object): string =>
  Object.entries(name)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ')
