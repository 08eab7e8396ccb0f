import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { JobContext } from '../context.ts'
import type { InitPart } from '../init/init.ts'
import type { CommandSpec } from '../options.ts'
import type { Outcome } from '../summary.ts'

export const command = {
  name: 'init',
  describe: 'Make what is missing of what the jobs need; what is there is left as it is.',
  positionals: [],
  options: {},
  examples: [
    ['lakejobs init', 'catalog tables, namespace, buckets and folders of the settings'],
    ['DEMO_DATA=true lakejobs init', 'also the table public.web_logs for demo data'],
    ['S3_CREATE_BUCKET=true lakejobs init', 'also the buckets of WAREHOUSE, PARQUET_LOCATION and CRUD_*'],
  ],
  epilogue: 'It may be run again at any time, and at once with itself. Settings: .env.example',
} as const satisfies CommandSpec

export async function run(_options: object, context: JobContext): Promise<Outcome> {
  const { init } = await import('../init/init.ts')
  return init([demoTablePart(context), catalogPart(context), ...(await placeParts(context))], context)
}

function demoTablePart({ env, signal }: JobContext): InitPart {
  const item = 'table public.web_logs'
  return {
    item,
    async make() {
      const { mayMakeDemoData, postgresSettings } = await import('./settings.ts')
      if (!mayMakeDemoData(env)) return [{ item, state: 'left out', note: 'DEMO_DATA is not true' }]
      const { makeDemoTable } = await import('../init/make-demo-table.ts')
      return makeDemoTable(postgresSettings(env, 'POSTGRES'), signal)
    },
  }
}

const catalogPart = ({ env, now, signal }: JobContext): InitPart => ({
  item: 'catalog',
  async make() {
    const { placeSetting, postgresSettings, s3Settings } = await import('./settings.ts')
    const { openFileIO } = await import('../storage/open.ts')
    const { makeCatalog } = await import('../init/make-catalog.ts')
    const s3 = s3Settings(env)
    return makeCatalog(
      {
        settings: postgresSettings(env, 'ICEBERG_POSTGRES'),
        name: env['ICEBERG_CATALOG_NAME'] ?? 'local',
        namespace: (env['ICEBERG_NAMESPACE'] ?? 'default').split('.'),
        warehouse: placeSetting(env, 'WAREHOUSE'),
      },
      {
        now,
        uuid: randomUUID,
        sleep: (ms) => setTimeout(ms, undefined, { signal }),
        openIO: (location) => openFileIO(location, s3),
      },
    )
  },
})

/** One part for each bucket and each local folder of the settings. */
async function placeParts({ env }: JobContext): Promise<InitPart[]> {
  const { mayMakeDemoData, placeSetting, placeSettings, s3Settings } = await import('./settings.ts')
  const parts = new Map<string, InitPart>()
  for (const name of placeSettings) {
    const location = placeSetting(env, name)
    const path = location.startsWith('file://') ? location.slice('file://'.length) : undefined
    const key = path ?? location.split('/').slice(0, 3).join('/')
    const isWritten = name !== 'CRUD_INPUT' || mayMakeDemoData(env)
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
  return [...parts.values()]
}
