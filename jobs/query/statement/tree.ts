/** A node of the tree that the engine's parser makes (`json_serialize_sql`). */
export type Node = Readonly<Record<string, unknown>>

/** The tree of one text. */
export type Parsed =
  | { readonly error: false; readonly statements: readonly { readonly node: Node }[] }
  | {
      readonly error: true
      readonly error_type: string
      readonly error_message: string
      readonly position?: string
    }

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A text of a node; '' where it has none. */
export const textOf = (node: Node, key: string): string => {
  const value = node[key]
  return typeof value === 'string' ? value : ''
}

/** Nodes below a value, one level down. */
export const childrenOf = (value: unknown): readonly Node[] => {
  if (Array.isArray(value)) return value.flatMap((one: unknown) => (isNode(one) ? [one] : childrenOf(one)))
  return isNode(value)
    ? Object.values(value).flatMap((one) => (isNode(one) ? [one] : Array.isArray(one) ? childrenOf(one) : []))
    : []
}
