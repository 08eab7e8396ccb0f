import avro from 'avsc'

/** What avsc reads from: it goes on behind the end, and says in the end that it did. */
interface Tap {
  readonly buf: Buffer
  pos: number
  readLong(): number
  skipLong(): void
}

interface ReadingType {
  _read(tap: Tap): unknown
}

/**
 * The type of an array that takes no more items than there are bytes left, as each has at least one: of a damaged count avsc would
 * make items until the memory is used up. Reading throws an Error then.
 */
export function boundedArray(schema: avro.Schema, options: unknown): avro.Type {
  const array = new avro.types.ArrayType(schema, options)
  const items = array.itemsType as unknown as ReadingType
  const read = (tap: Tap): unknown[] => {
    const values: unknown[] = []
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      // A negative count has the block's size behind it.
      if (count < 0) tap.skipLong()
      const more = Math.abs(count)
      if (more > tap.buf.length - tap.pos) throw new Error(`an array of ${more} items`)
      for (let item = 0; item < more; item++) values.push(items._read(tap))
    }
    return values
  }
  // avsc freezes its types.
  return Object.create(array, { _read: { value: read } }) as avro.Type
}
