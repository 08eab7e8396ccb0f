import type { ConfigReport, GroupReport, TableReport } from './report.ts'

/** For people: groups, their tables, and of each the options that somebody said. */
export function reportText({ file, groups }: ConfigReport): string {
  const head = file ?? 'no lakejobs.yaml: flags, environment and .env say it all'
  return [head, ...groups.map(groupText)].join('\n\n') + '\n'
}

function groupText(group: GroupReport): string {
  const { name, schedule, timezone, owner, deadline, pool, maxActiveTasks, tables } = group
  const about = [
    schedule === null ? [] : `${schedule} ${timezone}`,
    owner === null ? [] : `owner ${owner}`,
    deadline === null ? [] : `deadline ${deadline}`,
    pool === null ? [] : `pool ${pool}`,
    maxActiveTasks === null ? [] : `${maxActiveTasks} at a time`,
  ].flat()
  const lines = tables.length === 0 ? ['  no tables'] : tables.flatMap(tableLines)
  return [[`group ${name}`, ...about].join(', '), ...lines].join('\n')
}

function tableLines({ table, target, enabled, line, options }: TableReport): string[] {
  const notes = [enabled ? [] : 'not enabled', line === null ? [] : `line ${line}`].flat()
  const rows = Object.entries(options)
    .filter(([name, { from }]) => from !== 'default' || name === 'format')
    .map(([name, { value, from, line: at }]) => [
      name,
      Array.isArray(value) ? value.join(', ') : String(value),
      at === undefined ? from : `${from}, line ${at}`,
    ])
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)))
  return [
    `  ${table} → ${target}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`,
    ...rows.map(([name = '', value = '', from = '']) =>
      `    ${name.padEnd(widths[0]!)}  ${value.padEnd(widths[1]!)}  ${from}`.trimEnd(),
    ),
  ]
}
