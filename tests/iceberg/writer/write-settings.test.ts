import { describe, expect, it } from '@jest/globals'
import type { ExportOptions } from '../../../jobs/export/options.ts'
import {
  codecProperties,
  writeSettings,
  type WriteSettings,
} from '../../../jobs/iceberg/writer/write-settings.ts'

const nothingSaid = { codec: undefined, targetFileBytes: undefined, groupBytes: undefined }
const lines: string[] = []
const settings = (
  properties: Record<string, string>,
  said: Partial<Pick<ExportOptions, 'codec' | 'targetFileBytes' | 'groupBytes'>> = {},
): WriteSettings =>
  writeSettings({ ...nothingSaid, ...said }, properties, (level, line) => {
    lines.push(`${level}: ${line}`)
  })

const foreign = {
  'write.parquet.compression-codec': 'ZSTD',
  'write.parquet.compression-level': '9',
  'write.target-file-size-bytes': '134217728',
  'write.parquet.row-group-size-bytes': '1048576',
  'write.parquet.page-size-bytes': '65536',
  'write.parquet.page-row-limit': '500',
  'write.parquet.dict-size-bytes': '131072',
}
const foreignPages = { pageBytes: 65_536, pageRows: 500, dictionaryBytes: 131_072, pageIndex: true }

describe('how files are written', () => {
  it('says the table where the run does not', () => {
    expect(settings(foreign)).toEqual({
      codec: 'zstd',
      level: 9,
      targetFileBytes: 134_217_728,
      groupBytes: 1_048_576,
      pages: foreignPages,
    })
  })

  it('says the run first; its codec has its own level', () => {
    expect(settings(foreign, { codec: 'gzip', targetFileBytes: 1, groupBytes: 2 })).toEqual({
      codec: 'gzip',
      level: undefined,
      targetFileBytes: 1,
      groupBytes: 2,
      pages: foreignPages,
    })
  })

  it('is the default where neither does, or the table says nothing of sense', () => {
    const defaults = {
      codec: 'snappy',
      level: undefined,
      targetFileBytes: 2 ** 29,
      groupBytes: 16 * 2 ** 20,
      pages: { pageBytes: 2 ** 20, pageRows: 20_000, dictionaryBytes: 2 ** 20, pageIndex: true },
    }
    expect(settings({})).toEqual(defaults)
    const senseless = {
      'write.parquet.compression-level': 'high',
      'write.target-file-size-bytes': '0',
      'write.parquet.row-group-size-bytes': '-1',
      'write.parquet.page-size-bytes': '0',
      'write.parquet.page-row-limit': 'many',
      'write.parquet.dict-size-bytes': '0.5',
    }
    expect(settings(senseless)).toEqual(defaults)
    // Memory is bounded by our row groups, and by the room for a dictionary.
    expect(settings({ 'write.parquet.row-group-size-bytes': '134217728' })).toEqual(defaults)
    expect(settings({ 'write.parquet.dict-size-bytes': '2097152' })).toEqual(defaults)
  })

  it('is one page where the table allows more than a page can say', () => {
    const { pageBytes } = settings({ 'write.parquet.page-size-bytes': '1e12' }).pages
    expect(pageBytes).toBe(2 ** 31 - 1)
  })

  it('knows the codecs by Iceberg’s names, and says which it cannot write', () => {
    expect(settings({ 'write.parquet.compression-codec': 'uncompressed' }).codec).toBe('none')
    expect(codecProperties('none')).toEqual({ 'write.parquet.compression-codec': 'uncompressed' })
    expect(codecProperties()).toEqual({ 'write.parquet.compression-codec': 'snappy' })
    expect(lines).toEqual([])
    expect(settings({ 'write.parquet.compression-codec': 'brotli' }).codec).toBe('snappy')
    expect(lines).toEqual([expect.stringMatching(/^warn: .*brotli is not one of snappy, zstd, gzip, none/)])
  })
})
