import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { access, chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'

const obtain = join(import.meta.dirname, '../../scripts/lib/obtain')
let folder: string
const run = async (script: string, list: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(join(obtain, script), [list], {
    env: {
      ...process.env,
      PATH: `${folder}/bin:${process.env['PATH']}`,
      LAKEJOBS_TEST_CACHE: `${folder}/cache`,
    },
  })
  return stdout.trim()
}
const program = async (name: string, text: string): Promise<void> => {
  await writeFile(join(folder, 'bin', name), `#!/usr/bin/env bash\nset -euo pipefail\n${text}\n`)
  await chmod(join(folder, 'bin', name), 0o755)
}

// What would be fetched: as slow, and as much in need of what it has begun.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakejobs-obtain-'))
  await mkdir(join(folder, 'bin'))
  await program('slow', 'begun=$(dirname "$0")/begun.$$; touch "$begun"; sleep 0.5; rm "$begun"')
  await program(
    'python3',
    `if [ "$1" != -m ]; then PATH=\${PATH#*:} exec python3 "$@"; fi
mkdir -p "$3/bin" && cp "$(dirname "$0")/slow" "$3/bin/python" && cp "$(dirname "$0")/slow" "$3/bin/uv"`,
  )
  await program('java', '')
  await program(
    'mvn',
    'sleep 0.5; for word; do case $word in -DoutputDirectory=*) touch "\${word#*=}/a.jar"; esac; done',
  )
  await writeFile(join(folder, 'list.txt'), 'a:b:1\n')
})
afterAll(() => rm(folder, { recursive: true }))

it.each([
  ['python-venv', 'python'],
  ['spark-jars', 'jars'],
])(
  '%s: two runs at once both have what one of them made, and nothing is left of the other',
  async (script, place) => {
    const list = join(folder, 'list.txt')
    const first = run(script, list)
    await setTimeout(300)
    const made = await Promise.all([first, run(script, list)])
    expect(made[1]).toBe(made[0])
    await access(made[0])
    const names = await readdir(join(folder, 'cache', place))
    expect(names.filter((name) => !name.includes('.'))).toHaveLength(1)
    expect(names.filter((name) => name.includes('.'))).toHaveLength(script === 'python-venv' ? 1 : 0)
    if (script === 'spark-jars') expect(await readdir(made[0])).toEqual(['a.jar'])
    expect(await run(script, list)).toBe(made[0])
  },
)
