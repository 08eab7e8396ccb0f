import { isIP } from 'node:net'
import type { PeerCertificate } from 'node:tls'

/** The names of a certificate that a host is compared with. */
export interface CertificateNames {
  readonly dns: readonly string[]
  readonly addresses: readonly string[]
  /** The subject's common name. */
  readonly common: string | undefined
}

/** One entry of Node.js' text of the subject's alternative names; what holds a comma or a quote is a JSON string. */
const entry = /(?:^|, )([^:]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy

/** Reads the names of a server's certificate. */
export function namesOf({
  subject,
  subjectaltname,
}: Pick<PeerCertificate, 'subject' | 'subjectaltname'>): CertificateNames {
  const entries = [...(subjectaltname ?? '').matchAll(entry)].map(([, kind = '', text = '']) => ({
    kind,
    value: text.startsWith('"') ? String(JSON.parse(text)) : text,
  }))
  const valuesOf = (wanted: string): string[] =>
    entries.flatMap(({ kind, value }) => (kind === wanted ? [value] : []))
  // Several common names come as an array, whatever the types say.
  const [common] = [subject.CN].flat()
  return { dns: valuesOf('DNS'), addresses: valuesOf('IP Address'), common }
}

/**
 * Whether a certificate is for `host`, as libpq decides it for verify-full: by DNS names, an address also by the
 * addresses; by the common name only where there is neither. A leading `*.` stands for one label.
 * Source: PostgreSQL docs, "Client Verification of Server Certificates"; fe-secure-common.c.
 */
export function isFor(host: string, { dns, addresses, common }: CertificateNames): boolean {
  const isAddress = isIP(host) !== 0
  if (dns.some((name) => isSame(name, host))) return true
  if (isAddress && addresses.some((address) => canonical(address) === canonical(host))) return true
  return dns.length === 0 && addresses.length === 0 && common !== undefined && isSame(common, host)
}

function isSame(pattern: string, host: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), host.toLowerCase()]
  if (wanted === given) return true
  const rest = wanted.slice(1)
  return /^\*\../.test(wanted) && given.endsWith(rest) && given.indexOf('.') === given.length - rest.length
}

/** IPv6 addresses are written in more than one way. */
const canonical = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname : address
