import type { BytesVector, FixedVector } from '../../../jobs/vector/vector.ts'

/** Column vectors for tests, from plain values; null is a NULL row. */
function definedOf(values: readonly unknown[]): Uint8Array | undefined {
  return values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
}

export function fixed(width: number, values: readonly (number | bigint | Uint8Array | null)[]): FixedVector {
  const present = values.filter((value) => value !== null)
  const data = Buffer.from(new ArrayBuffer(present.length * width))
  present.forEach((value, i) => {
    if (value instanceof Uint8Array) data.set(value, i * width)
    else {
      let rest = BigInt.asUintN(8 * width, BigInt(value))
      for (let at = 0; at < width; at++, rest >>= 8n) data[i * width + at] = Number(rest & 0xffn)
    }
  })
  return {
    kind: 'fixed',
    width,
    data,
    count: present.length,
    rows: values.length,
    defined: definedOf(values),
  }
}

export function bytes(values: readonly (string | Uint8Array | null)[]): BytesVector {
  const present = values.filter((value) => value !== null).map((value) => Buffer.from(value as string))
  const offsets = new Int32Array(present.length + 1)
  present.forEach((value, i) => (offsets[i + 1] = offsets[i]! + value.length))
  return {
    kind: 'bytes',
    data: Buffer.concat(present),
    offsets,
    count: present.length,
    rows: values.length,
    defined: definedOf(values),
  }
}

export const spreadOut = ({
  ordinals,
  values,
}: {
  readonly ordinals: Int32Array
  readonly values: readonly unknown[]
}): unknown[] => Array.from(ordinals, (ordinal) => values[ordinal])
