import { describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { wholeBody } from '../../jobs/storage/whole-body.ts'

const toError = (thrown: unknown): Error => new Error(`broken: ${(thrown as Error).message}`)
const body = (): Readable => Readable.from([Buffer.from('abc'), Buffer.from('de')])

describe('wholeBody', () => {
  it.each([5, undefined])('passes a body of the promised length %s', async (length) => {
    expect(await text(wholeBody(body(), length, toError))).toBe('abcde')
  })

  it.each([4, 6])('fails when %d bytes were promised and 5 came', async (length) => {
    await expect(text(wholeBody(body(), length, toError))).rejects.toThrow(`ended after 5 of ${length} bytes`)
  })

  it('fails when the body breaks', async () => {
    const source = new PassThrough()
    source.write('abc')
    const reading = text(wholeBody(source, 5, toError))
    source.destroy(new Error('reset'))
    await expect(reading).rejects.toThrow('broken: reset')
  })

  it('closes the body of a reader that leaves early', async () => {
    const source = new PassThrough()
    const stream = wholeBody(source, 5, toError)
    stream.destroy()
    await once(stream, 'close')
    expect(source.destroyed).toBe(true)
  })
})
