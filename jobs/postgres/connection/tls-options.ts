import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { asError, usageError } from '../../errors.ts'
import { readNamed } from './password.ts'
import type { NamedFile, TlsSettings } from './settings.ts'

/** What the server's certificate has to be: nothing, of a known CA, or of a known CA and for this host. */
export type Verification = 'none' | 'chain' | 'chain and host'

/** As libpq: a root certificate is used whenever there is one, whatever the mode. */
export function verificationOf({ mode, rootCert }: TlsSettings): Verification {
  if (mode === 'verify-full') return 'chain and host'
  return mode === 'verify-ca' || rootCert !== undefined ? 'chain' : 'none'
}

/** Reads the files that the settings name, anew for each connection: certificates are renewed while jobs run. */
export async function secureContext(tls: TlsSettings, prefix: string): Promise<SecureContext> {
  const { cert, key } = tls
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['_SSLKEY', '_SSLCERT'] : ['_SSLCERT', '_SSLKEY']
    throw usageError(`${prefix}${given} is set without ${prefix}${missing}`, {
      field: `${prefix}${missing}`,
      fix: `set both, or neither`,
    })
  }
  const ca = await rootCertificates(tls, prefix)
  const [certText, keyText] = await Promise.all([cert && readNamed(cert), key && readNamed(key)])
  checked(tls.rootCert === 'system' ? undefined : tls.rootCert, 'certificate', () => {
    createSecureContext({ ca })
  })
  checked(cert, 'certificate', () => {
    createSecureContext({ ca: [], cert: certText })
  })
  let context: SecureContext | undefined
  checked(key, 'private key of that certificate, without a passphrase', () => {
    context = createSecureContext({ ca, cert: certText, key: keyText })
  })
  return context!
}

function checked(file: NamedFile | undefined, wanted: string, use: () => void): void {
  try {
    use()
  } catch (error) {
    if (file === undefined) throw error
    throw usageError(`${file.field}: ${file.path} is not a ${wanted} (${asError(error).message})`, {
      field: file.field,
      fix: `give a PEM file with a ${wanted}`,
      cause: error,
    })
  }
}

/** An empty list instead of none where nothing is verified: Node.js would read its own 140. */
async function rootCertificates(tls: TlsSettings, prefix: string): Promise<string[] | undefined> {
  if (verificationOf(tls) === 'none') return []
  const { rootCert } = tls
  if (rootCert === undefined) {
    throw usageError(`${prefix}_SSLMODE=${tls.mode} needs the certificate of the server's CA`, {
      field: `${prefix}_SSLROOTCERT`,
      fix: `set ${prefix}_SSLROOTCERT to its PEM file, or to system for CAs that this machine trusts`,
    })
  }
  return rootCert === 'system' ? systemCertificates() : [await readNamed(rootCert)]
}

/** Where systems keep what they trust, in one file; without one Node.js' own list serves. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

async function systemCertificates(): Promise<string[] | undefined> {
  const path = systemBundles.find((bundle) => existsSync(bundle))
  return path === undefined ? undefined : [await readFile(path, 'utf8')]
}
