import type { OutputFile } from '../../storage/file-io.ts'
import type { Reject } from '../log/reject.ts'
import { maxDigits, putField, putNumber } from './csv-field.ts'
import { maxEscapedLength, putEscaped } from './escape.ts'

/** The first line of each rejects file. */
export const rejectsHeader = Buffer.from('file,line,reason,raw\n')
const bufferBytes = 262_144

/** Appends rejects of one file; `flush` writes what is still held (the header alone, if there was none). */
export interface RejectsWriter {
  write(rejects: readonly Reject[]): Promise<void>
  flush(): Promise<void>
}

/**
 * Writes a rejects file (operations-spec §1.7): header `file,line,reason,raw`, one row per reject in the order given,
 * LF, quoted where needed. `file` is named as the user gave it; `raw` is escaped as escape.ts says. Closing `output`
 * is the caller's, after `flush`.
 */
export function createRejectsWriter(output: OutputFile, file: string): RejectsWriter {
  const fileBytes = Buffer.from(file)
  let buffer = Buffer.alloc(bufferBytes)
  let length = rejectsHeader.copy(buffer)
  let escaped = Buffer.alloc(0)

  const flush = async (): Promise<void> => {
    if (length === 0) return
    await output.write(buffer.subarray(0, length))
    length = 0
  }

  const put = ({ line, reason, raw }: Reject): void => {
    if (escaped.length < maxEscapedLength * raw.length) escaped = Buffer.alloc(maxEscapedLength * raw.length)
    length = putField(buffer, length, fileBytes, 0, fileBytes.length)
    buffer[length++] = 0x2c
    length = putNumber(buffer, length, line)
    buffer[length++] = 0x2c
    length += buffer.write(reason, length, 'latin1')
    buffer[length++] = 0x2c
    length = putField(buffer, length, escaped, 0, putEscaped(escaped, 0, raw))
    buffer[length++] = 0x0a
  }

  return {
    async write(rejects) {
      for (const reject of rejects) {
        const room = roomFor(fileBytes.length, reject)
        if (length + room > buffer.length) await flush()
        if (room > buffer.length) buffer = Buffer.alloc(room)
        put(reject)
      }
    },
    flush,
  }
}

/** The most bytes that a reject's row takes. */
const roomFor = (fileBytes: number, { reason, raw }: Reject): number =>
  2 * fileBytes + 2 + maxDigits + reason.length + 2 * maxEscapedLength * raw.length + 2 + 4
