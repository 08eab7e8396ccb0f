import type { StorageReport } from '../report-schema.ts'
import { aligned, besideLabel, cut, cutMiddle, labelled, wrapped, type Screen } from './layout.ts'
import { bytesText, countText, numberText } from './words.ts'

type Share = StorageReport['live']

const kindNames: Readonly<Record<string, string>> = {
  data: 'data file',
  deletes: 'delete file',
  manifest: 'manifest',
  'manifest-list': 'manifest list',
  metadata: 'metadata file',
  statistics: 'statistics file',
  'version-hint': 'version hint',
}

const kindsText = ({ kinds }: Share): string =>
  kinds.map(({ kind, files }) => countText(files, kindNames[kind] ?? kind)).join(', ')

/** `--storage`: what the store lists in the table's folders, by who needs it; the lines add up. */
export function storageLines(storage: StorageReport, screen: Screen): string[] {
  const { live, kept, unreferenced, unfinished, elsewhere, folders } = storage
  const width = besideLabel(screen.width)
  const row = (name: string, { files, bytes }: { files: number; bytes: number }, more = ''): string[] => [
    name,
    numberText(files),
    numberText(bytes),
    more,
  ]
  const past = kept.expirable.files === 0 ? '' : `; ${bytesText(kept.expirable.bytes)} of it past its time`
  const { young: fresh, foreign } = unreferenced
  const left = [
    fresh.files === 0 ? [] : `${numberText(fresh.files)} younger than 3 days`,
    foreign.files === 0 ? [] : `${numberText(foreign.files)} with names that no writer of Iceberg gives`,
  ]
  const rows = [
    row('live', live, kindsText(live)),
    row('old snapshots only', kept, `${kindsText(kept)}${past}`),
    row('unreferenced', unreferenced, left.flat().join(', ')),
    row('in the store', storage),
    row('unfinished uploads', unfinished),
    ...(elsewhere.files === 0 ? [] : [row('needed, elsewhere', elsewhere)]),
  ]
  const heading = ['', 'objects', 'bytes', '']
  // What is beside the numbers goes on below itself.
  const [first = ''] = aligned(
    [heading, ...rows].map((cells) => [...cells.slice(0, 3), '|']),
    right,
  )
  const room = width === undefined ? undefined : Math.max(20, width - first.length + 1)
  const lines = rows.flatMap(([name = '', files = '', bytes = '', more = '']) =>
    wrapped(more, room).map((line, index) => (index === 0 ? [name, files, bytes, line] : ['', '', '', line])),
  )
  return labelled('storage', [
    ...folders.map((folder) => cutMiddle(folder, width)),
    ...aligned([heading, ...lines], right).map((line) => cut(line, width)),
  ])
}

const right = [false, true, true]
