import { expect, it } from '@jest/globals'
import { isTaken, ownLocation } from '../../../../jobs/iceberg/catalog/stored/own-location.ts'

const own = (usual: string, ...pointers: string[]): string => ownLocation(usual, 'ID', pointers)

it.each([
  ['s3://b/w/t', 's3a://b/w/t/metadata/v.json'],
  ['file:///w/t', 'file:/w/t/metadata/v.json'],
  ['file:///w/t', '/w//t/v.json'],
  ['file:///w/t', 'file://localhost/w/t/x/metadata/v.json'],
  ['s3://b/w/t', 's3://b/w/t'],
])('%s is taken by %s, however it is spelled', (usual, pointer) => {
  expect(own(usual, 's3://other/metadata/v.json', pointer)).toBe(`${usual}-ID`)
})

it.each([
  ['s3://b/w/t', 's3://b/w/t2/metadata/v.json'],
  ['s3://b/w/t', 's3://b/w/T/metadata/v.json'],
  ['s3://b/w/t', 's3://b2/w/t/metadata/v.json'],
  ['s3://b/w/t', 's3://b/w//t/metadata/v.json'],
  // Where its metadata says that it lies is not known.
  ['s3://b/w/t', 's3://b/v.json'],
])('%s is not taken by %s', (usual, pointer) => {
  expect(own(usual, pointer)).toBe(usual)
})

it('a place inside of another table is refused, with a way out', () => {
  expect(() => own('s3://b/w/t', 's3://b/metadata/v.json')).toThrow('inside the folder of another table')
  expect(() => own('s3://b/w/t', 's3://b/w/t/metadata/v.json', 's3n://b/w/metadata/v.json')).toThrow(
    'w/metadata',
  )
})

it.each([
  ['s3://b/w/t/x', true],
  ['s3://b/w', true],
  ['s3://b/w/t2', false],
])('whether %s holds files of a table, or lies among them', (location, expected) => {
  expect(isTaken(location, ['s3a://b/w/t/metadata/v.json'])).toBe(expected)
})
