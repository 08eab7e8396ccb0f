import { usageError } from '../../errors.ts'
import { isAhead, otherRead } from '../../provenance/provenance.ts'
import { aheadError, type Reader } from '../../provenance/replacing/commit-read.ts'
import { printSource, sameSource } from '../../provenance/source.ts'
import type { ReplacedFile } from '../write/replaced-file.ts'

/**
 * Refuses to replace a plain file of another source, server and database included, or one whose time is too far ahead to
 * be later (export-spec §6.4, §6.5). What is not ours says nothing of its source.
 */
export function assertReplaceable(location: string, { entries }: ReplacedFile, own: Reader): void {
  const other = otherRead(entries)
  if (other === undefined) return
  if (!sameSource(other.source, own.source)) {
    throw usageError(
      `${location} holds ${printSource(other.source)}; this run would replace it by ${printSource(own.source)}`,
      {
        field: location,
        fix: 'give the table another name in the lake (--table source=namespace.name) or another PARQUET_LOCATION; or remove the file, if it may go',
      },
    )
  }
  if (isAhead(own.sourceTime, other.sourceTime))
    throw aheadError(
      location,
      own,
      entries,
      'set the source’s clock right if it is behind; if it was ahead then, remove the file and run again',
    )
}
