import { JobError, usageError } from '../errors.ts'
import { environmentFlag } from '../resolve-options.ts'
import type { S3Settings } from '../storage/s3-client.ts'
import type { PostgresSettings } from '../postgres/connect.ts'
import type { FileIO } from '../storage/file-io.ts'
import { openFileIO } from '../storage/open.ts'
import { parsePlace } from '../storage/place.ts'

type Environment = Readonly<Record<string, string>>

/**
 * How to reach the object store (operations-spec §1.3): `S3_ENDPOINT` has no default. Unset, it is AWS with its own
 * credential chain; set, it is MinIO or another store with MINIO_ROOT_* if present, else AWS_*.
 */
export function s3Settings(env: Environment): S3Settings {
  const endpoint = env['S3_ENDPOINT']
  const checksums = env['LAKEJOBS_S3_CHECKSUMS'] ?? 'WHEN_REQUIRED'
  if (checksums !== 'WHEN_REQUIRED' && checksums !== 'WHEN_SUPPORTED') {
    throw usageError(`LAKEJOBS_S3_CHECKSUMS: "${checksums}" is not valid`, {
      field: 'LAKEJOBS_S3_CHECKSUMS',
      fix: 'give WHEN_REQUIRED or WHEN_SUPPORTED',
    })
  }
  if (endpoint?.includes('@') === true) {
    throw usageError('S3_ENDPOINT holds a user or a password', {
      field: 'S3_ENDPOINT',
      fix: 'give the address alone; MINIO_ROOT_USER and MINIO_ROOT_PASSWORD have the key',
    })
  }
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint)) {
    throw usageError(`S3_ENDPOINT: "${endpoint}" is not valid`, {
      field: 'S3_ENDPOINT',
      fix: 'give a URL such as http://localhost:9000, or leave it unset for AWS',
    })
  }
  const minio = endpoint !== undefined && env['MINIO_ROOT_USER'] !== undefined
  return {
    endpoint,
    region: env['AWS_REGION'] ?? 'us-east-1',
    // Without an endpoint the SDK finds AWS credentials by itself, session tokens and roles included.
    accessKeyId: minio ? env['MINIO_ROOT_USER'] : undefined,
    secretAccessKey: minio ? env['MINIO_ROOT_PASSWORD'] : undefined,
    checksums,
    createBucket: environmentFlag(env, 'S3_CREATE_BUCKET'),
  }
}

/** The canonical location of a folder or URI given for `field`, relative to the working directory. */
export const place = (text: string, field: string): string => parsePlace(text, field, process.cwd())

/** Where each place is when its setting says nothing. */
export const defaultPlaces = {
  WAREHOUSE: './data/lake/iceberg',
  PARQUET_LOCATION: './data/lake/parquet',
  CRUD_INPUT: './data/crud/input',
  CRUD_OUTPUT: './data/crud/output',
  CRUD_CACHE: './data/crud/cache',
} as const

export type PlaceSetting = keyof typeof defaultPlaces

export const placeSettings = Object.keys(defaultPlaces) as readonly PlaceSetting[]

/** The canonical location that a setting names, or its default. */
export const placeSetting = (env: Environment, name: PlaceSetting): string =>
  place(env[name] ?? defaultPlaces[name], name)

/** Whether demo data may be made: `DEMO_DATA` (operations-spec §2). */
export const mayMakeDemoData = (env: Environment): boolean => environmentFlag(env, 'DEMO_DATA')

/** Ends a demo task with "nothing to do" where there is to be no demo data. */
export function requireDemoData(env: Environment): void {
  if (mayMakeDemoData(env)) return
  throw new JobError('nothingToDo', '--demo makes demo data only where DEMO_DATA is true', {
    field: 'DEMO_DATA',
    fix: 'set DEMO_DATA=true in the environment or in .env, or leave --demo out',
  })
}

/**
 * The store of a place, after one look at its bucket: it is made if it is missing and the settings say so, or, with
 * `dryRun`, only if it could be. Errors: those of the store, which name the setting.
 */
export async function openStore(location: string, s3: S3Settings, dryRun = false): Promise<FileIO> {
  if (location.startsWith('s3://')) {
    const { checkBucket, ensureBucket } = await import('../storage/s3.ts')
    await (dryRun ? checkBucket : ensureBucket)(location, s3)
  }
  return openFileIO(location, s3)
}

/** Where each PostgreSQL server is when its settings say nothing. */
export const postgresDefaults = {
  POSTGRES: { host: 'localhost', port: '5434', database: 'mydb' },
  ICEBERG_POSTGRES: { host: 'localhost', port: '5435', database: 'iceberg_db' },
} as const

/** A PostgreSQL server by its environment names: `<prefix>_HOST`, `_PORT`, `_DB`, `_USER`, `_PASSWORD`. */
export function postgresSettings(env: Environment, prefix: keyof typeof postgresDefaults): PostgresSettings {
  const defaults = postgresDefaults[prefix]
  const port = env[`${prefix}_PORT`] ?? defaults.port
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw usageError(`${prefix}_PORT: "${port}" is not valid`, {
      field: `${prefix}_PORT`,
      fix: 'give a port number from 1 to 65535',
    })
  }
  const host = env[`${prefix}_HOST`] ?? defaults.host
  // Not repeated in the message: an address may hold a password.
  if (/[@?]|:\/\//.test(host)) {
    throw usageError(`${prefix}_HOST is an address, not a host's name`, {
      field: `${prefix}_HOST`,
      fix: `give the name alone; ${prefix}_PORT, _DB, _USER and _PASSWORD have the rest`,
    })
  }
  return {
    host,
    port: Number(port),
    database: env[`${prefix}_DB`] ?? defaults.database,
    user: required(env, `${prefix}_USER`),
    password: required(env, `${prefix}_PASSWORD`),
  }
}

function required(env: Environment, name: string): string {
  const value = env[name]
  if (value !== undefined) return value
  throw usageError(`${name} is not set`, { field: name, fix: `set ${name} in the environment or in .env` })
}
