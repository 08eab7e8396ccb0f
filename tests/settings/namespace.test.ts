import { expect, it } from '@jest/globals'
import { mainNamespace, writtenNamespace } from '../../jobs/settings/namespace.ts'

it.each([
  [{}, 'default'],
  [{ ICEBERG_NAMESPACE: 'lake.raw' }, 'lake.raw'],
  [{ ICEBERG_NAMESPACE: "it's ä" }, "it's ä"],
])('tables go to it: %j', (env, namespace) => {
  expect(writtenNamespace(env)).toBe(namespace)
})

it.each(['a/b', 'a..b', '.a', '..', String.raw`a\b`, 'a\nb'])(
  'what cannot be folders of the warehouse is refused where tables are made alone: %j',
  (text) => {
    const env = { ICEBERG_NAMESPACE: text }
    expect(mainNamespace(env)).toBe(text)
    expect(() => writtenNamespace(env)).toThrow(
      expect.objectContaining({ code: 'usage', field: 'ICEBERG_NAMESPACE' }),
    )
  },
)
