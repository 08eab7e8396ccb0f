import { expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const words = '(drop|forget|register|retain|rollback|tag)'

it('no DAG drops, forgets, registers, retains, rolls back or tags a table', () => {
  const folder = join(import.meta.dirname, '../../dags')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.py'),
  )
  expect(files).not.toEqual([])
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8')
    // Pages of DAGs may tell what people do by hand.
    expect([name, new RegExp(`["']${words}["']`).exec(text)?.[0]]).toEqual([name, undefined])
  }
})
