import { availableParallelism } from 'node:os'
import { addDays, dayOf } from '../calendar.ts'
import type { JobContext, ResultOutput } from '../context.ts'
import { usageError } from '../errors.ts'
import { engineScratch, stallTimeout, type CommandSpec, type OptionValues } from '../options/options.ts'
import type { ReportPlace } from '../report/write.ts'
import type { Outcome } from '../summary.ts'

const options = {
  date: { kind: 'day', describe: 'the last day that it covers (default: yesterday, UTC)' },
  output: {
    kind: 'place',
    env: 'LAKEJOBS_REPORTS',
    describe:
      'FOLDER/ or s3://…/ for YYYY-MM-DD.html and .json, or FILE.html (default: reports beside the warehouse); the environment names a folder',
  },
  json: {
    kind: 'flag',
    describe: 'print the numbers (docs/schemas/report.schema.json); writes where --output says',
  },
  'full-emails': { kind: 'flag', describe: 'show the addresses of users whole; else they are masked' },
  fresh: {
    kind: 'age',
    default: '26h',
    describe: 'how old the last export of a table may be that is exported as a whole',
  },
  'price-per-gb-month': {
    kind: 'text',
    env: 'LAKEJOBS_PRICE_PER_GB_MONTH',
    describe: 'what a GB of the store costs a month, such as 0.023, for what the lake costs',
  },
  'crud-input': {
    kind: 'place',
    env: 'CRUD_INPUT',
    default: './data/crud/input',
    describe: 'folder of the CRUD logs: which days have one',
  },
  'crud-output': {
    kind: 'place',
    env: 'CRUD_OUTPUT',
    default: './data/crud/output',
    describe: 'folder of the weekly counts',
  },
  'crud-cache': {
    kind: 'place',
    env: 'CRUD_CACHE',
    default: './data/crud/cache',
    describe: 'the counts per day',
  },
  rejects: {
    kind: 'place',
    env: 'LAKEJOBS_REJECTS',
    describe: 'folder of the rejected lines (default: <crud-output>/.lakejobs/rejects)',
  },
  'memory-limit': {
    kind: 'size',
    env: 'LAKEJOBS_REPORT_MEMORY',
    default: '256MB',
    describe: 'for the decoding of data files; above, it spills into --scratch',
  },
  scratch: engineScratch,
  'max-download': {
    kind: 'size',
    env: 'LAKEJOBS_MAX_DOWNLOAD',
    default: '10GB',
    describe: 'where more would be brought from an object store, the page does without requests',
  },
  'stall-timeout': stallTimeout,
} as const satisfies CommandSpec['options']

export const command = {
  name: 'report',
  describe: 'Make a page of how fresh and how large the lake is, what needs you, and what the logs tell.',
  prints: 'json',
  positionals: ['date'],
  loneDay: 'date',
  options,
  examples: [
    ['lakejobs report', 'yesterday, into the folder of reports'],
    ['lakejobs report 2024-09-16 --output lake.html', 'one file, to be opened or sent'],
    ['lakejobs report --output s3://lake/reports/', 'YYYY-MM-DD.html and YYYY-MM-DD.json in a bucket'],
    ['lakejobs report --json | jq .verdict', 'the same numbers, for programs'],
  ],
  epilogue:
    'Reads metadata, cached counts, what runs have left and a week of web logs, and changes nothing in the lake. The page needs no network and runs no script.',
} as const satisfies CommandSpec<typeof options>

type Values = OptionValues<typeof options>

export async function run(values: Values, context: JobContext, output: ResultOutput): Promise<Outcome> {
  const { env, now } = context
  const [settings, { openFileIO }, { join }, { makeReport }, { jsonOf, writeReport }, { sourceNames }] =
    await Promise.all([
      import('../settings/settings.ts'),
      import('../storage/open.ts'),
      import('../storage/place.ts'),
      import('../report/report.ts'),
      import('../report/write.ts'),
      import('./flags/lake-tables.ts'),
    ])
  const date = values.date ?? addDays(dayOf(now()), -1)
  const price = priceOf(values['price-per-gb-month'])
  const place = await reportPlace(values, context)
  const s3 = settings.s3Settings(env, values['stall-timeout'])
  const open = (location: string): ReturnType<typeof openFileIO> => openFileIO(location, s3)
  const crudOutput = settings.place(values['crud-output'], '--crud-output')
  const rejects =
    values.rejects === undefined
      ? join(crudOutput, '.lakejobs', 'rejects')
      : settings.place(values.rejects, '--rejects')
  const { runsPlaces } = await import('../settings/runs-place.ts')
  const runs = runsPlaces(env, values['crud-output']).map(async (at) => ({ io: await open(at), place: at }))
  const catalogs = hasCatalog(env) ? await openCatalog(context, values['stall-timeout']) : undefined
  try {
    const report = await makeReport(
      {
        date,
        ageMs: values.fresh,
        fullEmails: values['full-emails'],
        price,
        engine: {
          scratch: settings.scratchFolder(values.scratch),
          memoryLimit: values['memory-limit'],
          threads: Math.min(availableParallelism(), 4),
          maxDownload: values['max-download'],
        },
      },
      {
        catalog: catalogs?.catalog,
        sourceOf: await sourceNames(env['LAKEJOBS_CONFIG'], context),
        crud: {
          input: settings.place(values['crud-input'], '--crud-input'),
          output: crudOutput,
          cache: settings.place(values['crud-cache'], '--crud-cache'),
          rejects,
          open,
        },
        runs: await Promise.all(runs),
      },
      context,
    )
    if (values.json) await output.write(jsonOf(report))
    if (values.json && context.originOf('LAKEJOBS_REPORTS') !== 'flag') return { to: date }
    const outputs = await writeReport(await settings.openStore(place.location, s3), place, report)
    if (!values.json)
      context.logger.info({ verdict: report.verdict.word }, `${report.verdict.text} ${outputs[0]!}`)
    return { to: date, files: outputs.length, outputs }
  } finally {
    await catalogs?.close()
  }
}

/** Whoever only counts logs has no catalog. */
const hasCatalog = (env: JobContext['env']): boolean =>
  Object.keys(env).some((name) => name.startsWith('ICEBERG_POSTGRES_'))

async function openCatalog(context: JobContext, stallTimeoutMs: number) {
  const { openCatalogs } = await import('../settings/catalogs.ts')
  return openCatalogs(context, { iceberg: true, dryRun: true, versionHint: false, stallTimeoutMs })
}

function priceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text)
  throw usageError(`LAKEJOBS_PRICE_PER_GB_MONTH: "${text}" is no price`, {
    field: 'LAKEJOBS_PRICE_PER_GB_MONTH',
    fix: 'give a number such as 0.023',
  })
}

/** A folder ends in a slash; what the environment names is one. */
async function reportPlace({ output }: Values, { env, originOf }: JobContext): Promise<ReportPlace> {
  const { place, reportsPlace } = await import('../settings/settings.ts')
  if (output === undefined) return { kind: 'folder', location: reportsPlace(env) }
  const location = place(output, '--output')
  if (originOf('LAKEJOBS_REPORTS') !== 'flag' || /[/\\]$/.test(output)) return { kind: 'folder', location }
  if (/\.html?$/i.test(output)) return { kind: 'file', location }
  throw usageError(`--output ${output} is neither a folder nor a page`, {
    field: '--output',
    fix: `give ${output}/ for a folder that gets a page a day, or ${output}.html for one file`,
  })
}
