import { FileExists } from '../../storage/errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { DataFile, ManifestFile } from '../manifest/data-file.ts'

/** A manifest in the store; its sequence number is that of the snapshot which lists it, known later. */
export interface WrittenManifest {
  readonly manifest: Omit<ManifestFile, 'sequenceNumber' | 'minSequenceNumber'>
  /** Undefined: the snapshot's own. */
  readonly minSequenceNumber: number | undefined
}

/** A manifest that replaces a base manifest, and what it no longer has. */
export interface FilteredManifest extends WrittenManifest {
  readonly removedFiles: readonly DataFile[]
}

/** What stays the same over all attempts of one commit. */
export interface ProducerState {
  readonly commitUuid: string
  readonly snapshotId: bigint
  /** Cryptographic: makes the Avro files' sync markers. */
  readonly randomBytes: (size: number) => Buffer
  /** Manifests of the added files: they depend on nothing that others change. */
  added?: readonly WrittenManifest[]
  /** By the base manifest's path: valid as long as that is still listed. */
  readonly filtered: Map<string, FilteredManifest>
  /** By the paths of the manifests that were put together: valid as long as all are still listed. */
  readonly merged: Map<string, WrittenManifest>
  /** Numbers the manifests of this commit. */
  manifestCount: number
  /** Manifests and manifest lists written so far. */
  readonly writtenFiles: Set<string>
}

/** A fresh state. `uuid` is random; the snapshot id is made of it as Java does: positive, 63 bits. */
export function producerState(uuid: string, randomBytes: (size: number) => Buffer): ProducerState {
  const hex = uuid.replaceAll('-', '')
  const folded = BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`)
  return {
    commitUuid: uuid,
    snapshotId: BigInt.asUintN(63, folded),
    randomBytes,
    filtered: new Map(),
    merged: new Map(),
    manifestCount: 0,
    writtenFiles: new Set(),
  }
}

/** Writes a metadata file under a name that nobody else uses, and remembers it. */
export async function writeTableFile(
  io: FileIO,
  state: ProducerState,
  location: string,
  bytes: Buffer,
): Promise<void> {
  state.writtenFiles.add(location)
  try {
    await io.write(canonicalLocation(location), bytes, { ifAbsent: true })
  } catch (error) {
    // What was there before is not ours to clean up.
    if (error instanceof FileExists) state.writtenFiles.delete(location)
    throw error
  }
}
