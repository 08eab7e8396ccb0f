import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { usageError } from '../errors.ts'
import {
  isSocketFolder,
  sslModes,
  type NamedFile,
  type PasswordSource,
  type PostgresSettings,
  type SslMode,
  type TlsSettings,
} from '../postgres/connection/settings.ts'
import { homeFolder } from '../storage/home-folder.ts'
import { refuseStricter } from './unsupported.ts'

type Environment = Readonly<Record<string, string>>

/** Where each PostgreSQL server is when its settings say nothing. */
export const postgresDefaults = {
  POSTGRES: { host: 'localhost', port: '5434', database: 'mydb' },
  ICEBERG_POSTGRES: { host: 'localhost', port: '5435', database: 'iceberg_db' },
} as const

/** Of other servers, which `lakejobs.yaml` names: they say where they are. */
const otherDefaults = { host: undefined, port: '5432', database: undefined }

/**
 * A PostgreSQL server by its environment names, which begin with `prefix`. How the connection is encrypted and where its
 * password comes from have libpq's own names (`PGSSLMODE`, `PGPASSFILE` …) and its files in the home folder below them;
 * where the server is has not, as there are two servers.
 */
export function postgresSettings(env: Environment, prefix: string): PostgresSettings {
  const defaults = Object.hasOwn(postgresDefaults, prefix)
    ? postgresDefaults[prefix as keyof typeof postgresDefaults]
    : otherDefaults
  const port = env[`${prefix}_PORT`] ?? defaults.port
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw usageError(`${prefix}_PORT: "${port}" is not valid`, {
      field: `${prefix}_PORT`,
      fix: 'give a port number from 1 to 65535',
    })
  }
  const host = env[`${prefix}_HOST`] ?? defaults.host ?? unset(`${prefix}_HOST`)
  // Not repeated in the message: an address may hold a password.
  if (!isSocketFolder(host) && /[@?]|:\/\//.test(host)) {
    throw usageError(`${prefix}_HOST is an address, not a host's name`, {
      field: `${prefix}_HOST`,
      fix: `give the name alone, or the folder of a Unix socket; ${prefix}_PORT, _DB, _USER and _PASSWORD have the rest`,
    })
  }
  refuseStricter(env)
  const user = env[`${prefix}_USER`] ?? unset(`${prefix}_USER`)
  return {
    host,
    port: Number(port),
    database: env[`${prefix}_DB`] ?? defaults.database ?? unset(`${prefix}_DB`),
    user,
    password: passwordSource(env, prefix),
    tls: tlsSettings(env, prefix),
  }
}

function unset(name: string): never {
  throw usageError(`${name} is not set`, { field: name, fix: `set ${name} in the environment or in .env` })
}

/** At most one of the three names; without one libpq's. */
function passwordSource(env: Environment, prefix: string): PasswordSource | undefined {
  const names = ['', '_FILE', '_COMMAND'].map((end) => `${prefix}_PASSWORD${end}`)
  const given = names.filter((name) => env[name] !== undefined)
  const [field, another] = given
  if (field !== undefined && another !== undefined) {
    throw usageError(`${field} and ${another} are both set`, { field: another, fix: 'set one of them' })
  }
  const value = field === undefined ? undefined : env[field]
  if (field !== undefined && value !== undefined) {
    if (field.endsWith('_FILE')) return { kind: 'file', field, path: value }
    return field.endsWith('_COMMAND') ? { kind: 'command', field, line: value, env } : value
  }
  if (env['PGPASSWORD'] !== undefined) return env['PGPASSWORD']
  const passfile = file(env, ['PGPASSFILE'], '.pgpass')
  return passfile && { kind: 'passfile', ...passfile }
}

function tlsSettings(env: Environment, prefix: string): TlsSettings {
  const [modeName, rootName, certName, keyName] = ['MODE', 'ROOTCERT', 'CERT', 'KEY'].map((end) => [
    `${prefix}_SSL${end}`,
    `PGSSL${end}`,
  ]) as [string[], string[], string[], string[]]
  const root = file(env, rootName, '.postgresql/root.crt')
  const rootCert = root?.path === 'system' ? 'system' : root
  const mode = sslMode(env, modeName, rootCert === 'system' ? 'verify-full' : 'prefer')
  if (mode === 'disable') return { mode }
  if (rootCert === 'system' && mode !== 'verify-full') {
    throw usageError(`the system's CAs sign anybody's certificate: sslmode ${mode} is too little for them`, {
      field: `${prefix}_SSLMODE`,
      fix: `set ${prefix}_SSLMODE=verify-full, or ${prefix}_SSLROOTCERT to the certificate of your own CA`,
    })
  }
  return {
    mode,
    rootCert,
    cert: file(env, certName, '.postgresql/postgresql.crt'),
    key: file(env, keyName, '.postgresql/postgresql.key'),
  }
}

function sslMode(env: Environment, names: readonly string[], otherwise: SslMode): SslMode {
  const field = names.find((name) => env[name] !== undefined)
  if (field === undefined) return otherwise
  const mode = sslModes.find((known) => known === env[field])
  if (mode !== undefined) return mode
  throw usageError(`${field}: "${env[field] ?? ''}" is not valid`, {
    field,
    fix: `give one of ${sslModes.join(', ')}`,
  })
}

/** The file that the first of the names says, else the one that libpq looks for, if it is there. */
function file(env: Environment, names: readonly string[], inHome: string): NamedFile | undefined {
  const field = names.find((name) => env[name] !== undefined)
  const path = field === undefined ? undefined : env[field]
  if (field !== undefined && path !== undefined) return { field, path }
  const home = homeFolder()
  const standard = home === undefined ? undefined : join(home, inHome)
  return standard !== undefined && existsSync(standard)
    ? { field: names[0] ?? '', path: standard }
    : undefined
}
