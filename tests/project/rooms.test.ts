import { expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

type Rooms = Readonly<Record<string, readonly string[]>>

const root = join(import.meta.dirname, '../..')
const path = join(root, 'eslint.rooms.js')
const { rooms, innerRooms, libraries, jobFolders } = (await import(path)) as {
  readonly rooms: Rooms
  readonly innerRooms: Readonly<Record<string, Rooms>>
  readonly libraries: Rooms
  readonly jobFolders: readonly string[]
}
const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')

/** The names in a cell, and those that its words stand for. */
const namesIn = (cell: string): readonly string[] => [
  ...[...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  ...(/^a job|every job/.test(cell) ? jobFolders : []),
  ...(cell.includes('every library') ? Object.keys(libraries) : []),
]

/** The table under `head` as the rooms are written: each with what it may import, sorted. */
function tableOf(head: string): Rooms {
  const [, table = ''] = text.split(`| ${head} | may import |\n|---|---|\n`)
  const lines = table.slice(0, table.indexOf('\n\n')).split('\n')
  const rows = lines.flatMap((line) => {
    const [, names = '', allowed = ''] = line.split('|').map((cell) => cell.trim())
    return namesIn(names).map((name) => [name, [...namesIn(allowed)].sort()] as const)
  })
  expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length)
  return Object.fromEntries(rows)
}

const sorted = (all: Rooms): Rooms =>
  Object.fromEntries(Object.entries(all).map(([name, allowed]) => [name, [...allowed].sort()]))

test('the arrows of docs/architecture.md are those that ESLint knows', () => {
  expect(tableOf('room')).toEqual(sorted(rooms))
})

test('so are those within the folders that are split', () => {
  const inner = Object.entries(innerRooms).flatMap(([folder, all]) =>
    Object.entries(all).map(([name, allowed]) => [`${folder}/${name}`, allowed] as const),
  )
  expect(tableOf('inner room')).toEqual(sorted(Object.fromEntries(inner)))
})
