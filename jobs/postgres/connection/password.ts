import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { asError, JobError, systemCode, usageError } from '../../errors.ts'
import { findPassword } from './passfile.ts'
import { isSocketFolder, type NamedFile, type PasswordSource, type PostgresSettings } from './settings.ts'

/** Commands that fetch a token over the network take seconds. */
const longestCommandMs = 30_000

/** Where the password comes from, as an environment name; for messages. */
export const passwordField = (password: PasswordSource | undefined, prefix: string): string =>
  typeof password === 'object' ? password.field : `${prefix}_PASSWORD`

/**
 * The password for one connection: read, looked up or asked for anew each time. Never logged, and no part of an error.
 * Throws a usage error where there is none.
 */
export async function passwordFor(
  settings: PostgresSettings,
  prefix: string,
  signal?: AbortSignal,
): Promise<string> {
  const { password } = settings
  if (typeof password === 'string' && password !== '') return password
  if (typeof password !== 'object') throw missing(settings, prefix)
  switch (password.kind) {
    case 'file':
      return fromFile(password)
    case 'passfile':
      return fromPassfile(password, settings, prefix)
    case 'command':
      return fromCommand(password, signal)
  }
}

function missing({ user }: PostgresSettings, prefix: string, detail = ''): JobError {
  return usageError(`the server wants a password for user ${user} and none is set${detail}`, {
    field: `${prefix}_PASSWORD`,
    fix: `set ${prefix}_PASSWORD, ${prefix}_PASSWORD_FILE or ${prefix}_PASSWORD_COMMAND`,
  })
}

const withoutLineBreak = (text: string): string => text.replace(/\r?\n$/, '')

async function fromFile({ field, path }: NamedFile): Promise<string> {
  const password = withoutLineBreak(await readNamed({ field, path }))
  if (password !== '') return password
  throw usageError(`${field}: ${path} is empty`, { field, fix: 'put the password into that file' })
}

/** Reads a text file that a setting names; a usage error when it cannot be read. */
export async function readNamed({ field, path }: NamedFile): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const why =
      systemCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${asError(error).message})`
    throw usageError(`${field}: ${path} ${why}`, {
      field,
      fix: `correct ${field}, or make the file readable`,
      cause: error,
    })
  }
}

async function fromPassfile(file: NamedFile, settings: PostgresSettings, prefix: string): Promise<string> {
  // As libpq: what others may read is no secret any more.
  const { mode } = await stat(file.path).catch(() => ({ mode: 0 }))
  if ((mode & 0o077) !== 0) {
    throw missing(settings, prefix, `: ${file.path} is open to others and therefore not read (chmod 600 it)`)
  }
  const { host, port, database, user } = settings
  const hosts = isLocalFolder(host) ? [host, 'localhost'] : [host]
  const found = findPassword(await readNamed(file), { hosts, port, database, user })
  if (found !== undefined) return found
  throw missing(settings, prefix, `: ${file.path} has none for ${host}:${port}:${database}:${user}`)
}

/** Where PostgreSQL's socket is by default, from source and in distributions: `localhost` means that one, too. */
const isLocalFolder = (host: string): boolean =>
  isSocketFolder(host) && ['/tmp', '/var/run/postgresql', '/run/postgresql'].includes(host)

function fromCommand(
  { field, line, env }: Extract<PasswordSource, { kind: 'command' }>,
  signal?: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env, timeout: longestCommandMs, ...(signal && { signal }) }
    execFile('/bin/sh', ['-c', line], options, (error, stdout) => {
      const password = withoutLineBreak(stdout)
      if (error === null && password !== '') resolve(password)
      // What the command said may hold what it should not say.
      else if (signal?.aborted === true) reject(asError(signal.reason))
      else reject(commandFailure(field, error))
    })
  })
}

function commandFailure(
  field: string,
  error: (Error & { code?: unknown; killed?: unknown }) | null,
): JobError {
  const fix = `run the command of ${field} in a shell to see why`
  if (error === null) return usageError(`${field} printed nothing`, { field, fix })
  if (error.killed === true) {
    return new JobError('failed', `${field} took longer than ${longestCommandMs / 1000} s`, { field, fix })
  }
  const isMissing = error.code === 126 || error.code === 127
  const message = `${field} ended with exit status ${String(error.code)}`
  return isMissing ? usageError(message, { field, fix }) : new JobError('failed', message, { field, fix })
}
