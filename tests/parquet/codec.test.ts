import { describe, expect, it } from '@jest/globals'
import { codecNames, loadCodec } from '../../jobs/parquet/codec.ts'
import { bytes, column, duckdb, parquetFile } from './support.ts'

const texts = Array.from({ length: 3000 }, (_, i) => (i % 7 === 0 ? null : `request ${i} took ${i * i} ms`))
const hasZstd = 'zstdCompressSync' in (await import('node:zlib'))

describe('codecs', () => {
  it.each(codecNames.filter((name) => name !== 'zstd' || hasZstd))('%s is read back', async (name) => {
    const file = parquetFile([column('v', { kind: 'string' })], [[bytes(texts)]], {
      codec: loadCodec(name),
      pageRows: 700,
    })
    expect(await duckdb(file, 'SELECT v FROM $file')).toEqual(texts.map((v) => ({ v })))
    const [metadata] = await duckdb(file, 'SELECT compression FROM parquet_metadata($file)')
    expect(metadata).toEqual({ compression: name === 'none' ? 'UNCOMPRESSED' : name.toUpperCase() })
  })

  it('zstd says what to do where the runtime has none', () => {
    expect(() => loadCodec('zstd', { constants: {} })).toThrow(
      expect.objectContaining({ code: 'usage', field: 'codec', fix: expect.stringContaining('newer Node') }),
    )
  })

  it('zstd compresses at level 3 through the runtime', () => {
    const calls: unknown[] = []
    const codec = loadCodec('zstd', {
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
