import type { TablePlan } from '../postgres/source/plan.ts'
import type { ExportOptions } from './options.ts'
import type { ScopeSize } from '../provenance/replacing/shrink-guard.ts'
import type { TableTarget } from './target/table-target.ts'

export interface PlannedExport {
  readonly plan: TablePlan
  readonly target: TableTarget
  /** What the commit would remove. */
  readonly before: ScopeSize
  readonly options: ExportOptions
}

/** What `--dry-run` shows of a table: plain data for the summary. */
export function describePlan({ plan, target, before, options }: PlannedExport): Record<string, unknown> {
  const { scope } = options
  return {
    columns: plan.columns.map(({ name, sourceType, readAs, hashed }) => {
      const field = target.schema.fields.find((one) => one.name === name)
      return {
        name,
        source: sourceType,
        id: field?.id,
        type: field?.type,
        required: field?.required,
        ...(readAs && { readAs }),
        ...(hashed && { hashed }),
      }
    }),
    estimatedRows: plan.estimatedRows,
    ranges: plan.ranges.length,
    formats: [...options.formats],
    ...(options.where === undefined ? {} : { where: options.where }),
    ...(scope.mode === 'day' ? { from: scope.from, to: scope.to, dayColumn: plan.dayColumn } : {}),
    partitionedBy: target.spec.fields.map(({ name }) => name),
    location: target.table.metadata.location,
    changes: target.changes,
    warnings: target.warnings,
    replacedRows: before.rows,
    replacedFiles: before.files,
  }
}
