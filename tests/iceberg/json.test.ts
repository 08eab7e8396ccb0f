import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type JsonNumber, parseJson, stringifyJson } from '../../jobs/iceberg/json.ts'

describe('JSON without loss', () => {
  it('keeps 63-bit integers exactly', () => {
    const text = '{"current-snapshot-id":8103159149723679872,"snapshots":[-9223372036854775808]}'
    const parsed = parseJson(text) as { 'current-snapshot-id': bigint }
    expect(parsed['current-snapshot-id']).toBe(8103159149723679872n)
    expect(stringifyJson(parsed)).toBe(text)
  })

  it('writes foreign numbers as they came', () => {
    const text = '[1.0,1e400,-0,-0.0,0.1000,12345678901234567890123,1E+2,900719925474099,1234567890123456]'
    expect(stringifyJson(parseJson(text))).toBe(text)
    expect((parseJson('1.50') as JsonNumber).text).toBe('1.50')
  })

  it('leaves numbers inside strings and keys alone', () => {
    const value = { '1.5': '1234567890123456789', 'a"1.0': '\\', 'b\\': '"-0,1.0' }
    expect(parseJson(JSON.stringify(value))).toEqual(value)
  })

  it('is not confused by its own marker', () => {
    for (const text of ['["\ue0001.5",1.5]', '["\\ue0001.5",1.5]', '["\\uE0001.5",1.5]']) {
      const parsed = parseJson(text) as [string, JsonNumber]
      expect(parsed[0]).toBe('\ue0001.5')
      expect(parsed[1].text).toBe('1.5')
      expect(stringifyJson(parsed)).toBe('["\ue0001.5",1.5]')
    }
  })

  it('refuses what is not JSON, also inside long numbers', () => {
    for (const text of ['{', '[01.5]', '[1.]', '[-]', '[1e5-3]', '[12345678901234567-]', '["a]', '[1 2.5]'])
      expect(() => parseJson(text, 'x.metadata.json')).toThrow('x.metadata.json is not valid JSON')
  })

  it('keeps a key named __proto__ an ordinary key', () => {
    const text = '{"__proto__":{"a":1.5},"b":12345678901234567}'
    expect(stringifyJson(parseJson(text))).toBe(text)
  })

  it('round-trips any document byte for byte', () => {
    const number = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => n.toString()),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? '-0' : String(n))),
    )
    const { text } = fc.letrec((tie) => ({
      text: fc.oneof(
        { maxDepth: 4 },
        number,
        fc.string({ unit: 'binary' }).map((s) => JSON.stringify(s)),
        fc.constantFrom('null', 'true', 'false'),
        fc.array(tie('text')).map((items) => `[${items.join(',')}]`),
        fc
          .uniqueArray(fc.tuple(fc.string(), tie('text')), { selector: ([key]) => key })
          .filter((entries) => entries.every(([key]) => !/^\d+$/.test(key)))
          .map((entries) => `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${String(v)}`).join(',')}}`),
      ),
    }))
    fc.assert(
      fc.property(text, (document) => {
        expect(stringifyJson(parseJson(document))).toBe(document)
      }),
    )
  })
})
