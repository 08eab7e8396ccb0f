import { usageError } from '../errors.ts'
import { isFolderName } from '../storage/place.ts'

type Environment = Readonly<Record<string, string>>

/** The namespace of tables that are named without one, and of those of the schema `public`; its levels have dots between them. */
export const mainNamespace = (env: Environment): string => env['ICEBERG_NAMESPACE'] ?? 'default'

/** The same for tables that are made: its levels become folders of the warehouse. Errors: `JobError` usage. */
export function writtenNamespace(env: Environment): string {
  const namespace = mainNamespace(env)
  const bad = namespace.split('.').find((level) => !isFolderName(level))
  if (bad === undefined) return namespace
  throw usageError(`ICEBERG_NAMESPACE: "${bad}" cannot be the name of a folder in the lake`, {
    field: 'ICEBERG_NAMESPACE',
    fix: 'give a name such as default or sales.eu, without / and empty levels',
  })
}
