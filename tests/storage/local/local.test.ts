import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localFileIO } from '../../../jobs/storage/local/local.ts'
import { makeFolders } from '../../../jobs/storage/local/make-folders.ts'
import { isTemporary, removeAbandoned, temporaryName } from '../../../jobs/storage/local/temporary.ts'
import { transpiled } from '../../support/transpiled.ts'
import { fileIOConformance } from '../conformance.ts'
import { listed } from '../listed.ts'

const temporaries = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.tmp'))

fileIOConformance(
  'local',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lakejobs-local-'))
    return {
      io: localFileIO(),
      root: `file://${folder}`,
      leftovers: () => temporaries(folder),
      stop: () => rm(folder, { recursive: true }),
    }
  },
  { decidesReplacement: false },
)

describe('localFileIO', () => {
  const io = localFileIO()
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakejobs-local-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('hides its temporary files and shows every other dot file', async () => {
    const file = await io.create(`file://${folder}/x`)
    await io.write(`file://${folder}/.lakejobs/2024-09-24.json`, Buffer.from('{}'))
    expect(await temporaries(folder)).toHaveLength(1)
    expect((await listed(io, `file://${folder}`)).map(({ location }) => location)).toEqual([
      `file://${folder}/.lakejobs/2024-09-24.json`,
    ])
    await file.abort()
  })

  it('follows links to files and survives broken and looping ones', async () => {
    await writeFile(join(folder, 'real'), 'x')
    await symlink(join(folder, 'real'), join(folder, 'link'))
    await symlink(join(folder, 'gone'), join(folder, 'broken'))
    await symlink(folder, join(folder, 'loop'))
    expect((await listed(io, `file://${folder}`)).map(({ size }) => size)).toEqual([1, 1])
  })

  it('has a change time that a reset mtime does not hide', async () => {
    const before = await io.write(`file://${folder}/x`, Buffer.from('aaaa'))
    execFileSync('touch', ['-r', join(folder, 'x'), join(folder, 'reference')])
    await writeFile(join(folder, 'x'), 'bbbb')
    execFileSync('touch', ['-r', join(folder, 'reference'), join(folder, 'x')])
    const after = await io.stat(`file://${folder}/x`)
    expect(after?.identity).not.toBe(before.identity)
    expect(after?.changedMs).toBe(Number((await stat(join(folder, 'x'), { bigint: true })).ctimeMs))
  })

  it('respects the umask', async () => {
    const old = process.umask(0o027)
    try {
      await io.write(`file://${folder}/made/x`, Buffer.from('x'))
    } finally {
      process.umask(old)
    }
    expect((await stat(join(folder, 'made/x'))).mode & 0o777).toBe(0o640)
    expect((await stat(join(folder, 'made'))).mode & 0o777).toBe(0o750)
  })

  describe('takes a finished file', () => {
    // Linux has a second file system there.
    const shared = '/dev/shm'
    const fromShared = existsSync(shared) ? it : it.skip

    it('as it is, into folders that it makes', async () => {
      await writeFile(join(folder, 'made elsewhere'), 'x')
      const { ino } = await stat(join(folder, 'made elsewhere'))
      expect(await io.adopt?.(join(folder, 'made elsewhere'), `file://${folder}/a/b/x y`)).toBe(true)
      expect((await stat(join(folder, 'a/b/x y'))).ino).toBe(ino)
      expect(await readdir(folder)).toEqual(['a'])
    })

    fromShared('from its own disk alone', async () => {
      const other = await mkdtemp(join(shared, 'lakejobs-local-'))
      try {
        await writeFile(join(other, 'x'), 'x')
        expect(await io.adopt?.(join(other, 'x'), `file://${folder}/y`)).toBe(false)
        expect([await readdir(other), await readdir(folder)]).toEqual([['x'], []])
      } finally {
        await rm(other, { recursive: true })
      }
    })

    it('or says which one could not be written', async () => {
      await writeFile(join(folder, 'x'), 'x')
      await writeFile(join(folder, 'file'), '')
      await expect(io.adopt?.(join(folder, 'x'), `file://${folder}/file/y`)).rejects.toMatchObject({
        name: 'JobError',
        field: `${folder}/file/y`,
      })
      expect((await readdir(folder)).sort()).toEqual(['file', 'x'])
    })
  })

  it('gives the path to engines', () => {
    expect(io.localPath('file:///a b/100%.csv')).toBe('/a b/100%.csv')
  })

  it.each(['x/below', 'x/below/deeper'])(
    'names the path and the fix when %s is below a file',
    async (key) => {
      await writeFile(join(folder, 'x'), 'a file')
      await expect(io.write(`file://${folder}/${key}`, Buffer.from('x'))).rejects.toMatchObject({
        code: 'failed',
        field: `${folder}/${key}`,
        message: expect.stringMatching(/^cannot write .*: a part of the path is a file, not a folder/),
        fix: expect.stringContaining(folder),
      })
      expect(await readFile(join(folder, 'x'), 'utf8')).toBe('a file')
    },
  )

  it('does not replace a folder, and cleans up', async () => {
    await mkdir(join(folder, 'x/y'), { recursive: true })
    await expect(io.write(`file://${folder}/x`, Buffer.from('x'))).rejects.toMatchObject({ code: 'failed' })
    expect(await temporaries(folder)).toEqual([])
  })
})

/** Runs `script`, which sees `io`, `modules` and `folder`, in a process of its own. */
function inChild(
  modules: string,
  folder: string,
  script: string,
  wrapper: readonly string[] = [],
): ChildProcess {
  const source = `
    import { localFileIO } from ${JSON.stringify(`${modules}/storage/local/local.js`)}
    const io = localFileIO()
    const modules = ${JSON.stringify(modules)}
    const folder = ${JSON.stringify(folder)}
    ${script}`
  const [command, ...args] = [...wrapper, process.execPath, '--input-type=module', '-e', source]
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function output(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(child, 'close')
  return text
}

const stores = [
  'delete-singly',
  'errors',
  'output-file',
  'local/local',
  'local/sync-folder',
  'local/errors',
  'local/make-folders',
  'local/temporary',
  'scratch',
]

// unshare, tmpfs and /proc are Linux's (operations-spec §5.2).
const onLinux = process.platform === 'linux' ? describe : describe.skip

onLinux('localFileIO against the system', () => {
  let modules: string
  let folder: string

  beforeAll(async () => {
    modules = await transpiled(['errors.ts', 'concurrency.ts', ...stores.map((name) => `storage/${name}.ts`)])
  })
  afterAll(() => rm(modules, { recursive: true }))
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakejobs-local-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const report = `
    const result = await io.write('file://' + folder + '/big', Buffer.alloc(3 << 20)).then(() => 'written', (e) => e)
    console.log(JSON.stringify({ code: result.code, message: result.message, fix: result.fix }))`

  it('reports a full disk and leaves no temporary file', async () => {
    // A mount namespace of its own, so that the tmpfs goes when the child does.
    const mount = ['unshare', '--map-root-user', '--mount', 'sh', '-c']
    const child = inChild(
      modules,
      folder,
      `${report}
      import { readdirSync } from 'node:fs'
      console.log(JSON.stringify(readdirSync(folder)))`,
      [...mount, 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"', folder],
    )
    const [error, left] = (await output(child)).trim().split('\n')
    expect(JSON.parse(error ?? '')).toMatchObject({
      code: 'failed',
      message: `cannot write ${folder}/big: no space left on the device (ENOSPC)`,
      fix: expect.stringContaining('Free space'),
    })
    expect(left).toBe('[]')
  })

  it('reports a read-only file system', async () => {
    const mount = ['unshare', '--map-root-user', '--mount', 'sh', '-c']
    const child = inChild(modules, folder, report, [
      ...mount,
      'mount -t tmpfs -o size=1m,ro tmpfs "$0" && exec "$@"',
      folder,
    ])
    expect(JSON.parse(await output(child))).toMatchObject({
      code: 'failed',
      message: expect.stringContaining('the file system is read-only'),
    })
  })

  const below = `
    const { openScratch } = await import(modules + '/storage/scratch.js')
    for (const made of [io.write('file://' + folder + '/a/b/big', Buffer.alloc(1)), openScratch(folder + '/a/b')])
      await made.catch(({ code, message }) => console.log(code, message))`

  it.each([
    ['read-only', 'ro', 'the file system is read-only (EROFS)'],
    ['without an inode left', 'nr_inodes=1', 'no space left on the device (ENOSPC)'],
  ])('reports a file system %s where folders are to be made', async (_, option, cause) => {
    const mount = ['unshare', '--map-root-user', '--mount', 'sh', '-c']
    const child = inChild(modules, folder, below, [
      ...mount,
      `mount -t tmpfs -o size=1m,${option} tmpfs "$0" && exec "$@"`,
      folder,
    ])
    expect((await output(child)).trim().split('\n')).toEqual([
      `failed cannot write ${folder}/a/b/big: ${cause}`,
      `failed temporary files: cannot write ${folder}/a/b: ${cause}`,
    ])
  })

  it('reports a folder that takes none, in the place of looking for the one above for ever', async () => {
    const child = inChild(modules, '/proc/nothing', report)
    const end = setTimeout(() => child.kill('SIGKILL'), 20_000)
    const text = await output(child)
    clearTimeout(end)
    expect(JSON.parse(text)).toMatchObject({ code: 'failed', message: expect.stringContaining('(ENOENT)') })
  }, 30_000)

  it('makes folders that another run makes at the same time', async () => {
    const folders = ['a/b/c', 'a/b/c', 'a/b/d', 'a', 'a/b/c/']
    const first = await Promise.all(folders.map((name) => makeFolders(join(folder, name))))
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(['a', 'a/b', 'a/b/c', 'a/b/d'])
    expect(first).toContain(join(folder, 'a'))
    expect(await makeFolders(join(folder, 'a/e/f'))).toBe(join(folder, 'a/e'))
    expect(await makeFolders(join(folder, 'a/e/f'))).toBeUndefined()
  })

  it('reports a folder of another user', async () => {
    const others = await mkdir(join(folder, 'others'), { mode: 0o755 }).then(() => join(folder, 'others'))
    await chmod(folder, 0o755)
    await chmod(modules, 0o755)
    const isRoot = process.getuid?.() === 0
    if (!isRoot) await chmod(others, 0o555)
    const drop = `process.getuid() === 0 && process.setuid(65534)`
    const child = inChild(modules, others, `${drop};${report}`)
    expect(JSON.parse(await output(child))).toMatchObject({
      code: 'failed',
      message: `cannot write ${others}/big: permission denied (EACCES)`,
    })
  })

  const writer = `
    const file = await io.create('file://' + folder + '/x')
    await file.write(Buffer.alloc(1000))
    console.log('open')
    setInterval(() => undefined, 1000)`

  it('removes what a killed writer left, and nothing of a live one', async () => {
    const children = [inChild(modules, folder, writer), inChild(modules, folder, writer)] as const
    try {
      await Promise.all(children.map((child) => once(child.stdout!, 'data')))
      expect(await temporaries(folder)).toHaveLength(2)
      await localFileIO().write(`file://${folder}/y`, Buffer.from('y'))
      expect(await temporaries(folder)).toHaveLength(2)

      const [killed, alive] = children
      killed.kill('SIGKILL')
      await once(killed, 'close')
      await localFileIO().write(`file://${folder}/y`, Buffer.from('y'))
      const left = await temporaries(folder)
      expect(left).toHaveLength(1)
      expect(left[0]).toContain(`-${alive.pid}-`)
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  })

  it('knows a dead writer by its start time when its pid runs again', async () => {
    const own = await temporaryName()
    const reused = own.replace(/-\d+-([0-9a-f]{16})\.tmp$/, '-1-$1.tmp')
    for (const name of [own, reused]) await writeFile(join(folder, name), 'x')
    await localFileIO().write(`file://${folder}/y`, Buffer.from('y'))
    expect(await temporaries(folder)).toEqual([own])
  })

  it('gives writers in other containers and hosts time', async () => {
    const own = await temporaryName()
    const elsewhere = own.replace(/^\.lakejobs-([0-9a-f]+)-\d+-\d+/, '.lakejobs-$1-1-999999')
    const host = own.replace(/^\.lakejobs-[0-9a-f]+/, `.lakejobs-${'0'.repeat(32)}`)
    expect([elsewhere, host].every(isTemporary)).toBe(true)
    for (const name of [elsewhere, host]) await writeFile(join(folder, name), 'x')
    await localFileIO().write(`file://${folder}/y`, Buffer.from('y'))
    expect((await temporaries(folder)).toSorted()).toEqual([elsewhere, host].toSorted())
  })

  it('gives up writers elsewhere that showed no life for ten minutes, never a live one here', async () => {
    const own = await temporaryName()
    const elsewhere = own.replace(/^\.lakejobs-([0-9a-f]+)-\d+-\d+/, '.lakejobs-$1-1-999999')
    for (const name of [own, elsewhere, '.lakejobs-x.tmp', 'x.tmp']) await writeFile(join(folder, name), 'x')
    const { ctimeMs } = await stat(join(folder, elsewhere))
    await removeAbandoned(folder, ctimeMs + 599_000)
    expect(await temporaries(folder)).toHaveLength(4)
    await removeAbandoned(folder, ctimeMs + 601_000)
    expect((await temporaries(folder)).toSorted()).toEqual([own, '.lakejobs-x.tmp', 'x.tmp'].toSorted())
  })
})
