import { expect, it } from '@jest/globals'
import { intervalsIn, intervalsOf, rowsIn } from '../../jobs/provenance/intervals.ts'
import { byName } from './by-name.ts'
import type { Fingerprint } from '../../jobs/provenance/fingerprint.ts'

const of = (rows: number): Fingerprint => ({ rows, nulls: [0, rows], sum: [rows, 0, 0, 0xffffffff] })
const fingerprints = [
  { partition: ['b', 19968], fingerprint: of(2) },
  { partition: ['a', 19967], fingerprint: of(1) },
  { partition: ['a', 19968], fingerprint: of(3) },
  { partition: ['a', null], fingerprint: of(4) },
]

it('are days where rows are told apart by day, NULL apart, and combined over the other fields', () => {
  expect(intervalsOf(fingerprints, 1)).toEqual(
    byName({
      '2024-09-01': of(1),
      '2024-09-02': { rows: 5, nulls: [0, 5], sum: [5, 0, 0, 0xfffffffe] },
      null: of(4),
    }),
  )
  expect(intervalsOf(fingerprints, undefined)).toEqual(
    byName({ all: { rows: 10, nulls: [0, 10], sum: [10, 0, 0, 0xfffffffc] } }),
  )
})

it('of some days are those days alone', () => {
  const all = intervalsOf(fingerprints, 1)
  const ranges = [
    { from: '2024-08-01', to: '2024-08-31' },
    { from: '2024-09-02', to: '2024-09-02' },
  ]
  expect(intervalsIn(all, ranges).map(({ interval }) => interval)).toEqual([
    { kind: 'day', day: '2024-09-02' },
  ])
  expect([rowsIn(all), rowsIn(intervalsIn(all, ranges)), rowsIn(intervalsIn(all, []))]).toEqual([10, 5, 0])
})
