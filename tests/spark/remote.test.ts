import { describe, expect, it } from '@jest/globals'
import { parseRemote, remoteName } from '../../jobs/spark/remote.ts'

describe('SPARK_REMOTE', () => {
  it.each([
    ['sc://localhost', { host: 'localhost', port: 15002, secure: false, token: undefined }],
    ['sc://spark:443/', { host: 'spark', port: 443, secure: false }],
    ['sc://h:1/;use_ssl=true', { secure: true, token: undefined }],
    ['sc://h:1/;token=a%3Db%3B', { secure: true, token: 'a=b;' }],
    ['sc://127.0.0.1/;token=t;use_ssl=false', { secure: false, token: 't' }],
    [
      'sc://[::1]:7/;user_id=me;x-cluster=c1',
      { host: '::1', port: 7, userId: 'me', headers: { 'x-cluster': 'c1' } },
    ],
  ])('%s', (text, expected) => {
    expect(parseRemote(text)).toMatchObject(expected)
  })

  it.each([
    ['spark://h:7077', 'not a Spark Connect address'],
    ['sc://', 'not a Spark Connect address'],
    ['sc://h:0', 'there is no port 0'],
    ['sc://h:70000', 'there is no port 70000'],
    ['sc://h/;use_ssl=yes', 'use_ssl is true or false'],
    ['sc://h/;token=%', 'the parameter token is not percent-encoded'],
    ['sc://h/;secret', 'a parameter is not name=value'],
    ['sc://far/;token=secret;use_ssl=false', 'the token would reach far unencrypted'],
  ])('refuses %s', (text, why) => {
    expect(() => parseRemote(text)).toThrow(`SPARK_REMOTE: ${why}`)
    expect(() => parseRemote(text)).not.toThrow('secret')
  })

  it('is named without its parameters', () => {
    expect(remoteName(parseRemote('sc://h:443/;token=secret'))).toBe('sc://h:443')
    expect(remoteName(parseRemote('sc://[::1]'))).toBe('sc://[::1]:15002')
  })
})
