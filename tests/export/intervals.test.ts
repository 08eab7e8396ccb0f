import { expect, it } from '@jest/globals'
import { fingerprintText, intervalsOf } from '../../jobs/export/intervals.ts'
import type { Fingerprint } from '../../jobs/export/read/fingerprint.ts'

const of = (rows: number): Fingerprint => ({ rows, nulls: [0, rows], sum: [rows, 0, 0, 0xffffffff] })

it('are days where rows are told apart by day, NULL apart, and combined over the other fields', () => {
  const fingerprints = [
    { partition: ['b', 19968], fingerprint: of(2) },
    { partition: ['a', 19967], fingerprint: of(1) },
    { partition: ['a', 19968], fingerprint: of(3) },
    { partition: ['a', null], fingerprint: of(4) },
  ]
  const text = fingerprintText(intervalsOf(fingerprints, 1), [7, 9])
  expect(JSON.parse(text)).toEqual({
    columns: [7, 9],
    intervals: {
      '2024-09-01': { rows: 1, nulls: [0, 1], sum: '000000010000000000000000ffffffff' },
      '2024-09-02': { rows: 5, nulls: [0, 5], sum: '000000050000000000000000fffffffe' },
      null: { rows: 4, nulls: [0, 4], sum: '000000040000000000000000ffffffff' },
    },
  })
  expect([...intervalsOf(fingerprints, undefined).keys()]).toEqual(['all'])
  expect(intervalsOf(fingerprints, undefined).get('all')?.rows).toBe(10)
})
