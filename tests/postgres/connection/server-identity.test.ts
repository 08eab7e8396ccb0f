import { describe, expect, it } from '@jest/globals'
import { isFor, namesOf } from '../../../jobs/postgres/connection/server-identity.ts'

const certificate = (common: string | undefined, subjectaltname?: string) =>
  namesOf({ subject: { CN: common } as never, ...(subjectaltname !== undefined && { subjectaltname }) })

describe('the names of a certificate', () => {
  it('are read one by one, also where one tries to look like two', () => {
    expect(certificate('a', 'DNS:x, IP Address:127.0.0.1, DNS:y')).toEqual({
      dns: ['x', 'y'],
      addresses: ['127.0.0.1'],
      common: 'a',
    })
    expect(certificate('a', 'DNS:"x, DNS:db", email:e, DNS:z').dns).toEqual(['x, DNS:db', 'z'])
    expect(certificate(undefined)).toEqual({ dns: [], addresses: [], common: undefined })
  })
})

describe('a certificate is for a host', () => {
  it.each([
    ['db.lake.io', 'x', 'DNS:db.lake.io', true],
    ['DB.lake.io', 'x', 'DNS:db.LAKE.io', true],
    ['db.lake.io', 'x', 'DNS:*.lake.io', true],
    ['a.db.lake.io', 'x', 'DNS:*.lake.io', false],
    ['lake.io', 'x', 'DNS:*.lake.io', false],
    ['db.internal', 'x', 'DNS:*.internal', true],
    ['db.lake.io', 'x', 'DNS:d*.lake.io', false],
    ['db.lake.io', 'x', 'DNS:*', false],
    // The common name counts only where no other name does.
    ['db.lake.io', 'db.lake.io', undefined, true],
    ['db.lake.io', '*.lake.io', 'email:e@lake.io', true],
    ['db.lake.io', 'db.lake.io', 'DNS:other', false],
    ['db.lake.io', 'db.lake.io', 'IP Address:10.0.0.1', false],
    ['10.0.0.1', 'x', 'IP Address:10.0.0.1', true],
    ['10.0.0.1', 'x', 'DNS:10.0.0.1', true],
    ['10.0.0.1', '10.0.0.1', undefined, true],
    ['::1', 'x', 'IP Address:0:0:0:0:0:0:0:1', true],
    ['10.0.0.2', '10.0.0.2', 'IP Address:10.0.0.1', false],
  ])('%s, common name %s, other names %s: %s', (host, common, others, expected) => {
    expect(isFor(host, certificate(common, others))).toBe(expected)
  })
})
