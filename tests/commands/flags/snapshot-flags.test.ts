import { describe, expect, it } from '@jest/globals'
import { snapshotChoice, snapshotFlags } from '../../../jobs/commands/flags/snapshot-flags.ts'
import { resolveOptions } from '../../../jobs/options/resolve-options.ts'

const choiceOf = (flags: Record<string, string>): unknown =>
  snapshotChoice(resolveOptions(snapshotFlags, flags, {}))

describe('the flags that say which snapshot', () => {
  it('are an id of 63 bits, a time or a name; without one it is main', () => {
    expect(choiceOf({})).toEqual({ kind: 'ref', name: 'main' })
    expect(choiceOf({ snapshot: '9223372036854775807' })).toEqual({ kind: 'id', id: 9223372036854775807n })
    expect(choiceOf({ branch: 'audit' })).toEqual({ kind: 'ref', name: 'audit' })
    expect(choiceOf({ 'as-of': '1970-01-01 00:00:01' })).toEqual({ kind: 'as-of', ms: 1000 })
  })

  it('are refused where they are two, or no id', () => {
    expect(() => choiceOf({ snapshot: '1', branch: 'main' })).toThrow(
      expect.objectContaining({ code: 'usage', message: '--snapshot and --branch both say which snapshot' }),
    )
    for (const snapshot of ['main', '1.5', '0x1', ''])
      expect(() => choiceOf({ snapshot })).toThrow(
        expect.objectContaining({ code: 'usage', field: '--snapshot' }),
      )
  })
})
