import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compressSync } from 'snappy'
import { kernel } from '../../jobs/kernel/kernel.ts'
import { codecNames, loadCodec, type Codec } from '../../jobs/parquet/codec.ts'
import { bytes, column, duckdb, parquetFile } from './support.ts'

const texts = Array.from({ length: 3000 }, (_, i) => (i % 7 === 0 ? null : `request ${i} took ${i * i} ms`))
const withoutZstd = { constants: {} }

async function readBack(codec: Codec): Promise<void> {
  const limits = { codec, pageRows: 700 }
  const file = parquetFile([column('v', { kind: 'string' })], [[bytes(texts)]], limits)
  expect(await duckdb(file, 'SELECT v FROM $file')).toEqual(texts.map((v) => ({ v })))
  const [metadata] = await duckdb(file, 'SELECT compression FROM parquet_metadata($file)')
  expect(metadata).toEqual({ compression: codec.name === 'none' ? 'UNCOMPRESSED' : codec.name.toUpperCase() })
}

describe('codecs', () => {
  it.each(codecNames)('%s is read back', async (name) => {
    await readBack(await loadCodec(name))
  })

  it('zstd of a runtime without it is read back', async () => {
    await readBack(await loadCodec('zstd', undefined, withoutZstd))
  })

  it('zstd of a runtime without it takes a page of 40 MB', async () => {
    const codec = await loadCodec('zstd', undefined, withoutZstd)
    const text = 'a lake of '.repeat(4 << 20)
    const file = parquetFile([column('v', { kind: 'string' })], [[bytes([text])]], { codec })
    expect(
      await duckdb(file, "SELECT length(v) AS length, v = repeat('a lake of ', 4194304) AS same FROM $file"),
    ).toEqual([{ length: BigInt(text.length), same: true }])
  })

  it.each(['gzip', 'zstd'] as const)('%s packs tighter at a higher level', async (name) => {
    const text = Buffer.from(texts.join('\n'))
    const sizes = [1, 99].map(async (level) => (await loadCodec(name, level)).compress(text).length)
    const [low, high] = await Promise.all(sizes)
    expect(high).toBeLessThan(low!)
    await readBack(await loadCodec(name, 99))
  })

  it('snappy makes the same bytes of a page in the kernel as the package does', async () => {
    const { compress } = await loadCodec('snappy')
    const { arena, bytes: memory } = kernel()
    const page = fc.record({
      size: fc.oneof(
        fc.integer({ min: 0, max: 80 }),
        fc.integer({ min: 0, max: 5000 }),
        // Fragments of 64 KiB end inside of it.
        fc.integer({ min: 65_500, max: 140_000 }),
      ),
      letters: fc.constantFrom(1, 2, 5, 256),
      /** How far back a byte is repeated from, and how seldom one is not. */
      reach: fc.constantFrom(1, 7, 2050, 70_000),
      fresh: fc.constantFrom(1, 2, 30, 3000),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(page, ({ size, letters, reach, fresh, seed }) => {
        const random = (most: number): number =>
          Math.floor(((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32) * most)
        const plain = new Uint8Array(size)
        let back = 1
        for (let i = 0; i < size; i++) {
          if (random(fresh) > 0 && i >= back) plain[i] = plain[i - back]!
          else {
            plain[i] = random(letters)
            back = 1 + random(reach)
          }
        }
        arena.scope((take) => {
          const at = take(size + 16)
          memory.set(plain, at)
          const packed = compress(memory.subarray(at, at + size))
          expect(packed.buffer === memory.buffer).toBe(true)
          expect(Buffer.compare(packed, compressSync(plain))).toBe(0)
        })
      }),
      { numRuns: 300 },
    )
  })

  it('snappy leaves a page in the kernel that is larger than its room there to the package', async () => {
    const { compress } = await loadCodec('snappy')
    const { arena, bytes: memory } = kernel()
    const plain = Uint8Array.from({ length: (5 << 18) + 1 }, (_, i) => Math.imul(i, 2654435761) >>> 24)
    arena.scope((take) => {
      const at = take(plain.length + 16)
      memory.set(plain, at)
      const packed = compress(memory.subarray(at, at + plain.length))
      expect(packed.buffer === memory.buffer).toBe(false)
      expect(Buffer.compare(packed, compressSync(plain))).toBe(0)
    })
  })

  it('zstd compresses at level 3 through the runtime', async () => {
    const calls: unknown[] = []
    const codec = await loadCodec('zstd', undefined, {
      constants: { ZSTD_c_compressionLevel: 100 },
      zstdCompressSync: (input, options) => {
        calls.push(options)
        return input
      },
    })
    expect(codec.compress(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
    expect(calls).toEqual([{ params: { 100: 3 } }])
  })
})
