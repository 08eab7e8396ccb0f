import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type JsonNumber,
  parseJson,
  parseWithArrays,
  stringifyJson,
} from '../../../jobs/iceberg/json/json.ts'
import { JsonText, parsedLater } from '../../../jobs/iceberg/json/json-text.ts'

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
    for (const [marker, escape] of [
      ['\u0080', '\\u0080'],
      ['\ue000', '\\uE000'],
    ] as const)
      for (const text of [
        `["${marker}1.5",1.5]`,
        `["${escape}1.5",1.5]`,
        `["${escape.toLowerCase()}1.5",1.5]`,
      ]) {
        const parsed = parseJson(text) as [string, JsonNumber]
        expect(parsed[0]).toBe(`${marker}1.5`)
        expect(parsed[1].text).toBe('1.5')
        expect(stringifyJson(parsed)).toBe(`["${marker}1.5",1.5]`)
      }
  })

  it('takes the next marker where a document has some of them', () => {
    const used = String.fromCharCode(...Array.from({ length: 32 }, (_, index) => 0x80 + index))
    const text = `["${used}\ue000","{0",1.5]`
    expect(stringifyJson(parseJson(text))).toBe(text)
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

describe('objects of strings that are parsed later', () => {
  const later = { array: 'a', member: 's' }
  const parse = (text: string): unknown => parseWithArrays(text, 'x.json', later).value
  const itsMember = (text: string): unknown =>
    (parse(`{"a":[{"s":${text}}]}`) as { a: [{ s: unknown }] }).a[0].s

  it('are as they would have been', () => {
    for (const text of [
      '{}',
      '{ }',
      '{"a":"b"}',
      '{ "a" :\t"}{" ,\n"12345678901234567":"1.5" }',
      '{"a":"1","a":"é\u0080"}',
    ]) {
      const found = itsMember(text)
      expect(found).toBeInstanceOf(JsonText)
      expect((found as JsonText).parsed()).toEqual(JSON.parse(text))
    }
  })

  it('are those of the array alone, and of strings without escapes alone', () => {
    for (const text of [
      '{"a":1.5}',
      '{"a":{}}',
      '{"a":"\\u0041"}',
      '{"a":"\\""}',
      '[]',
      '"{}"',
      'null',
      '{"a":["b"]}',
    ])
      expect(itsMember(text)).toEqual(parseJson(text))
    for (const text of [
      '{"b":[{"s":{}}]}',
      '{"a":{"s":{}}}',
      '{"a":[{"t":{}}]}',
      '{"a":[[{"s":{}}]]}',
      '{"s":{}}',
    ])
      expect(parse(text)).toEqual(JSON.parse(text))
  })

  it('are checked at once', () => {
    for (const text of [
      '{',
      '{"a"}',
      '{"a":"b",}',
      '{,}',
      '{"a":"\\x"}',
      '{"a":"b"',
      '{"a":"b""c":"d"}',
      '{"a":"\n"}',
      '{"a":"b"}}',
    ])
      expect(() => itsMember(text)).toThrow('x.json is not valid JSON')
    expect(() => parse('{"a":[{"s"\u00a0:{}}]}')).toThrow('x.json is not valid JSON')
  })

  it('look like any object once they are asked for, and are read-only', () => {
    const object = parsedLater(new JsonText('{"a":"b","c":"d"}'))
    expect(object).toEqual({ a: 'b', c: 'd' })
    expect({ ...object }).toStrictEqual({ a: 'b', c: 'd' })
    expect([object['a'], 'c' in object, 'source' in object]).toEqual(['b', true, false])
    expect([Object.entries(object), JSON.stringify(object)]).toEqual([
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      '{"a":"b","c":"d"}',
    ])
    expect(Object.getPrototypeOf(object)).toBe(Object.getPrototypeOf(JSON.parse('{}')))
    expect(() => Object.assign(object, { a: 'x' })).toThrow(TypeError)
  })

  it('are written again', () => {
    const text = '{"a":[{"n":12345678901234567,"s":{"a":"b"}},{"s":{"c":"d"},"n":1.50}]}'
    expect(stringifyJson(parse(text) as JsonText)).toBe(text)
  })
})
