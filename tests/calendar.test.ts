import { describe, expect, it } from '@jest/globals'
import { addDays, dayOf, daysBetween, isDay, rangesOf, windowOf } from '../jobs/calendar.ts'

describe('calendar', () => {
  it.each(['2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31'])('%s is a day', (day) => {
    expect(isDay(day)).toBe(true)
  })

  it.each([
    '2023-02-29',
    '1900-02-29',
    '2024-02-30',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '0000-01-01',
    '2024-2-9',
    '2024-02-29 ',
    '+2024-02-29',
    '',
    '2024-02-29T00',
  ])('"%s" is none', (day) => {
    expect(isDay(day)).toBe(false)
  })

  it('is in UTC', () => {
    expect(dayOf(new Date('2024-09-15T23:59:59.999-00:01'))).toBe('2024-09-16')
  })

  it('counts over months, leap days and changes of the clock', () => {
    expect(addDays('2024-02-28', 2)).toBe('2024-03-01')
    expect(addDays('2024-01-01', -1)).toBe('2023-12-31')
    expect(daysBetween('2024-03-30', '2024-04-01')).toEqual(['2024-03-30', '2024-03-31', '2024-04-01'])
    expect(daysBetween('2024-04-01', '2024-04-01')).toEqual(['2024-04-01'])
    expect(daysBetween('2024-04-02', '2024-04-01')).toEqual([])
    expect(windowOf('2024-03-02', 3)).toEqual(['2024-02-29', '2024-03-01', '2024-03-02'])
  })

  it('puts days together, in whatever order and however often they come', () => {
    const days = ['2024-03-01', '2024-01-02', '2024-02-29', '2024-01-02', '2024-01-04']
    expect(rangesOf(days)).toEqual([
      { from: '2024-01-02', to: '2024-01-02' },
      { from: '2024-01-04', to: '2024-01-04' },
      { from: '2024-02-29', to: '2024-03-01' },
    ])
    expect(rangesOf([])).toEqual([])
  })

  it('ends where its days end', () => {
    expect(daysBetween('9999-12-30', '9999-12-31')).toEqual(['9999-12-30', '9999-12-31'])
    expect(windowOf('0001-01-02', 7)).toEqual(['0001-01-01', '0001-01-02'])
    expect(windowOf('0001-01-02', 3660)).toEqual(['0001-01-01', '0001-01-02'])
  })
})
