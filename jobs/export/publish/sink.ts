import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import type { Value } from '../../iceberg/schema/types.ts'
import type { Interval } from '../../provenance/interval.ts'
import type { Replaced, SourceRead } from '../../provenance/provenance.ts'
import type { ExportFormat } from '../options.ts'

/** Rows on their way to a sink: of one partition of the table, and of one interval. */
export interface SinkRows {
  readonly partition: readonly (Value | null)[]
  readonly interval: Interval
  readonly rowGroup: RelocatableRowGroup
}

/**
 * One place that a table's rows go to, in its own way of making them visible. All sinks of a run are staged before the
 * first one is published; each decides for itself what a later read of the source has replaced already.
 */
export interface Sink {
  readonly format: ExportFormat
  /** Takes rows while the source is read. */
  add(rows: SinkRows): Promise<void>
  /**
   * When everything is read: decides what is replaced, and by what. Nothing is visible yet. Errors: data, where far fewer
   * rows would come in the place of many (`--max-shrink`).
   */
  stage(read: SourceRead): Promise<StagedSink>
  /** Removes what is not published, unless it may be needed; to be called at the end in any case. */
  discard(): Promise<void>
}

export interface StagedSink {
  /** Makes the rows visible, but for those that a later read of the source has replaced. */
  publish(): Promise<SinkOutcome>
}

/** What became of the rows. */
export interface SinkOutcome {
  readonly format: ExportFormat
  /** What they were to replace: less than was asked for where days had not changed. */
  readonly replaced: Replaced
  /** Nothing was written or committed: what was to be replaced is there as it was read. */
  readonly unchanged: boolean
  /** A later read of the source is in the place of all of them, or of some: those are left as they are. */
  readonly superseded: 'all' | 'some' | 'none'
  readonly files: number
  readonly bytes: number
  readonly snapshotId?: string
  readonly metadataLocation?: string
  readonly parquetLocation?: string
  /** What changed of the table's schema. */
  readonly changes?: readonly string[]
  /** What is to be said of it besides the target's own warnings. */
  readonly warnings?: readonly string[]
}
