import { createHmac, type KeyObject } from 'node:crypto'

/** Which columns' values are hashed (`--hash`), and by which key. */
export interface HashedColumns {
  /** What tells keys apart: `hashKeyId`. */
  readonly key: string
  /** Field ids, ascending. */
  readonly columns: readonly number[]
}

/** Tells keys apart without telling them: 16 hex digits of what the key makes of a fixed text. */
export const hashKeyId = (key: KeyObject): string =>
  createHmac('sha256', key).update('lakejobs.hash-key').digest('hex').slice(0, 16)
