import { expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashKey } from '../../jobs/settings/hash-key.ts'

test('a key of bytes that are no text is refused: two of them could be one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lakejobs-hash-key-'))
  const path = join(folder, 'key')
  const keyOf = (bytes: Buffer): Buffer | undefined => {
    writeFileSync(path, bytes)
    return hashKey({ LAKEJOBS_HASH_KEY_FILE: path })?.export()
  }
  try {
    expect(keyOf(Buffer.from('ein Schlüssel mit Umlaut\n'))?.toString()).toBe('ein Schlüssel mit Umlaut')
    expect(() => keyOf(Buffer.alloc(32, 0xf0))).toThrow(`${path} cannot be read (line 1 is not UTF-8)`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
