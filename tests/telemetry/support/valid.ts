import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../schemas')
const ajv = new Ajv2020({ strict: false, allErrors: true })
// A CommonJS module, whose function is its `default`.
;(formats as unknown as { default: (to: Ajv2020) => void }).default(ajv)
const named = new Map<string, string>()
for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.json')) continue
  const schema = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { $id: string; $defs: object }
  ajv.addSchema(schema)
  for (const definition of Object.keys(schema.$defs)) named.set(`${schema.$id}#/$defs/${definition}`, name)
}

type Json = Readonly<Record<string, unknown>>

/** A run event that has been held against the published schemas, each of its facets against the one that it names. */
export interface RunEvent {
  readonly eventType: string
  readonly eventTime: string
  readonly run: { readonly runId: string; readonly facets: Json }
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Json }
  readonly inputs: readonly EventDataset[]
  readonly outputs: readonly EventDataset[]
}
interface EventDataset {
  readonly namespace: string
  readonly name: string
  readonly facets: Json
  readonly outputFacets?: Json
}

/** Throws where an event or a facet of it is not as its schema says, or names none that there is. */
export function validEvent(body: string): RunEvent {
  const event = JSON.parse(body) as RunEvent & { readonly schemaURL: string }
  hold(event.schemaURL, event)
  const facets = [
    event.run.facets,
    event.job.facets,
    ...[...event.inputs, ...event.outputs].flatMap((one) => [one.facets, one.outputFacets ?? {}]),
  ]
  for (const group of facets)
    for (const facet of Object.values(group)) hold((facet as { _schemaURL: string })._schemaURL, facet)
  return event
}

function hold(url: string, value: unknown): void {
  if (!named.has(url)) throw new Error(`${url} is no schema that is kept here`)
  const validate = ajv.getSchema(url)
  if (validate === undefined) throw new Error(`${url} is no schema`)
  if (validate(value) !== true) throw new Error(`${url}: ${ajv.errorsText(validate.errors)}`)
}
