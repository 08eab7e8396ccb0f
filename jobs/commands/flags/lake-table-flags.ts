import { usageError } from '../../errors.ts'
import { configOption, type OptionTable, type OptionValues } from '../../options/options.ts'

/** How commands that read the lake are told which of its tables a file means. */
export const lakeTableFlags = {
  config: configOption,
  group: { kind: 'text', describe: 'the tables of this group of lakejobs.yaml' },
} as const satisfies OptionTable

/** Of commands that a file says the tables of, where no flag does. */
export const allTablesFlag = {
  'all-tables': {
    kind: 'flag',
    describe: 'all tables that exports made, also where lakejobs.yaml says which',
  },
} as const satisfies OptionTable

/** What the flags say. */
export type Asked = OptionValues<typeof lakeTableFlags> &
  Partial<OptionValues<typeof allTablesFlag>> & { readonly table: readonly string[] | undefined }

/** Errors: usage, where two flags say which tables. */
export function assertOnce(asked: Asked): void {
  const [first, second] = (['table', 'group', 'all-tables'] as const).filter(
    (name) => asked[name] !== undefined && asked[name] !== false,
  )
  if (second !== undefined)
    throw usageError(`--${first} and --${second} both say which tables`, {
      field: `--${second}`,
      fix: 'give one of them',
    })
}
