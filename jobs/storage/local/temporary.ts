import { randomBytes } from 'node:crypto'
import { readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { systemCode } from '../../errors.ts'

/**
 * Temporary files that outlive a SIGKILL, and how the next run knows them: the name carries the writer. The
 * boot id names the running kernel, the pid namespace the container, pid and start time the process; so a
 * writer on this machine and in this container is dead or alive for certain, also when its pid was given to
 * another process. Of any other writer (another container or host sharing the folder) nothing can be known but
 * its last sign of life: it touches its files every minute (`heartbeatMs`), and is given up after
 * `abandonedMs`. Should it be alive after all (paused that long), its rename fails and its run with it; half a
 * file is never published.
 */
interface Writer {
  /** /proc/sys/kernel/random/boot_id, hexadecimal digits only; '0' where the system does not say (not Linux). */
  readonly boot: string
  /** Inode of the pid namespace. */
  readonly namespace: string
  readonly pid: string
  /** Clock ticks from boot to the start of the process. */
  readonly started: string
}

export const heartbeatMs = 60_000
const abandonedMs = 10 * heartbeatMs

const pattern = /^\.lakejobs-([0-9a-f]{32}|0)-(\d+)-(\d+)-(\d+)-[0-9a-f]{16}\.tmp$/

/** Whether a file name is that of a temporary file of ours, of whichever writer. */
export const isTemporary = (name: string): boolean => name.startsWith('.lakejobs-') && pattern.test(name)

/** proc(5), /proc/pid/stat: state is field 3, starttime field 22; field 2 may hold spaces and brackets. */
function parseStat(text: string): { readonly state: string; readonly started: string } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', started: fields[19] ?? '' }
}

async function thisProcess(): Promise<Writer> {
  try {
    const [boot, namespace, text] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readFile('/proc/self/stat', 'utf8'),
    ])
    return {
      boot: boot.replace(/[^0-9a-f]/g, ''),
      namespace: namespace.replace(/\D/g, ''),
      pid: String(process.pid),
      started: parseStat(text).started,
    }
  } catch {
    return { boot: '0', namespace: '0', pid: String(process.pid), started: '0' }
  }
}

let self: Promise<Writer> | undefined

/** A new name for a temporary file of this process. */
export async function temporaryName(): Promise<string> {
  const { boot, namespace, pid, started } = await (self ??= thisProcess())
  return `.lakejobs-${boot}-${namespace}-${pid}-${started}-${randomBytes(8).toString('hex')}.tmp`
}

function signalFinds(pid: string): boolean {
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

async function lifeOf(writer: Writer): Promise<'alive' | 'dead' | 'unknown'> {
  const own = await (self ??= thisProcess())
  if (own.boot === '0' || writer.boot !== own.boot || writer.namespace !== own.namespace) return 'unknown'
  try {
    const { state, started } = parseStat(await readFile(`/proc/${writer.pid}/stat`, 'utf8'))
    // A zombie has closed its files; only its parent has not asked for its status yet.
    return started === writer.started && state !== 'Z' && state !== 'X' ? 'alive' : 'dead'
  } catch {
    // /proc may hide the processes of other users (hidepid); kill(2) still knows them.
    return signalFinds(writer.pid) ? 'unknown' : 'dead'
  }
}

/**
 * Removes the temporary files in `folder` whose writer is dead or given up. `nowMs` is the change time of a file
 * just made there: ages are then differences on the file system's own clock, whatever the hosts' clocks say.
 * What cannot be removed stays for a later run.
 */
export async function removeAbandoned(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, boot, namespace, pid, started] = pattern.exec(name) ?? []
    if (boot === undefined || namespace === undefined || pid === undefined || started === undefined) continue
    const path = `${folder}/${name}`
    const life = await lifeOf({ boot, namespace, pid, started })
    if (life === 'alive') continue
    const changed = life === 'dead' ? undefined : await stat(path).catch(() => undefined)
    if (life === 'dead' || (changed !== undefined && nowMs - changed.ctimeMs > abandonedMs)) {
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
    }
  }
}

/**
 * Removes what killed runs left in `folder` and in the folders below it, `depth` levels down. A folder that cannot be
 * written to keeps what it has.
 */
export async function sweepAbandoned(folder: string, depth: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  if (entries.some(({ name }) => isTemporary(name))) {
    const probe = `${folder}/${await temporaryName()}`
    try {
      await writeFile(probe, '')
      await removeAbandoned(folder, (await stat(probe)).ctimeMs)
    } catch {
      // For a later run.
    } finally {
      await rm(probe, { force: true }).catch(() => undefined)
    }
  }
  if (depth === 0) return
  for (const entry of entries)
    if (entry.isDirectory() && !isTemporary(entry.name))
      await sweepAbandoned(`${folder}/${entry.name}`, depth - 1)
}
