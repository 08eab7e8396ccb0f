import { fileContent, type DataFile } from '../manifest/data-file.ts'
import type { PartitionColumnType } from '../partition/partition-spec.ts'
import type { FieldSummary } from '../partition/partition-value.ts'
import { both, factsOfMetrics, factsOfPartition, factsOfSummaries, type ColumnFacts } from './facts.ts'
import type { Column, Predicate } from './predicate.ts'
import { truth, truthsOf } from './truth.ts'

/** Where a file's rows lie: all match a predicate, none does, or perhaps some. */
export type Position = 'inside' | 'outside' | 'straddles'

/**
 * Where a file lies, by its partition and its metrics together (export-spec §3.5), and the rows that a delete file may
 * apply to, by its partition alone: its metrics are of other rows, and it applies to files of its partition only, or,
 * without a partition, to any (spec "Scan Planning"). `type` is the partition type of the file's own spec.
 */
export function positionOf(
  predicate: Predicate,
  file: DataFile,
  type: readonly PartitionColumnType[],
): Position {
  if (file.recordCount === 0) return predicate.kind === 'true' ? 'inside' : 'outside'
  return position(predicate, (column) => {
    const facts = factsOfPartition(column, file.partition, type)
    return file.content === fileContent.data ? both(facts, factsOfMetrics(column, file)) : facts
  })
}

/** Whether a manifest may hold files that are not outside, judged by its partition summaries. */
export const mayMatch = (
  predicate: Predicate,
  summaries: readonly FieldSummary[] | undefined,
  type: readonly PartitionColumnType[],
): boolean =>
  summaries === undefined ||
  position(predicate, (column) => factsOfSummaries(column, summaries, type)) !== 'outside'

function position(predicate: Predicate, factsOf: (column: Column) => ColumnFacts): Position {
  const known = new Map<number, ColumnFacts>()
  const truths = truthsOf(predicate, (column) => {
    const facts = known.get(column.id) ?? factsOf(column)
    known.set(column.id, facts)
    return facts
  })
  if ((truths & truth.true) === 0) return 'outside'
  return truths === truth.true ? 'inside' : 'straddles'
}
