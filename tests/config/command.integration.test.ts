import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, type Ran } from '../support/cli.ts'

beforeAll(build, 120_000)
let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-config-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const config = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run(['config', ...args], { cwd, env })
const write = (text: string, name = 'lakejobs.yaml'): Promise<void> => writeFile(join(cwd, name), text)

const file = `version: 1
defaults: { codec: zstd, max-shrink: 10% }
groups: { hourly: { schedule: "5 * * * *", lookback: 1 } }
tables:
  public.web_logs: { mode: day, partition-by: ["day(timestamp)"] }
  shop.orders: { group: hourly, lookback: 3, decimal: { amount: "38,9" } }
  shop.sessions: { enabled: false }
`

describe('lakejobs config', () => {
  it('shows what is effective, and who said so', async () => {
    await write(file)
    await write('LAKEJOBS_MAX_SHRINK=20%\n', '.env')
    const { exit, stdout } = await config([], { LAKEJOBS_CONNECTIONS: '3' })
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: `lakejobs.yaml

group daily
  public.web_logs → default.web_logs (line 5)
    mode          day             table, line 5
    format        iceberg         default
    partition-by  day(timestamp)  table, line 5
    max-shrink    20%             .env
    codec         zstd            defaults, line 2
    connections   3               environment
  shop.sessions → shop.sessions (not enabled, line 7)
    format       iceberg  default
    max-shrink   20%      .env
    codec        zstd     defaults, line 2
    connections  3        environment

group hourly, 5 * * * * UTC
  shop.orders → shop.orders (line 6)
    lookback     3            table, line 6
    format       iceberg      default
    decimal      amount=38,9  table, line 6
    max-shrink   20%          .env
    codec        zstd         defaults, line 2
    connections  3            environment
`,
    })
  })

  it('--group --json is one line for programs, without tables that are not enabled', async () => {
    await write(file, 'other.yaml')
    const { exit, stdout } = await config(['--group', 'daily', '--json'], { LAKEJOBS_CONFIG: 'other.yaml' })
    expect(exit).toBe(0)
    expect(stdout.match(/\n/g)).toHaveLength(1)
    expect(JSON.parse(stdout)).toMatchObject({
      file: 'other.yaml',
      groups: [
        {
          name: 'daily',
          tables: [
            {
              table: 'public.web_logs',
              target: 'default.web_logs',
              options: { mode: { value: 'day', from: 'table', line: 5 }, codec: { from: 'defaults' } },
            },
          ],
        },
      ],
    })
    expect((JSON.parse(stdout) as { groups: { tables: unknown[] }[] }).groups[0]?.tables).toHaveLength(1)
    const wrong = await config(['--group', 'dayly', '--config', 'other.yaml'])
    expect(wrong).toMatchObject({ exit: 2, stdout: '' })
    expect(wrong.stderr).toContain('did you mean daily?')
  })

  it('without a file it shows what LAKEJOBS_TABLE names; with one that is exit 2 naming both', async () => {
    const without = await config([], { LAKEJOBS_TABLE: 'shop.orders' })
    expect(without.exit).toBe(0)
    expect(without.stdout).toContain('  shop.orders → shop.orders\n    format  parquet,iceberg  default\n')
    const named = { LAKEJOBS_TABLE: 'shop.orders=team.orders,public."a, b"' }
    for (const args of [[], ['--group', 'daily']]) {
      const { stdout } = await config(args, named)
      expect(stdout).toContain('  shop.orders → team.orders\n')
      expect(stdout).toContain('  public."a, b" → default.a, b\n')
    }
    await write(file)
    const both = await config([], { LAKEJOBS_TABLE: 'shop.orders' })
    expect(both).toMatchObject({ exit: 2, stdout: '' })
    expect(both.stderr).toContain('LAKEJOBS_TABLE is set, and lakejobs.yaml says which tables are exported')
  })

  it('says where a file is no UTF-8: a condition of other letters would be true of no row', async () => {
    const text = 'version: 1\ntables:\n  shop.orders: { where: "city = \'Zürich\'" }\n'
    await writeFile(join(cwd, 'lakejobs.yaml'), Buffer.from(text, 'latin1'))
    const { exit, stderr } = await config()
    expect(exit).toBe(2)
    expect(stderr).toContain('lakejobs.yaml cannot be read: line 3 is not UTF-8: save lakejobs.yaml as UTF-8')
    await write(text)
    expect((await config()).stdout).toContain("city = 'Zürich'")
  })

  it('says which file is not there', async () => {
    const { exit, stderr } = await config(['--config', 'nope.yaml'])
    expect(exit).toBe(2)
    expect(stderr).toContain('there is no file nope.yaml: correct --config or LAKEJOBS_CONFIG')
  })
})
