import type { ManifestFile } from '../../iceberg/manifest/data-file.ts'
import { mainBranch, type Snapshot } from '../../iceberg/metadata/metadata.ts'
import { parseDayFile } from '../../lake/plain-places.ts'
import type { ReadPlan } from '../../lake/read-plan.ts'
import { runOf } from '../../provenance/provenance.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { ObjectReport, ObjectsReport } from '../report-schema.ts'
import { countText } from '../text/words.ts'
import type { PlainObject } from './plain-files.ts'
import type { StoredObject, Survey } from './survey.ts'

/**
 * Every object of a table's Parquet export and of the Iceberg table, each with what it is for and the newest snapshot that
 * needs it. `plan` is that of main: it knows how many rows and files there are in what is live.
 */
export function objectsReport(
  { table, objects, unfinished }: Survey,
  plan: ReadPlan,
  plain: readonly PlainObject[],
): ObjectsReport {
  const { metadata, metadataLocation = '' } = table
  const rows = new Map(plan.files.map(({ file }) => [canonicalLocation(file.filePath), file.recordCount]))
  const manifests = new Map(
    plan.manifests.map((manifest) => [canonicalLocation(manifest.manifestPath), manifest]),
  )
  const current = canonicalLocation(metadataLocation)
  const purpose = (object: StoredObject): string => {
    switch (object.kind) {
      case 'metadata':
        return object.location === current ? 'the table as it is now' : 'the table as it was'
      case 'version-hint':
        return 'names the newest metadata'
      case 'statistics':
        return 'statistics of a snapshot'
      case 'manifest-list':
        return 'manifests of its snapshot'
      case 'manifest':
        return manifestPurpose(object, manifests.get(object.location))
      case 'data': {
        const count = rows.get(object.location)
        return count === undefined ? 'rows since replaced' : countText(count, 'row')
      }
      case 'deletes':
        return 'rows that are deleted'
      case undefined:
        return 'nothing refers to it'
    }
  }
  return {
    snapshots: metadata.snapshots.map((snapshot) => ({
      id: String(snapshot['snapshot-id']),
      at: new Date(snapshot['timestamp-ms']).toISOString(),
      operation: snapshot.summary['operation'] ?? 'unknown',
      refs: Object.entries(metadata.refs)
        .filter(([, ref]) => ref['snapshot-id'] === snapshot['snapshot-id'])
        .map(([name]) => name),
    })),
    ...(metadata.refs[mainBranch] && { current: String(metadata.refs[mainBranch]['snapshot-id']) }),
    objects: [
      ...plain.map((object) => plainReport(object, metadata.snapshots)),
      ...objects.map((object): ObjectReport => ({
        part: 'iceberg',
        location: object.location,
        bytes: object.bytes,
        modified: new Date(object.modifiedMs).toISOString(),
        state: object.state,
        ...(object.kind !== undefined && { kind: object.kind }),
        ...(object.snapshot !== undefined && { snapshot: String(object.snapshot['snapshot-id']) }),
        purpose: purpose(object),
      })),
      ...unfinished.map((write): ObjectReport => ({
        part: 'iceberg',
        location: write.location,
        bytes: write.size,
        modified: new Date(write.begunMs).toISOString(),
        state: 'unfinished',
        purpose: 'a write that is under way, or was left',
      })),
    ],
  }
}

/** Of main's those without a live file are not in the plan. */
function manifestPurpose({ state }: StoredObject, manifest: ManifestFile | undefined): string {
  if (manifest === undefined) return state === 'live' ? 'names removed files' : 'lists replaced files'
  const { addedFilesCount, existingFilesCount, content } = manifest
  return `lists ${countText(addedFilesCount + existingFilesCount, content === 0 ? 'data file' : 'delete file')}`
}

/** A plain file has the rows of the snapshot that the same run committed. */
function plainReport(
  { location, bytes, modifiedMs, content }: PlainObject,
  snapshots: readonly Snapshot[],
): ObjectReport {
  const run = content?.run
  const snapshot = run === undefined ? undefined : snapshots.findLast(({ summary }) => runOf(summary) === run)
  const day = parseDayFile(location.split('/').slice(-2).join('/'))?.day
  const of = content?.source === undefined ? '' : ` of ${content.source}`
  return {
    part: 'parquet',
    location,
    bytes,
    modified: new Date(modifiedMs).toISOString(),
    state: content?.run === undefined ? 'foreign' : 'live',
    ...(snapshot !== undefined && { snapshot: String(snapshot['snapshot-id']) }),
    purpose:
      content === undefined
        ? 'not Parquet, or its footer was not read'
        : `${countText(content.rows, 'row')}${of}${day === undefined ? '' : ` on ${day}`}`,
  }
}
