import { CommitFailedError } from '../errors.ts'
import { refOf, type TableMetadata } from './metadata.ts'

/** What must still hold when a commit is applied (REST catalog specification, `TableRequirement`). */
export type TableRequirement =
  | { readonly type: 'assert-create' }
  | { readonly type: 'assert-table-uuid'; readonly uuid: string }
  | { readonly type: 'assert-ref-snapshot-id'; readonly ref: string; readonly 'snapshot-id': bigint | null }
  | { readonly type: 'assert-current-schema-id'; readonly 'current-schema-id': number }
  | { readonly type: 'assert-default-spec-id'; readonly 'default-spec-id': number }
  | { readonly type: 'assert-last-assigned-field-id'; readonly 'last-assigned-field-id': number }
  | { readonly type: 'assert-last-assigned-partition-id'; readonly 'last-assigned-partition-id': number }
  | { readonly type: 'assert-default-sort-order-id'; readonly 'default-sort-order-id': number }

/** Checks them all; pure. `metadata` is undefined for a table that does not exist. Errors: `CommitFailedError`. */
export function checkRequirements(
  metadata: TableMetadata | undefined,
  requirements: readonly TableRequirement[],
): void {
  for (const requirement of requirements) {
    const [what, expected, found] = compared(metadata, requirement)
    if (expected !== found)
      throw new CommitFailedError(
        `the table changed: ${what} is ${found ?? 'none'}, expected ${expected ?? 'none'}`,
      )
  }
}

type Id = string | number | bigint | undefined
type Compared = readonly [what: string, expected: Id, found: Id]

function compared(metadata: TableMetadata | undefined, requirement: TableRequirement): Compared {
  switch (requirement.type) {
    case 'assert-create':
      return ['its metadata', undefined, metadata?.['table-uuid']]
    case 'assert-table-uuid':
      return ['its uuid', requirement.uuid.toLowerCase(), metadata?.['table-uuid'].toLowerCase()]
    case 'assert-ref-snapshot-id':
      return [
        `the snapshot of ${requirement.ref}`,
        requirement['snapshot-id'] ?? undefined,
        metadata && refOf(metadata, requirement.ref)?.['snapshot-id'],
      ]
    case 'assert-current-schema-id':
      return ['its current schema', requirement['current-schema-id'], metadata?.['current-schema-id']]
    case 'assert-default-spec-id':
      return ['its default partition spec', requirement['default-spec-id'], metadata?.['default-spec-id']]
    case 'assert-last-assigned-field-id':
      return ['its last column id', requirement['last-assigned-field-id'], metadata?.['last-column-id']]
    case 'assert-last-assigned-partition-id':
      return [
        'its last partition id',
        requirement['last-assigned-partition-id'],
        metadata?.['last-partition-id'],
      ]
    case 'assert-default-sort-order-id':
      return [
        'its default sort order',
        requirement['default-sort-order-id'],
        metadata?.['default-sort-order-id'],
      ]
  }
}
