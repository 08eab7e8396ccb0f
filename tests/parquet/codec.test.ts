import { describe, expect, it } from '@jest/globals'
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
