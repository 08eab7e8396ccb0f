/** What a connection is looked up by. */
export interface PassfileKey {
  /** The names that the host goes by. */
  readonly hosts: readonly string[]
  readonly port: number
  readonly database: string
  readonly user: string
}

/**
 * The password of the first line `host:port:database:user:password` that fits, as libpq reads such a file: `*` fits
 * everything, a backslash stands before a colon or a backslash that belongs to a field, `#` begins a comment.
 * Source: PostgreSQL docs, "The Password File".
 */
export function findPassword(text: string, { hosts, port, database, user }: PassfileKey): string | undefined {
  const wanted = [hosts, [String(port)], [database], [user]]
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field = '']) => field)
    const isFitting = wanted.every((names, index) => {
      const field = fields[index]
      return field === '*' || (field !== undefined && names.includes(unescaped(field)))
    })
    const password = fields[4]
    if (isFitting && password !== undefined && password !== '') return unescaped(password)
  }
  return undefined
}

const unescaped = (field: string): string => field.replaceAll(/\\(.)/g, '$1')
