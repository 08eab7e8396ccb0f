import { msPerDay } from '../../calendar.ts'
import { dataFolder, metadataFolder } from '../../iceberg/metadata/locations.ts'
import { writtenAs } from '../../lake/upkeep/writer-names.ts'
import type { UnpublishedWrite } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { sum } from '../facts/numbers.ts'
import type { StorageReport } from '../report-schema.ts'
import type { ObjectState, StoredObject, Survey } from './survey.ts'

/** A younger file may be one that somebody is about to commit (`maintain orphans --orphan-age`). */
const orphanAgeMs = 3 * msPerDay
const mostNamed = 20

/** What of a table's folders is for what: the parts add up to what the store lists. */
export function storageReport(survey: Survey, nowMs: number): StorageReport {
  const { objects, unfinished, missing, otherSize, elsewhere } = survey
  const of = (...states: readonly ObjectState[]): StoredObject[] =>
    objects.filter(({ state }) => states.includes(state))
  const unreferenced = of('unreferenced')
  const isOurs = (object: StoredObject): boolean => isWritten(survey, object)
  const isYoung = (ms: number): boolean => ms > nowMs - orphanAgeMs
  const young = unfinished.filter(({ begunMs }) => isYoung(begunMs))
  return {
    folders: [...survey.folders],
    files: objects.length,
    bytes: sum(objects.map(({ bytes }) => bytes)),
    live: share(of('live')),
    kept: { ...share(of('kept', 'expirable')), expirable: amount(of('expirable')) },
    unreferenced: {
      ...amount(unreferenced),
      young: amount(unreferenced.filter((object) => isOurs(object) && isYoung(object.modifiedMs))),
      foreign: amount(unreferenced.filter((object) => !isOurs(object))),
    },
    unfinished: { ...writes(unfinished), young: writes(young) },
    missingFiles: missing.length,
    missing: missing.slice(0, mostNamed).map(({ location }) => location),
    missingLive: missing.some(
      ({ snapshot }) => snapshot === undefined || isHead(survey, snapshot['snapshot-id']),
    ),
    otherSize: otherSize.slice(0, mostNamed).map(({ location }) => location),
    otherSizeFiles: otherSize.length,
    elsewhere: { files: elsewhere.length, bytes: sum(elsewhere.map(({ size = 0 }) => size)) },
  }
}

const isHead = ({ table: { metadata } }: Survey, id: bigint): boolean =>
  metadata.refs['main']?.['snapshot-id'] === id

const amount = (objects: readonly StoredObject[]): { readonly files: number; readonly bytes: number } => ({
  files: objects.length,
  bytes: sum(objects.map(({ bytes }) => bytes)),
})

const writes = (all: readonly UnpublishedWrite[]): { readonly files: number; readonly bytes: number } => ({
  files: all.length,
  bytes: sum(all.map(({ size }) => size)),
})

/** Whether `maintain orphans` would take it for a file of a writer of Iceberg, by its folder and name. */
function isWritten({ table: { metadata } }: Survey, { location }: StoredObject): boolean {
  const below = (folder: string): string | undefined => {
    const prefix = `${canonicalLocation(folder)}/`
    return location.startsWith(prefix) ? location.slice(prefix.length) : undefined
  }
  const inMetadata = below(metadataFolder(metadata))
  if (inMetadata !== undefined) return writtenAs(inMetadata, true) !== undefined
  const inData = below(dataFolder(metadata))
  return inData !== undefined && writtenAs(inData, /(^|\/)metadata\/[^/]+$/.test(inData)) !== undefined
}

function share(objects: readonly StoredObject[]): StorageReport['live'] {
  const kinds = [...new Set(objects.map(({ kind }) => kind))].filter((kind) => kind !== undefined).sort()
  return {
    ...amount(objects),
    kinds: kinds.map((kind) => ({ kind, ...amount(objects.filter((one) => one.kind === kind)) })),
  }
}
