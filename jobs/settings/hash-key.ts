import { createSecretKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { asError, systemCode, usageError } from '../errors.ts'
import { settingsText } from '../options/settings-text.ts'

const name = 'LAKEJOBS_HASH_KEY'
/** Values that are easily guessed are as safe as the key. */
const leastBytes = 16

/**
 * The key of `--hash`, as `LAKEJOBS_HASH_KEY` or the file of `LAKEJOBS_HASH_KEY_FILE` says, in UTF-8; undefined: neither is set.
 * It shows itself in no log, message or JSON, and may cross threads. Errors: usage, for both, a file that cannot be read and a
 * key of fewer than 16 bytes.
 */
export function hashKey(env: Readonly<Record<string, string>>): KeyObject | undefined {
  const [value, path] = [env['LAKEJOBS_HASH_KEY'], env['LAKEJOBS_HASH_KEY_FILE']]
  if (value !== undefined && path !== undefined)
    throw usageError(`${name} and ${name}_FILE are both set`, { field: name, fix: 'set one of them' })
  const text = value ?? (path === undefined ? undefined : read(path))
  if (text === undefined) return undefined
  const bytes = Buffer.from(text)
  if (bytes.length >= leastBytes) return createSecretKey(bytes)
  throw usageError(
    `${path === undefined ? name : `${name}_FILE`}: the key has fewer than ${leastBytes} bytes`,
    {
      field: name,
      fix: 'make one with openssl rand -hex 32, and keep it: another key gives other values',
    },
  )
}

function read(path: string): string {
  try {
    return settingsText(readFileSync(path)).replace(/\r?\n$/, '')
  } catch (error) {
    throw usageError(`${name}_FILE: ${path} cannot be read (${asError(error).message})`, {
      field: `${name}_FILE`,
      fix:
        systemCode(error) === undefined
          ? 'make a key of text, with openssl rand -hex 32'
          : `correct ${name}_FILE, or make the file readable`,
      cause: error,
    })
  }
}
