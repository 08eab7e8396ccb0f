import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A private CA in a folder of its own, made by openssl. Keys are of an elliptic curve: they take no time to make. */
export interface TestCa {
  readonly folder: string
  /** The CA's certificate, a PEM file. */
  readonly certificate: string
  /** Signs a certificate; `subject` such as `/CN=localhost`, `names` such as `DNS:localhost,IP:127.0.0.1`. */
  issue(name: string, request: CertificateRequest): IssuedCertificate
  /** Removes the folder. */
  remove(): void
}

export interface CertificateRequest {
  readonly subject: string
  readonly names?: string
  /** From and until, days from now; default: from yesterday for a month. */
  readonly days?: readonly [from: number, until: number]
}

/** Paths of PEM files. */
export interface IssuedCertificate {
  readonly cert: string
  readonly key: string
}

const day = 86_400_000
const stamp = (days: number): string =>
  new Date(Date.now() + days * day).toISOString().replace(/\.\d+/, '').replaceAll(/[-:T]/g, '')

export function createCa(subject: string): TestCa {
  const folder = mkdtempSync(join(tmpdir(), 'lakejobs-ca-'))
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' })
  }
  const key = (name: string): string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    name,
  ]
  openssl('req', '-x509', ...key('ca.key'), '-out', 'ca.crt', '-days', '30', '-subj', subject)
  writeFileSync(join(folder, 'index'), '')
  writeFileSync(join(folder, 'serial'), '01\n')
  writeFileSync(
    join(folder, 'ca.cnf'),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\npolicy=any\ndefault_md=sha256\n` +
      `unique_subject=no\ncopy_extensions=copy\n[any]\ncommonName=optional\norganizationName=optional\n`,
  )
  return {
    folder,
    certificate: join(folder, 'ca.crt'),
    issue(name, { subject: whose, names, days: [from, until] = [-1, 30] }) {
      const extension = names === undefined ? [] : ['-addext', `subjectAltName=${names}`]
      openssl('req', ...key(`${name}.key`), '-out', `${name}.csr`, '-subj', whose, ...extension)
      openssl(
        ...['ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', 'ca.crt', '-keyfile', 'ca.key'],
        ...['-in', `${name}.csr`, '-out', `${name}.crt`, '-startdate', stamp(from), '-enddate', stamp(until)],
      )
      return { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
    },
    remove() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const pem = (path: string): string => readFileSync(path, 'utf8')
