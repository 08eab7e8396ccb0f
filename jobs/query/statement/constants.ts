import { isDay } from '../../calendar.ts'
import type { PrimitiveType, Value } from '../../iceberg/schema/types.ts'
import { isNode, textOf, type Node } from './tree.ts'

const microsPerDay = 86_400_000_000n

/** The microseconds at which a day (since 1970) and the one behind it begin. */
export const dayRange = (day: number): { readonly start: bigint; readonly next: bigint } => ({
  start: BigInt(day) * microsPerDay,
  next: BigInt(day + 1) * microsPerDay,
})

/**
 * The value of a constant where it is compared with a column of a type, as the engine would compare them; undefined where
 * that is not sure: another kind of value, one that is rounded, NULL, an expression.
 */
export function constantOf(node: Node, type: PrimitiveType): Value | undefined {
  const constant = readConstant(node)
  if (constant === undefined) return undefined
  const { kind, value } = constant
  switch (type.kind) {
    case 'int':
    case 'long':
      return kind === 'integer' ? value : textInteger(constant)
    case 'double':
      return kind === 'integer' || kind === 'double' ? Number(value) : decimalNumber(constant)
    case 'decimal':
      return unscaled(constant, type.scale)
    case 'string':
      return kind === 'text' ? value : undefined
    case 'date':
      return kind === 'text' || kind === 'date' ? dayNumber(value) : undefined
    case 'timestamp':
    case 'timestamptz': {
      if (kind === 'date') {
        const day = dayNumber(value)
        return day === undefined ? undefined : dayRange(day).start
      }
      // With a zone the engine would leave it out for a timestamp without, by rules of its own.
      const isExpected = kind === 'text' || kind === 'timestamp'
      return isExpected ? micros(value, type.kind === 'timestamptz') : undefined
    }
    default:
      return undefined
  }
}

type Constant =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'decimal'; readonly value: bigint; readonly scale: number }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'text' | 'date' | 'timestamp'; readonly value: string }

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']
const casts: Readonly<Record<string, 'date' | 'timestamp'>> = {
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
}

function readConstant(node: Node): Constant | undefined {
  if (textOf(node, 'class') === 'CAST') {
    const { child, cast_type: type } = node
    const inner = isNode(child) ? readConstant(child) : undefined
    const kind = isNode(type) ? casts[textOf(type, 'id')] : undefined
    return kind !== undefined && inner?.kind === 'text' ? { kind, value: inner.value } : undefined
  }
  if (textOf(node, 'class') !== 'CONSTANT' || !isNode(node['value'])) return undefined
  const { type, is_null: isNull, value } = node['value']
  if (isNull === true || !isNode(type)) return undefined
  const id = textOf(type, 'id')
  if (id === 'VARCHAR') return typeof value === 'string' ? { kind: 'text', value } : undefined
  if (typeof value !== 'number') return undefined
  if (id === 'DOUBLE') return { kind: 'double', value }
  // What JSON.parse may have rounded is not taken.
  if (!Number.isSafeInteger(value)) return undefined
  if (integers.includes(id)) return { kind: 'integer', value: BigInt(value) }
  const info = type['type_info']
  if (id !== 'DECIMAL' || !isNode(info)) return undefined
  return { kind: 'decimal', value: BigInt(value), scale: Number(info['scale']) }
}

/** The engine casts a text to the column's type. */
const textInteger = ({ kind, value }: Constant): bigint | undefined =>
  kind === 'text' && /^-?\d{1,18}$/.test(value) ? BigInt(value) : undefined

const decimalNumber = (constant: Constant): number | undefined =>
  constant.kind === 'decimal' ? Number(constant.value) / 10 ** constant.scale : undefined

/** As many digits behind the point as the column has; undefined where some would be lost. */
function unscaled(constant: Constant, scale: number): bigint | undefined {
  if (constant.kind !== 'integer' && constant.kind !== 'decimal') return undefined
  const own = constant.kind === 'decimal' ? constant.scale : 0
  if (own <= scale) return constant.value * 10n ** BigInt(scale - own)
  const divisor = 10n ** BigInt(own - scale)
  return constant.value % divisor === 0n ? constant.value / divisor : undefined
}

const dayNumber = (text: unknown): number | undefined =>
  typeof text === 'string' && isDay(text) ? Date.parse(`${text}T00:00:00Z`) / 86_400_000 : undefined

const timestampText =
  /^(\d{4}-\d{2}-\d{2})(?:[ T]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?(Z|\+00(?::00)?)?)?$/

function micros(text: unknown, mayHaveZone: boolean): bigint | undefined {
  const found = typeof text === 'string' ? timestampText.exec(text) : null
  const day = found === null ? undefined : dayNumber(found[1])
  if (found === null || day === undefined || (found[6] !== undefined && !mayHaveZone)) return undefined
  const [hours = 0, minutes = 0, seconds = 0] = found.slice(2, 5).map((part?: string) => Number(part ?? 0))
  const fraction = BigInt((found[5] ?? '').padEnd(6, '0'))
  return BigInt(day) * microsPerDay + BigInt(hours * 3600 + minutes * 60 + seconds) * 1_000_000n + fraction
}
