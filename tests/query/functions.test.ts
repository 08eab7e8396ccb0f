import { expect, it } from '@jest/globals'
import { allowedFunctions, allowedTableFunctions } from '../../jobs/query/statement/functions.ts'
import { openSession } from '../../jobs/query/session.ts'

/** What the engine has and no statement may call, and why. A newer engine's functions must be put here or there. */
const refused: readonly (readonly [why: string, names: RegExp])[] = [
  [
    'tells of the session, its settings or its catalog',
    /^(current_(?!date|local)\w+|getvariable|session_user|user|in_search_path|txid_current|version|get_block_size|inet_\w+)$/,
  ],
  [
    'PostgreSQL’s catalog',
    /^(pg_(?!size_pretty|typeof)\w+|has_\w+_privilege|col_description|obj_description|shobj_description|format_pg_type|format_type|map_to_pg_oid)$/,
  ],
  [
    'runs, plans or parses SQL',
    /^(json_(de)?serialize_(sql|plan)|json_execute_serialized_sql|query|query_table|\w*peg_parser|sql_auto_complete)$/,
  ],
  [
    'changes something',
    /^(setseed|write_log|nextval|currval|(force_)?checkpoint|\w*_logging|\w*_profiling|truncate_duckdb_logs|add_parquet_key|enable_\w+|disable_\w+|verify_\w+|copy_database|import_database)$/,
  ],
  ['waits', /^sleep_ms$/],
  ['reads files or buffers', /^(read_\w+|glob|sniff_csv|parquet_\w+|arrow_scan\w*|seq_scan)$/],
  [
    'tells of the engine',
    /^(duckdb_\w+|pragma_\w+|which_secret|test_\w+|icu_calendar_names|database_\w+|metadata_info|storage_info|table_info|extension_versions|platform|user_agent|collations|functions|show\w*|all_profiling_output)$/,
  ],
  [
    'the optimiser’s own',
    /^(__internal_\w+|create_sort_key|can_cast_implicitly|cast_to_type|make_type|replace_type|parse_duckdb_log_message|variant_\w+|vector_type|stats|export_aggregate)$/,
  ],
  ['collations as functions', /^icu_collate_\w+$/],
  ['of no use here', /^(st_\w+|summary|repeat_row|table histogram|histogram_values)$/],
]

it('every function of the engine is allowed or refused for a reason', async () => {
  const { connection, close } = await openSession()
  const reader = await connection.runAndReadAll(
    "SELECT DISTINCT function_name, function_type LIKE '%table%' FROM duckdb_functions() WHERE function_type <> 'pragma'",
  )
  close()
  const open = reader.getRows().flatMap(([name, isTable]) => {
    const known = isTable === true ? allowedTableFunctions : allowedFunctions
    const text = String(name)
    return known.has(text.toLowerCase()) ||
      refused.some(([, names]) => names.test(text) || (isTable === true && names.test(`table ${text}`)))
      ? []
      : [text]
  })
  expect(open.sort()).toEqual([])
})

it('nothing that is refused is allowed', () => {
  const both = [...allowedFunctions, ...allowedTableFunctions].filter((name) =>
    refused.some(([, names]) => names.test(name)),
  )
  expect(both.sort()).toEqual([])
})
