/** How to reach a PostgreSQL server. Plain data: it crosses threads. */
export interface PostgresSettings {
  /** A name, an address, or the folder of a Unix socket (absolute). */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** Undefined: none is known, which matters only to a server that asks for one. */
  readonly password?: PasswordSource | undefined
  /** Default: not encrypted. */
  readonly tls?: TlsSettings | undefined
  /** A statement during which no byte moves for so long fails; default and 0: never. */
  readonly stallTimeoutMs?: number | undefined
}

/** A file, and the environment name that says where it is. */
export interface NamedFile {
  readonly field: string
  readonly path: string
}

/** The password itself, or where it is found anew for each connection. */
export type PasswordSource =
  | string
  | ({ readonly kind: 'file' } & NamedFile)
  /** libpq's password file, which has it by host, port, database and user. */
  | ({ readonly kind: 'passfile' } & NamedFile)
  | {
      readonly kind: 'command'
      readonly field: string
      /** A line for the shell; what it prints is the password, but for a last line break. */
      readonly line: string
      readonly env: Readonly<Record<string, string>>
    }

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

/** With libpq's meaning (PostgreSQL docs, "SSL Support"): a root certificate makes `require` check the chain, too. */
export interface TlsSettings {
  readonly mode: SslMode
  /** `system`: those that the machine trusts. */
  readonly rootCert?: NamedFile | 'system' | undefined
  readonly cert?: NamedFile | undefined
  readonly key?: NamedFile | undefined
}

export const isSocketFolder = (host: string): boolean => host.startsWith('/')

/** `host:port`, or the path of the Unix socket. */
export const addressOf = ({ host, port }: Pick<PostgresSettings, 'host' | 'port'>): string =>
  isSocketFolder(host) ? socketPath({ host, port }) : `${host}:${port}`

export const socketPath = ({ host, port }: Pick<PostgresSettings, 'host' | 'port'>): string =>
  `${host.replace(/\/+$/, '')}/.s.PGSQL.${port}`
