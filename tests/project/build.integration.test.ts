import { expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from '../support/cli.ts'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')

it('building anew leaves every file of dist/ that is the same in place, under jobs that run, and drops the rest', () => {
  build()
  const inodes = (): unknown =>
    readdirSync(dist)
      .filter((file) => /\.(js|map|wasm|txt)$/.test(file))
      .map((file) => [file, statSync(join(dist, file)).ino])
  const before = inodes()
  const stale = join(dist, 'aggregate-00000000.js')
  writeFileSync(stale, '')
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: root })
  expect(existsSync(stale)).toBe(false)
  expect(inodes()).toEqual(before)
}, 120_000)
