/**
 * Plans as data (connect.proto): what Spark is to do, as relations of relations. Expressions are Spark SQL; paths never are, so
 * that no name can be taken for a pattern or a statement.
 */
export type Relation =
  | { readonly read: { readonly data_source: DataSource } }
  | { readonly project: { readonly input: Relation; readonly expressions: readonly Expression[] } }
  | { readonly filter: { readonly input: Relation; readonly condition: Expression } }
  | { readonly aggregate: Aggregate }
  | {
      readonly sort: {
        readonly input: Relation
        readonly order: readonly Order[]
        readonly is_global: boolean
      }
    }
  | {
      readonly repartition: {
        readonly input: Relation
        readonly num_partitions: number
        readonly shuffle: boolean
      }
    }
  | {
      readonly collect_metrics: {
        readonly input: Relation
        readonly name: string
        readonly metrics: readonly Expression[]
      }
    }
  | { readonly sql: { readonly query: string } }

export interface Expression {
  readonly expression_string: { readonly expression: string }
}

interface DataSource {
  readonly format: string
  readonly schema: string
  readonly options: Readonly<Record<string, string>>
  readonly paths: readonly string[]
}

interface Aggregate {
  readonly input: Relation
  readonly group_type: 'GROUP_TYPE_GROUPBY'
  readonly grouping_expressions: readonly Expression[]
  readonly aggregate_expressions: readonly Expression[]
}

interface Order {
  readonly child: Expression
  readonly direction: 'SORT_DIRECTION_ASCENDING'
  readonly null_ordering: 'SORT_NULLS_FIRST'
}

/** What is executed: a relation whose rows are of no interest, or one that is written. */
export type Plan =
  { readonly root: Relation } | { readonly command: { readonly write_operation: WriteOperation } }

interface WriteOperation {
  readonly input: Relation
  readonly source: string
  readonly path: string
  readonly mode: 'SAVE_MODE_ERROR_IF_EXISTS' | 'SAVE_MODE_OVERWRITE'
  readonly options: Readonly<Record<string, string>>
}

/** A Spark SQL expression; `AS name` at its end names its column. */
const expr = (expression: string): Expression => ({ expression_string: { expression } })

/** Files by their paths, which are no patterns: to Spark each path is one (Hadoop's `GlobPattern`), so that it is escaped. */
export const readFiles = (
  format: string,
  schema: string,
  paths: readonly string[],
  options: Readonly<Record<string, string>> = {},
): Relation => ({
  read: {
    data_source: {
      format,
      schema,
      paths: paths.map((path) => path.replace(/[{}[\]*?\\]/g, '\\$&')),
      options,
    },
  },
})

export const select = (input: Relation, expressions: readonly string[]): Relation => ({
  project: { input, expressions: expressions.map(expr) },
})

export const where = (input: Relation, condition: string): Relation => ({
  filter: { input, condition: expr(condition) },
})

/** One row for each value of `key`: it, then `sums`. */
export const groupBy = (input: Relation, key: string, sums: readonly string[]): Relation => ({
  aggregate: {
    input,
    group_type: 'GROUP_TYPE_GROUPBY',
    grouping_expressions: [expr(key)],
    aggregate_expressions: sums.map(expr),
  },
})

/** Sorted as a whole, by ranges of `by`, or each partition for itself. */
export const sortBy = (input: Relation, by: string, scope: 'whole' | 'partition'): Relation => ({
  sort: {
    input,
    order: [{ child: expr(by), direction: 'SORT_DIRECTION_ASCENDING', null_ordering: 'SORT_NULLS_FIRST' }],
    is_global: scope === 'whole',
  },
})

export const inOnePartition = (input: Relation): Relation => ({
  repartition: { input, num_partitions: 1, shuffle: true },
})

/** The rows as they are; while they pass, `metrics` (aggregates, each `AS name`) are collected under `name`. */
export const observed = (
  input: Relation,
  name: string,
  metrics: Readonly<Record<string, string>>,
): Relation => ({
  collect_metrics: {
    input,
    name,
    metrics: Object.entries(metrics).map(([metric, sql]) => expr(`${sql} AS ${metric}`)),
  },
})

/** Writes the rows as files below the folder `path`, which is this run's alone; what an earlier attempt left is replaced. */
export const writeFiles = (
  input: Relation,
  source: string,
  path: string,
  options: Readonly<Record<string, string>>,
): Plan => ({
  command: { write_operation: { input, source, path, mode: 'SAVE_MODE_OVERWRITE', options } },
})
