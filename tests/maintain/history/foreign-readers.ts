import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Readers that know a table by its metadata file alone: PyIceberg and, where everyone is asked, Spark and DuckDB. */
export interface ForeignReaders {
  /** Rows as `day|n|text`, sorted, by snapshot. A line for each reader and snapshot that has others. */
  differ(
    metadataLocation: string,
    rows: ReadonlyMap<bigint, readonly string[]>,
    everyone: boolean,
  ): Promise<string[]>
  close(): Promise<void>
}

interface Answer {
  readonly reader: string
  readonly snapshot: string
  readonly rows: number
  /** SHA-256 of the rows, each with a line feed; or why they cannot be read. */
  readonly hash: string
}

const script = fileURLToPath(new URL('../../interop/support/read_metadata.py', import.meta.url))

/** `python`: of tests/interop/requirements.txt; Spark needs its jars in `LAKEJOBS_SPARK_JARS`. */
export function openForeignReaders(python: string): ForeignReaders {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async differ(metadataLocation, rows, everyone) {
      const snapshots = [...rows.keys()].map(String)
      child.stdin.write(`${JSON.stringify({ metadata: metadataLocation, snapshots, everyone })}\n`)
      const line: IteratorResult<string, unknown> = await lines.next()
      if (line.done === true) throw new Error('the foreign readers ended')
      const answers = JSON.parse(line.value) as Answer[]
      const wanted = (everyone ? 3 : 1) * snapshots.length
      if (answers.length !== wanted) throw new Error(`${answers.length} answers of ${wanted}`)
      return answers.flatMap(({ reader, snapshot, rows: count, hash }) => {
        const own = rows.get(BigInt(snapshot))!
        const isSame =
          hash ===
          createHash('sha256')
            .update(own.map((row) => `${row}\n`).join(''))
            .digest('hex')
        return isSame
          ? []
          : [`${reader} reads ${count} rows of ${own.length} in snapshot ${snapshot}: ${hash}`]
      })
    },
    async close() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
