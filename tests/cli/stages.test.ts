import { expect, it } from '@jest/globals'
import { createStages } from '../../jobs/cli/stages.ts'

it('adds up the parts of a stage, those that are done at once a single time, and those that fail too', async () => {
  let now = 0
  const { during, seconds } = createStages(() => now)
  const ends: (() => void)[] = []
  const part = (stage: 'read' | 'commit'): Promise<void> =>
    during(stage, () => new Promise((resolve) => ends.push(resolve)))
  const first = part('read')
  now = 500
  const second = part('read')
  now = 1000
  ends[0]!()
  await first
  expect(seconds()).toEqual({ read: 0 })
  now = 3000
  ends[1]!()
  await second
  expect(seconds()).toEqual({ read: 3 })
  now = 10_000
  const third = part('read')
  now = 10_500
  ends[2]!()
  await third
  const failing = during('commit', () => Promise.reject(new Error('no')))
  now = 10_750
  await expect(failing).rejects.toThrow('no')
  expect(seconds()).toEqual({ read: 3.5, commit: 0.25 })
})
