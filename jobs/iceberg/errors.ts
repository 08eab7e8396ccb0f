import { JobError } from '../errors.ts'

/** The catalog has no such table. */
export class NoSuchTableError extends JobError {
  constructor(table: string) {
    super('data', `no such table in the catalog: ${table}`, {
      field: table,
      fix: 'check the name, the namespace and the catalog’s name (ICEBERG_CATALOG_NAME)',
    })
  }
}

/** The catalog knows the table, but its metadata file is not where the catalog says. */
export class MetadataMissingError extends JobError {
  constructor({
    table,
    location,
    writtenIn,
    warehouse,
    cause,
  }: {
    readonly table: string
    readonly location: string
    /** The warehouse that it was made in, if it can be told. */
    readonly writtenIn: string | undefined
    /** The warehouse now. */
    readonly warehouse: string
    readonly cause: unknown
  }) {
    const written = writtenIn === undefined ? '' : `, written when WAREHOUSE was ${writtenIn}`
    const isMoved = writtenIn !== undefined && writtenIn !== warehouse
    super(
      'data',
      `the catalog says that ${table} is at ${location}${written}, and nothing is there${isMoved ? `; now WAREHOUSE is ${warehouse}` : ''}`,
      {
        field: 'WAREHOUSE',
        fix:
          `${isMoved ? `set WAREHOUSE back to ${writtenIn}` : 'restore the files of that store'}, with the settings of its store ` +
          '(S3_ENDPOINT and its key); or take another catalog (ICEBERG_CATALOG_NAME) or another name (--table source=namespace.name) for a new table',
        cause,
      },
    )
  }
}

/** The name is a view's: there is no table to load, and none can be made. */
export class NameIsViewError extends JobError {
  constructor(table: string) {
    super('usage', `${table} is a view in the catalog`, {
      field: table,
      fix: 'give the table another name, for example --table source=namespace.name',
    })
  }
}

/** A table or view of that name exists. */
export class TableAlreadyExistsError extends JobError {
  constructor(table: string) {
    super('conflict', `a table or view called ${table} exists already`, {
      field: table,
      fix: 'choose another name',
    })
  }
}

/** The catalog has no such namespace. */
export class NoSuchNamespaceError extends JobError {
  constructor(namespace: string) {
    super('data', `no such namespace in the catalog: ${namespace}`, {
      field: namespace,
      fix: 'create it first (lakejobs init does)',
    })
  }
}

export class NamespaceAlreadyExistsError extends JobError {
  constructor(namespace: string) {
    super('conflict', `namespace ${namespace} exists already`, { field: namespace })
  }
}

/** Somebody else committed first: refresh and try again. Nothing of this commit is visible. */
export class CommitFailedError extends JobError {
  constructor(message: string, cause?: unknown) {
    super('conflict', message, { fix: 'run the job again', cause })
  }
}

/** What others committed since makes this commit wrong: trying again would not help. */
export class ValidationError extends JobError {
  constructor(table: string, message: string) {
    super('conflict', message, {
      field: table,
      fix: 'run the job again: it reads the source and the table anew',
    })
  }
}

/** The commit may have been applied or may be yet: no file of it may be deleted. */
export class CommitStateUnknownError extends JobError {
  constructor(table: string, base: string, attempted: string, cause: unknown) {
    super(
      'unknownCommit',
      `the commit to table ${table} got no answer: it points to ${base} or, if the commit arrived, to ${attempted}; no file was deleted`,
      { field: table, fix: 'when the catalog can be reached, run the job again: it is idempotent', cause },
    )
  }
}
