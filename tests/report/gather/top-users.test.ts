import { expect, test } from '@jest/globals'
import { topUsers } from '../../../jobs/report/gather/top-users.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

const io = memoryFileIO(() => new Date(0))
const location = 'memory://store/2024-09-16.csv'
const header = 'email,create_count,read_count,update_count,delete_count\n'
const stored = (lines: readonly string[]): Promise<unknown> =>
  io.write(location, Buffer.from(header + lines.map((line) => `${line}\n`).join('')))

test('the users with the most events, equal ones in their order, and what all come to', async () => {
  // A sequence that repeats only after 65 536 steps (Park and Miller's form).
  let seed = 7
  const next = (below: number): number => (seed = (seed * 75 + 74) % 65_537) % below
  const users = Array.from({ length: 5000 }, (_, at) => ({
    email: `user${String(at).padStart(5, '0')}@example.com`,
    ...{ create: next(40), read: next(40), update: next(40), delete: next(40) },
  }))
  await stored(users.map((one) => Object.values(one).join(',')))
  const all = (one: (typeof users)[number]): number => one.create + one.read + one.update + one.delete
  const sum = (of: 'create' | 'read' | 'update' | 'delete'): number =>
    users.reduce((total, one) => total + one[of], 0)
  // Array's sort is stable.
  const sorted = [...users].sort((a, b) => all(b) - all(a))
  expect(await topUsers(io, location, 20)).toEqual({
    total: { create: sum('create'), read: sum('read'), update: sum('update'), delete: sum('delete') },
    top: sorted.slice(0, 20),
  })
  expect((await topUsers(io, location, 0))?.top).toEqual([])
})

test('one user, quoted, and nobody', async () => {
  await stored(['"a,""b""@x",1,0,0,2'])
  expect((await topUsers(io, location, 20))?.top).toEqual([
    { email: 'a,"b"@x', create: 1, read: 0, update: 0, delete: 2 },
  ])
  await stored([])
  expect(await topUsers(io, location, 20)).toEqual({
    total: { create: 0, read: 0, update: 0, delete: 0 },
    top: [],
  })
  expect(await topUsers(io, 'memory://store/none.csv', 20)).toBeUndefined()
})
