import { tmpdir } from 'node:os'
import { JobError, usageError } from '../errors.ts'
import { environmentFlag, environmentStallTimeout } from '../options/resolve-options.ts'
import type { S3Settings } from '../storage/s3/client.ts'
import type { FileIO } from '../storage/file-io.ts'
import { openFileIO } from '../storage/open.ts'
import { join, parsePlace } from '../storage/place.ts'
import { refuseUnsupported } from './unsupported.ts'

export { postgresDefaults, postgresSettings } from './postgres.ts'

type Environment = Readonly<Record<string, string>>

const minioKey = { id: 'MINIO_ROOT_USER', secret: 'MINIO_ROOT_PASSWORD' } as const
const awsKey = { id: 'AWS_ACCESS_KEY_ID', secret: 'AWS_SECRET_ACCESS_KEY' } as const

/** AWS' own names, by ours, where ours say nothing: the SDK would obey them by itself, and no engine that we tell an address would. */
export const awsNames = {
  S3_ENDPOINT: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
  AWS_REGION: ['AWS_DEFAULT_REGION'],
} as const

/** The first of the names that says something, or ours. */
const sayingName = (ours: keyof typeof awsNames, env: Environment): string =>
  [ours, ...awsNames[ours]].find((name) => env[name] !== undefined) ?? ours

/**
 * How to reach the object store (operations-spec §1.3): `S3_ENDPOINT` has no default. Unset, as are AWS' own names for it, it is
 * AWS with its own credential chain; set, it is MinIO or another store with MINIO_ROOT_* if present, else AWS_*.
 */
export function s3Settings(env: Environment, stallTimeoutMs = environmentStallTimeout(env)): S3Settings {
  const field = sayingName('S3_ENDPOINT', env)
  const endpoint = env[field]
  const checksums = env['LAKEJOBS_S3_CHECKSUMS'] ?? 'WHEN_REQUIRED'
  if (checksums !== 'WHEN_REQUIRED' && checksums !== 'WHEN_SUPPORTED') {
    throw usageError(`LAKEJOBS_S3_CHECKSUMS: "${checksums}" is not valid`, {
      field: 'LAKEJOBS_S3_CHECKSUMS',
      fix: 'give WHEN_REQUIRED or WHEN_SUPPORTED',
    })
  }
  if (endpoint?.includes('@') === true) {
    throw usageError(`${field} holds a user or a password`, {
      field,
      fix: 'give the address alone; MINIO_ROOT_USER and MINIO_ROOT_PASSWORD have the key',
    })
  }
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint)) {
    throw usageError(`${field}: "${endpoint}" is not valid`, {
      field,
      fix: 'give a URL such as http://localhost:9000, or leave it unset for AWS',
    })
  }
  const minio = env['S3_ENDPOINT'] !== undefined && env['MINIO_ROOT_USER'] !== undefined
  // With half of a key the SDK would take another one that it finds, a profile's or the machine's: it is refused once it is used.
  const isHalf = (env['AWS_ACCESS_KEY_ID'] === undefined) !== (env['AWS_SECRET_ACCESS_KEY'] === undefined)
  const names = minio ? minioKey : isHalf ? awsKey : undefined
  refuseUnsupported(env)
  return {
    endpoint,
    region: env[sayingName('AWS_REGION', env)] ?? 'us-east-1',
    // Otherwise the SDK finds AWS credentials by itself: keys, session tokens, profiles and roles (cli/run.ts).
    accessKeyId: names && env[names.id],
    secretAccessKey: names && env[names.secret],
    keyNames: names ?? awsKey,
    profile: env['AWS_PROFILE'],
    checksums,
    caBundle: env['AWS_CA_BUNDLE'],
    stallTimeoutMs,
    createBucket: environmentFlag(env, 'S3_CREATE_BUCKET'),
    places: Object.fromEntries(placeSettings.map((name) => [name, env[name] ?? defaultPlaces[name]])),
  }
}

/** The canonical location of a folder or URI given for `field`, relative to the working directory. */
export const place = (text: string, field: string): string => parsePlace(text, field, process.cwd())

/** The local folder for what does not fit into memory: `--scratch`, else the system's. */
export function scratchFolder(text: string | undefined): string {
  if (text === undefined) return tmpdir()
  const location = place(text, '--scratch')
  if (location.startsWith('file://')) return location.slice('file://'.length)
  throw usageError(`--scratch: "${text}" is not a local folder`, {
    field: '--scratch',
    fix: 'give a folder on a disk of this machine',
  })
}

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

/**
 * Whether a place is used: those of the CRUD logs where one of them is set or demo data may be made. Whoever only exports has
 * none, and need not have any.
 */
export const isUsed = (env: Environment, name: PlaceSetting): boolean =>
  !name.startsWith('CRUD_') ||
  mayMakeDemoData(env) ||
  placeSettings.some((other) => other.startsWith('CRUD_') && env[other] !== undefined)

/** The canonical location that a setting names, or its default. */
export const placeSetting = (env: Environment, name: PlaceSetting): string =>
  place(env[name] ?? defaultPlaces[name], name)

/** A folder beside the warehouse. */
export function besideWarehouse(env: Environment, name: string): string {
  const warehouse = placeSetting(env, 'WAREHOUSE')
  const [, parent = warehouse] = /^(.+[^/])\/[^/]+$/.exec(warehouse) ?? []
  return join(parent, name)
}

/** Where reports go: `LAKEJOBS_REPORTS`, else `reports` beside the warehouse. */
export function reportsPlace(env: Environment): string {
  const given = env['LAKEJOBS_REPORTS']
  return given === undefined ? besideWarehouse(env, 'reports') : place(given, 'LAKEJOBS_REPORTS')
}

/** Commits leave version-hint.text unless the environment says otherwise. */
export const leavesVersionHint = (env: Environment): boolean =>
  env['LAKEJOBS_VERSION_HINT'] === undefined || environmentFlag(env, 'LAKEJOBS_VERSION_HINT')

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
    const { checkBucket, ensureBucket } = await import('../storage/s3/s3.ts')
    await (dryRun ? checkBucket : ensureBucket)(location, s3)
  }
  return openFileIO(location, s3)
}
