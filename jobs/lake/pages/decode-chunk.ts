import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import { kernel } from '../../kernel/kernel.ts'
import type { BytesBuilder, FixedBuilder, NewRows, ValueBuilder } from '../../vector/builder.ts'
import { expect, readPages, type ChunkBytes, type ChunkDictionary, type ChunkPage } from './chunk-pages.ts'
import { fixedValues } from './fixed-values.ts'
import { mostBytes, type PageRoom } from './page-room.ts'

/**
 * Adds a column of one row group to what is gathered of it, in the kernel where its pages are unpacked: no value becomes one of
 * JavaScript's. `mostText`: bytes that its texts may have, which a dictionary can make many of. Errors: as of `readPages`; of the
 * rows some may have been added then.
 */
export function decodeChunk(
  one: ChunkBytes & { readonly type: PrimitiveType },
  builder: ValueBuilder,
  mostText: number,
  room: PageRoom,
): void {
  const column = builder.kind === 'bytes' ? texts(builder, mostText, room) : fixed(one.type, builder, room)
  readPages(one, room, column.dictionary, column.page)
}

interface Column {
  readonly dictionary: (dictionary: ChunkDictionary) => void
  readonly page: (page: ChunkPage) => void
}

const newRows = ({ rows, count, defined }: ChunkPage): NewRows => ({
  rows,
  count,
  defined: defined === 0 ? undefined : kernel().bytes.subarray(defined, defined + rows),
})

function fixed(type: PrimitiveType, builder: FixedBuilder, room: PageRoom): Column {
  const values = fixedValues(type, room)
  return {
    dictionary: values.dictionary,
    page(page) {
      const own = values.page(page)
      builder.add(newRows(page)).set(own)
    },
  }
}

function texts(builder: BytesBuilder, mostText: number, room: PageRoom): Column {
  const { bytes, words, pickTexts, textPlaces, textsSize } = kernel()
  // A page has been unpacked when its texts are put together, and its indices need no more room than the ends do.
  const [target, ends] = [room.packed, room.values]
  let left = mostText
  return {
    dictionary({ entries, from, end }) {
      expect(textPlaces(from, end, entries, room.entries) !== 0, 'a dictionary’s texts')
    },
    page(page) {
      const { count, indices, from, end } = page
      const places = indices === 0 ? room.places : room.entries
      if (indices === 0) expect(textPlaces(from, end, count, places) !== 0, 'a page’s texts')
      const size = textsSize(places, indices, count, left)
      expect(size >= 0, 'how long its texts are')
      left -= size
      const { data, at, offsets, value } = builder.add(newRows(page), size)
      let to = at
      for (let first = 0; first < count;) {
        const next = pickTexts(places, indices, first, count, target, mostBytes, ends, to)
        const placed = words.subarray(ends >> 2, (ends >> 2) + next - first)
        offsets.set(placed, value + first + 1)
        const stop = placed.at(-1)!
        data.set(bytes.subarray(target, target + stop - to), to)
        ;[to, first] = [stop, next]
      }
    },
  }
}
