import { describe, expect, it } from '@jest/globals'
import { parsePathMap } from '../../../jobs/aggregate/spark/path-map.ts'

describe('SPARK_PATH_MAP', () => {
  it('leaves paths as they are where it says nothing; object stores are s3a', () => {
    const toSpark = parsePathMap(undefined)
    expect(toSpark('file:///data/a b%20/x.csv')).toBe('file:///data/a b%20/x.csv')
    expect(toSpark('s3://logs/2024/x.csv')).toBe('s3a://logs/2024/x.csv')
  })

  it('takes the longest folder that holds the path, as a whole name', () => {
    const toSpark = parsePathMap('/data=/mnt, /data/crud/=s3a://lake/crud/')
    expect(toSpark('file:///data/x.csv')).toBe('file:///mnt/x.csv')
    expect(toSpark('file:///data')).toBe('file:///mnt')
    expect(toSpark('file:///data/crud/in/x.csv')).toBe('s3a://lake/crud/in/x.csv')
    expect(toSpark('file:///database/x.csv')).toBe('file:///database/x.csv')
    expect(parsePathMap('/=/host')('file:///x.csv')).toBe('file:///host/x.csv')
  })

  it.each(['data=/mnt', '/data', '/data=mnt', '=/mnt'])('refuses %s', (text) => {
    expect(() => parsePathMap(text)).toThrow(`SPARK_PATH_MAP: "${text}" is not /here=/there`)
  })
})
