/**
 * What Airflow's DockerOperator may ask of the engine: to run our image as our user, in our network, with our folder,
 * and to follow and end the containers that it started so. Everything that is not listed here is refused, so that what
 * a newer engine understands is refused as well.
 */

/** What containers are made of; all of them are alike in it. */
export interface Policy {
  readonly image: string
  readonly network: string
  /** `uid:gid`, also where the request names no user. */
  readonly user: string
  readonly source: string
  readonly target: string
  /** The folder of `lakejobs.yaml`, to be read alone. */
  readonly tables: { readonly source: string; readonly target: string }
  /** Bytes, where the request asks for no limit or for more. */
  readonly memory: number
  /** What may be in a container's environment: the settings of jobs. */
  readonly names: ReadonlySet<string>
}

/** A request that is let through, as far as it goes: a container's calls need the label, too. */
export type Call =
  | { readonly kind: 'ask' }
  | { readonly kind: 'create' }
  | { readonly kind: 'container'; readonly id: string; readonly attach: boolean }

/** Why a request is refused, in words for the task's log; with HTTP's status. */
export class Refusal extends Error {
  readonly status: number

  constructor(message: string, status = 403) {
    super(message)
    this.status = status
  }
}

/** Marks the containers that came through the filter; its value is the network, so that two projects stay apart. */
export const label = 'lakejobs.docker-filter'

// From 1.24 on, `start` ignores a body; before, it took the host's settings from it.
const version = String.raw`(?:/v1\.(?:2[4-9]|[3-9]\d))?`
const asks = new RegExp(`^(?:(?:GET|HEAD) ${version}/_ping|GET ${version}/(?:version|images/json))$`)
const create = new RegExp(`^POST ${version}/containers/create$`)
const ofContainer = new RegExp(`^(\\w+) ${version}/containers/([0-9a-f]{64})((?:/\\w+)?)$`)
// Deeper than what the operator sends, and not too deep to be walked through.
const deepest = 32
// How a source of lakejobs.yaml is reached, under a prefix of its own: CRM_HOST. Airflow has passwords, too.
const ofSources =
  /^(?!AIRFLOW_)[A-Z][A-Z0-9_]*_(?:HOST|PORT|DB|USER|PASSWORD(?:_FILE)?|SSL(?:MODE|ROOTCERT|CERT|KEY))$/
// What AWS's SDK reads, and libpq's names that stand in for unset settings of PostgreSQL.
const ofLibraries = /^(?:AWS_[A-Z0-9_]+|PG(?:PASSFILE|PASSWORD|SSLMODE|SSLROOTCERT|SSLCERT|SSLKEY))$/
// Which of Airflow's tasks a job is of.
const ofTask = /^AIRFLOW_CTX_[A-Z_]+$/
// Threads are counted as well; as of the service `jobs`.
const pids = 1024
const containerCalls = new Set([
  ...['GET /json', 'GET /logs', 'DELETE '],
  ...['POST /attach', 'POST /start', 'POST /wait', 'POST /stop', 'POST /kill'],
])

/** @throws {Refusal} unless the engine's call is one that the operator needs */
export function callOf(method: string, url: string): Call {
  const [path = '', query] = url.split('?', 2)
  const line = `${method} ${path}`
  if (asks.test(line)) return { kind: 'ask' }
  if (create.test(line)) {
    if (query !== undefined && query !== '') throw new Refusal(`containers/create with ?${query}`)
    return { kind: 'create' }
  }
  const [, verb = '', id = '', action = ''] = ofContainer.exec(line) ?? []
  if (!containerCalls.has(`${verb} ${action}`)) throw new Refusal(line)
  return { kind: 'container', id, attach: action === '/attach' }
}

type Check = (value: unknown, name: string) => unknown

/**
 * The body of `containers/create`, made anew of what is allowed: nothing is passed on that was not understood. (The
 * engine takes names in any case, and the last of two; so a copy, not a look.)
 *
 * @throws {Refusal} naming the first field that is not allowed
 */
export function createBody(body: string, policy: Policy): string {
  const { image, network, user, source, target, tables, names } = policy
  const data = fields({ Type: only('bind'), Source: only(source), Target: only(target), ReadOnly: flag })
  const read = fields({
    Type: only('bind'),
    Source: only(tables.source),
    Target: only(tables.target),
    ReadOnly: flag,
  })
  const mount: Check = (value, name) => {
    if (!isFolderOf(value, tables.target)) return data(value, name)
    return { ...(read(value, name) as object), ReadOnly: true }
  }
  const host = fields({
    NetworkMode: only(network),
    Mounts: apart(listOf(mount, 2)),
    CpuShares: count,
    Memory: count,
  })
  const container = fields({
    Image: only(image),
    Cmd: listOf(text),
    Env: listOf(settingOf(names)),
    User: only(user),
    Labels: labels,
    AttachStdout: flag,
    AttachStderr: flag,
    HostConfig: host,
  })
  const wanted = container(parse(body), 'the container') as Record<string, unknown>
  const { HostConfig: asked = {}, Labels: given = {}, ...rest } = wanted
  const { Memory: memory = policy.memory, ...others } = asked as { readonly Memory?: number }
  if (rest['Image'] === undefined) throw new Refusal('a container without Image')
  return JSON.stringify({
    ...rest,
    User: user,
    Labels: { ...(given as object), [label]: network },
    HostConfig: {
      ...others,
      NetworkMode: network,
      Memory: Math.min(memory, policy.memory),
      PidsLimit: pids,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
    },
  })
}

/** Whether the engine's description of a container is that of one which came through here. */
export function isOurs(description: string, policy: Policy): boolean {
  const { Config } = JSON.parse(description) as { Config?: { Labels?: Record<string, string> | null } }
  return Config?.Labels?.[label] === policy.network
}

/** `2g`, `512m` as Compose has them, in bytes. */
export function bytes(size: string): number {
  const [, number, unit = ''] = /^(\d+)([bkmg]?)b?$/i.exec(size) ?? []
  if (number === undefined) throw new Error(`"${size}" is no amount of memory: give 2g or 512m`)
  return Number(number) * 1024 ** Math.max(0, 'bkmg'.indexOf(unit.toLowerCase()))
}

/** The names of `.env.example` that jobs read: those before the parts of DAGs and of Compose. */
export function namesOf(example: string): ReadonlySet<string> {
  const [ofJobs = ''] = example.split('# --- DAGs')
  return new Set([...ofJobs.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name))
}

function parse(body: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw new Refusal('a body that is not JSON', 400)
  }
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw new Refusal(`a body that is nested more than ${deepest} deep`, 400)
    level = level.flatMap((item): unknown[] =>
      typeof item === 'object' && item !== null ? Object.values(item) : [],
    )
  }
  return value
}

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.values(value).every(isEmpty))

/** An object of these fields. Others must be empty, as the SDK sends them, and are left out. */
function fields(checks: Readonly<Record<string, Check>>): Check {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(name, value)
    const kept: Record<string, unknown> = {}
    for (const [key, given] of Object.entries(value)) {
      if (isEmpty(given)) continue
      const check = Object.hasOwn(checks, key) ? checks[key] : undefined
      if (check === undefined) throw refused(`${name}.${key}`, given)
      kept[key] = check(given, `${name}.${key}`)
    }
    return kept
  }
}

const only =
  (wanted: string): Check =>
  (value, name) => {
    if (value !== wanted) throw refused(name, value, `only ${wanted}`)
    return value
  }

const listOf =
  (check: Check, most = Infinity): Check =>
  (value, name) => {
    if (!Array.isArray(value) || value.length > most) throw refused(name, value)
    return value.map((item) => check(item, name))
  }

const isFolderOf = (value: unknown, target: string): boolean =>
  typeof value === 'object' && value !== null && 'Target' in value && value.Target === target

/** No two of them at one place. */
const apart =
  (check: Check): Check =>
  (value, name) => {
    const mounts = check(value, name) as readonly { readonly Target?: string }[]
    if (new Set(mounts.map(({ Target }) => Target)).size < mounts.length) throw refused(name, value)
    return mounts
  }

const ofType =
  (type: 'string' | 'boolean'): Check =>
  (value, name) => {
    if (typeof value !== type) throw refused(name, value)
    return value
  }
const text = ofType('string')
const flag = ofType('boolean')

const count: Check = (value, name) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw refused(name, value)
  return value
}

/**
 * NAME=value of a setting that jobs have, or that the AWS SDK has for them. Node.js, the loader and shells take programs
 * from theirs (NODE_OPTIONS, LD_PRELOAD), and so do these two files of AWS, and a setting that is a command.
 */
const settingOf =
  (names: ReadonlySet<string>): Check =>
  (value, list) => {
    if (typeof value !== 'string') throw refused(list, value)
    const [, name = ''] = /^([^=]*)=/.exec(value) ?? []
    const isKnown = names.has(name) || ofLibraries.test(name) || ofSources.test(name) || ofTask.test(name)
    const isProgram = /_COMMAND$|^AWS_(?:CONFIG|SHARED_CREDENTIALS)_FILE$/.test(name)
    if (!isKnown || isProgram) throw new Refusal(`${list}: ${name.slice(0, 100)} is no setting of a job here`)
    return value
  }

const labels: Check = (value, name) => {
  if (
    typeof value !== 'object' ||
    value === null ||
    !Object.values(value).every((item) => typeof item === 'string')
  )
    throw refused(name, value)
  return value
}

function refused(name: string, value: unknown, instead?: string): Refusal {
  // Passwords are in the environment.
  const shown = name.endsWith('.Env') ? '' : `: ${JSON.stringify(value).slice(0, 200)}`
  return new Refusal(`${name}${shown}${instead === undefined ? '' : `; ${instead}`}`)
}
