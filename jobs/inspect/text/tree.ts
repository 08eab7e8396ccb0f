import type { ObjectReport, ObjectsReport } from '../report-schema.ts'
import { aligned, cut, type Screen } from './layout.ts'
import { besideOneAnother, inColumns, type Line } from './tree-columns.ts'
import { bytesText, countText, numberText, timeText } from './words.ts'

interface Folder {
  readonly folders: Map<string, Folder>
  readonly objects: { readonly name: string; readonly object: ObjectReport }[]
}

/** More in one folder would hide the others; JSON has all. */
const mostShown = 20
const mostSnapshots = 12

/**
 * `--tree`: the objects of the Parquet export and of the Iceberg table, with sizes, the snapshot that needs each and what it is
 * for: side by side where the screen has room, else in one tree where both have a folder in common, else in one tree each.
 */
export function treeLines(
  { snapshots, current, objects }: ObjectsReport,
  table: string,
  { width }: Screen,
): string[] {
  const aliases = new Map(snapshots.map(({ id }, index) => [id, `s${index + 1}`]))
  const parts = [
    objects.filter(({ part }) => part === 'parquet'),
    objects.filter(({ part }) => part === 'iceberg'),
  ]
  const titles = ['the Parquet export', `the Iceberg table ${table}`]
  const roots = parts.map((part) => commonFolder(part.map(({ location }) => location)))
  const whole = commonFolder(objects.map(({ location }) => location))
  const labels = new Map(
    roots.flatMap((root, at) => (root === undefined ? [] : [[root, titles[at]!] as const])),
  )
  const each = parts.map((part, at) =>
    roots[at] === undefined ? [] : drawn(roots[at], part, labels, aliases),
  )
  const shown =
    besideOneAnother(each, titles, width) ??
    inColumns(whole === undefined ? each.flat() : drawn(whole, objects, labels, aliases), width)
  const used = new Set(objects.map(({ snapshot }) => snapshot))
  const legend = snapshots.filter(({ id }) => used.has(id) || id === current)
  const more = legend.length - mostSnapshots
  return [
    ...shown,
    '',
    ...aligned(
      legend
        .slice(-mostSnapshots)
        .map(({ id, at, operation, refs }) => [
          aliases.get(id)!,
          id,
          timeText(at),
          operation,
          refs.length === 0 ? '' : `(${refs.join(', ')})`,
        ]),
    ).map((line) => cut(line, width)),
    ...(more > 0 ? [`${numberText(more)} more snapshots before them: --snapshots`] : []),
  ]
}

const partsOf = (location: string): string[] => location.split('/')

/** The deepest folder that all have in common; undefined where it is not even within a bucket, or of none. */
function commonFolder(locations: readonly string[]): string | undefined {
  const [first, ...others] = locations.map((location) => partsOf(location).slice(0, -1))
  if (first === undefined) return undefined
  let length = first.length
  for (const other of others) {
    let same = 0
    while (same < length && other[same] === first[same]) same++
    length = same
  }
  // `file:`, empty, empty, the first folder; `s3:`, empty, the bucket.
  const least = first[0] === 'file:' ? 4 : 3
  return length < least ? undefined : first.slice(0, length).join('/')
}

function drawn(
  root: string,
  objects: readonly ObjectReport[],
  labels: ReadonlyMap<string, string>,
  aliases: ReadonlyMap<string, string>,
): Line[] {
  const top = newFolder()
  for (const object of objects) {
    const segments = partsOf(object.location.slice(root.length + 1))
    const name = segments.pop()!
    let folder = top
    for (const segment of segments) {
      const next = folder.folders.get(segment) ?? newFolder()
      folder.folders.set(segment, next)
      folder = next
    }
    folder.objects.push({ name, object })
  }
  const title = labels.get(root) ?? ''
  return [
    { branch: '', name: `${root}/`, cells: undefined, purpose: title },
    ...below(top, root, '', labels, aliases),
  ]
}

const newFolder = (): Folder => ({ folders: new Map(), objects: [] })

const kindOrder = [
  'metadata',
  'version-hint',
  'statistics',
  'manifest-list',
  'manifest',
  'data',
  'deletes',
  undefined,
]

function below(
  folder: Folder,
  place: string,
  indent: string,
  labels: ReadonlyMap<string, string>,
  aliases: ReadonlyMap<string, string>,
): Line[] {
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
    a.name < b.name ? -1 : 1
  const folders = [...folder.folders].map(([name, inner]) => ({ name, inner })).sort(byName)
  // Names of lists and manifests say nothing of their order; those of metadata files agree with it.
  const objects = [...folder.objects].sort(
    (a, b) =>
      kindOrder.indexOf(a.object.kind) - kindOrder.indexOf(b.object.kind) ||
      Date.parse(a.object.modified) - Date.parse(b.object.modified) ||
      byName(a, b),
  )
  const items: ((branch: string, deeper: string) => Line[])[] = [
    ...folders.slice(0, mostShown).map(({ name, inner }) => (branch: string, deeper: string) => {
      const [path, last] = chained(`${place}/${name}`, inner, labels)
      const shown = path.slice(place.length + 1)
      return [
        { branch, name: `${shown}/`, cells: undefined, purpose: labels.get(path) ?? '' },
        ...below(last, path, deeper, labels, aliases),
      ]
    }),
    ...rest(
      folders.slice(mostShown).flatMap(({ inner }) => all(inner)),
      folders.length - mostShown,
      'folder',
    ),
    ...objects
      .slice(0, mostShown)
      .map(({ name, object }) => (branch: string) => [objectLine(branch, name, object, aliases)]),
    ...rest(
      objects.slice(mostShown).map(({ object }) => object),
      objects.length - mostShown,
      'object',
    ),
  ]
  return items.flatMap((item, index) =>
    index === items.length - 1
      ? item(`${indent}└── `, `${indent}    `)
      : item(`${indent}├── `, `${indent}│   `),
  )
}

/** A folder that has one folder and nothing else is shown together with it, unless it is a part's own. */
function chained(
  path: string,
  folder: Folder,
  labels: ReadonlyMap<string, string>,
): readonly [string, Folder] {
  const [only] = folder.folders
  if (only === undefined || folder.folders.size > 1 || folder.objects.length > 0 || labels.has(path))
    return [path, folder]
  return chained(`${path}/${only[0]}`, only[1], labels)
}

const all = (folder: Folder): ObjectReport[] => [
  ...folder.objects.map(({ object }) => object),
  ...[...folder.folders.values()].flatMap(all),
]

function rest(
  objects: readonly ObjectReport[],
  count: number,
  thing: string,
): ((branch: string) => Line[])[] {
  if (count <= 0) return []
  const bytes = objects.reduce((total, object) => total + object.bytes, 0)
  const inside = thing === 'folder' ? ` with ${countText(objects.length, 'object')}` : ''
  return [
    (branch) => [
      {
        branch,
        name: `… ${numberText(count)} more ${thing}${count === 1 ? '' : 's'}${inside}`,
        cells: { bytes: numberText(bytes), snapshot: '' },
        purpose: `${bytesText(bytes)}; --json has all`,
      },
    ],
  ]
}

function objectLine(
  branch: string,
  name: string,
  object: ObjectReport,
  aliases: ReadonlyMap<string, string>,
): Line {
  const { bytes, snapshot, state, purpose } = object
  const alias = snapshot === undefined ? undefined : aliases.get(snapshot)
  return {
    branch,
    name,
    cells: {
      bytes: numberText(bytes),
      snapshot: alias ?? (object.part === 'iceberg' && state === 'live' ? 'now' : '-'),
    },
    purpose: state === 'expirable' ? `${purpose}; past its time` : purpose,
  }
}
