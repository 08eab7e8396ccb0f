import { dayOf } from '../calendar.ts'
import { effectsOf, type JobContext } from '../context.ts'
import type { InitPart } from '../init/init.ts'
import type { CommandSpec } from '../options/options.ts'
import type { Outcome } from '../summary.ts'
import { writtenNamespace } from '../settings/namespace.ts'

export const command = {
  name: 'init',
  describe: 'Make what is missing of what the jobs need; what is there is left as it is.',
  positionals: [],
  options: {},
  examples: [
    ['lakejobs init', 'catalog tables, namespace, buckets and folders of the settings'],
    ['DEMO_DATA=true lakejobs init', 'also the table public.web_logs and the schema shop for demo data'],
    ['S3_CREATE_BUCKET=true lakejobs init', 'also the buckets of WAREHOUSE, PARQUET_LOCATION and CRUD_*'],
  ],
  epilogue: 'It may be run again at any time, and at once with itself. Settings: .env.example',
} as const satisfies CommandSpec

export async function run(_options: object, context: JobContext): Promise<Outcome> {
  const { init } = await import('../init/init.ts')
  return init([demoTablePart(context), catalogPart(context), ...(await placeParts(context))], context)
}

function demoTablePart({ env, now, signal }: JobContext): InitPart {
  const item = 'table public.web_logs'
  return {
    item,
    async make() {
      const { mayMakeDemoData, postgresSettings } = await import('../settings/settings.ts')
      if (!mayMakeDemoData(env)) return [{ item, state: 'left out', note: 'DEMO_DATA is not true' }]
      const { makeDemoTable, makeShop } = await import('../init/make-demo-table.ts')
      const source = postgresSettings(env, 'POSTGRES')
      return [...(await makeDemoTable(source, signal)), ...(await makeShop(source, dayOf(now()), signal))]
    },
  }
}

const catalogPart = (context: JobContext): InitPart => ({
  item: 'catalog',
  async make() {
    const { env } = context
    const { placeSetting, postgresSettings, s3Settings } = await import('../settings/settings.ts')
    const { openFileIO } = await import('../storage/open.ts')
    const { makeCatalog } = await import('../init/make-catalog.ts')
    const s3 = s3Settings(env)
    return makeCatalog(
      {
        settings: postgresSettings(env, 'ICEBERG_POSTGRES'),
        name: env['ICEBERG_CATALOG_NAME'] ?? 'local',
        namespace: writtenNamespace(env).split('.'),
        warehouse: placeSetting(env, 'WAREHOUSE'),
      },
      {
        ...effectsOf(context),
        openIO: (location) => openFileIO(location, s3),
      },
    )
  },
})

/** One part for each bucket and each local folder of the settings. */
async function placeParts({ env }: JobContext): Promise<InitPart[]> {
  const { isUsed, mayMakeDemoData, placeSetting, placeSettings, s3Settings } =
    await import('../settings/settings.ts')
  const { runsPlace } = await import('../settings/runs-place.ts')
  const parts = new Map<string, InitPart>()
  for (const name of placeSettings) {
    if (!isUsed(env, name)) {
      const item = 'folders of CRUD logs'
      const note = 'none of CRUD_INPUT, CRUD_OUTPUT and CRUD_CACHE is set'
      parts.set(item, { item, make: () => Promise.resolve([{ item, state: 'left out', note }]) })
      continue
    }
    add(placeSetting(env, name), name !== 'CRUD_INPUT' || mayMakeDemoData(env))
  }
  add(runsPlace(env), true)
  return [...parts.values()]

  function add(location: string, isWritten: boolean): void {
    const path = location.startsWith('file://') ? location.slice('file://'.length) : undefined
    const key = path ?? location.split('/').slice(0, 3).join('/')
    if (path !== undefined) {
      parts.set(key, {
        item: `folder ${path}`,
        make: async () => [await (await import('../init/make-folder.ts')).makeFolder(path, isWritten)],
      })
    } else if (!parts.has(key)) {
      parts.set(key, {
        item: `bucket ${key.slice('s3://'.length)}`,
        make: async () => [await (await import('../init/make-bucket.ts')).makeBucket(key, s3Settings(env))],
      })
    }
  }
}
