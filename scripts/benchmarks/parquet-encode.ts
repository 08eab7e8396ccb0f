/**
 * CPU time of the Parquet encoder over web_logs-shaped rows (design §3.3), on one thread, by column.
 * Build first: `npx tsc --noEmit false --outDir <folder>`, then
 * `node <folder>/scripts/benchmarks/parquet-encode.js [rows] [codec] [file to write]`.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { encodeChunk } from '../../jobs/parquet/chunk.ts'
import { codecNames, loadCodec } from '../../jobs/parquet/codec.ts'
import type { ParquetColumn } from '../../jobs/parquet/column.ts'
import { assembleFile } from '../../jobs/parquet/file.ts'
import { defaultLimits } from '../../jobs/parquet/row-group.ts'
import type { BytesVector, ColumnVector, FixedVector } from '../../jobs/vector/vector.ts'

const rowGroupRows = 1_000_000
const [rowsText = '5000000', codecText = 'snappy', file] = process.argv.slice(2)
const total = Number(rowsText)
const codecName = codecNames.find((name) => name === codecText) ?? 'snappy'

const columns: ParquetColumn[] = [
  { name: 'timestamp', fieldId: 1, required: false, type: { kind: 'timestamp-micros', utc: true } },
  { name: 'user_id', fieldId: 2, required: false, type: { kind: 'int32' } },
  { name: 'url', fieldId: 3, required: false, type: { kind: 'string' } },
  { name: 'response_time', fieldId: 4, required: false, type: { kind: 'int32' } },
  { name: 'status_code', fieldId: 5, required: false, type: { kind: 'int32' } },
]

const fixed = (data: Uint8Array, width: number, rows: number): FixedVector => ({
  kind: 'fixed',
  width,
  data,
  count: rows,
  rows,
  defined: undefined,
})

function int32s(rows: number, next: () => number): FixedVector {
  const values = new Int32Array(rows)
  for (let i = 0; i < rows; i++) values[i] = next()
  return fixed(new Uint8Array(values.buffer), 4, rows)
}

function timestamps(rows: number): FixedVector {
  const view = new DataView(new ArrayBuffer(rows * 8))
  const week = 7 * 86_400_000_000
  for (let i = 0; i < rows; i++) {
    const micros = 1_763_000_000_000_000 + Math.floor(Math.random() * week)
    view.setUint32(i * 8, micros % 2 ** 32, true)
    view.setUint32(i * 8 + 4, Math.floor(micros / 2 ** 32), true)
  }
  return fixed(new Uint8Array(view.buffer), 8, rows)
}

function urls(rows: number): BytesVector {
  const texts = ['/api/login', '/api/orders', '/api/products', '/api/cart']
  const data = Buffer.alloc(rows * 17)
  const offsets = new Int32Array(rows + 1)
  let end = 0
  for (let i = 0; i < rows; i++) {
    const text =
      texts[Math.floor(Math.random() * 5)] ?? `/api/orders/${1 + Math.floor(Math.random() * 10_000)}`
    end += data.write(text, end, 'latin1')
    offsets[i + 1] = end
  }
  return { kind: 'bytes', data: data.subarray(0, end), offsets, count: rows, rows, defined: undefined }
}

function responseTime(): number {
  if (Math.random() < 0.05) return Math.min(2000, Math.round(300 - Math.log(1 - Math.random()) * 400))
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
  return Math.max(1, Math.round(150 + normal * 50))
}

function statusCode(): number {
  const roll = Math.random()
  if (roll < 0.9) return 200
  const codes = roll < 0.97 ? [400, 401, 403, 404, 404, 404, 404, 404, 429] : [500, 502, 503, 503, 503, 504]
  return codes[Math.floor(Math.random() * codes.length)]!
}

async function main(): Promise<void> {
  const options = {
    ...defaultLimits,
    pageIndex: true,
    codec: await loadCodec(codecName),
  }
  const assembler = assembleFile({
    columns,
    keyValueMetadata: {},
    createdBy: 'lakejobs version 0 (build bench)',
  })
  const out = file === undefined ? undefined : openSync(file, 'w')
  const emit = (blocks: readonly Uint8Array[]): void => {
    if (out !== undefined) for (const block of blocks) writeSync(out, block)
  }
  const spent = columns.map(() => 0)
  const bytes = columns.map(() => 0)
  for (let row = 0; row < total; row += rowGroupRows) {
    const rows = Math.min(rowGroupRows, total - row)
    const vectors: ColumnVector[] = [
      timestamps(rows),
      int32s(rows, () => 1 + Math.floor(Math.random() * 1000)),
      urls(rows),
      int32s(rows, responseTime),
      int32s(rows, statusCode),
    ]
    const chunks = columns.map((column, i) => {
      const before = process.cpuUsage()
      const chunk = encodeChunk(column, vectors[i]!, options)
      const { user, system } = process.cpuUsage(before)
      spent[i]! += (user + system) / 1000
      bytes[i]! += chunk.compressedSize
      return chunk
    })
    const compressedSize = chunks.reduce((sum, chunk) => sum + chunk.compressedSize, 0)
    emit(assembler.add({ rowCount: rows, chunks, compressedSize }))
  }
  const { bytes: end, summary } = assembler.finish()
  emit(end)
  if (out !== undefined) closeSync(out)
  const lines = columns.map(
    ({ name }, i) =>
      `${name.padEnd(14)} ${spent[i]!.toFixed(0).padStart(6)} ms ${(bytes[i]! / 1e6).toFixed(1).padStart(7)} MB`,
  )
  const sum = spent.reduce((a, b) => a + b, 0).toFixed(0)
  const resident = (process.resourceUsage().maxRSS / 1024).toFixed(0)
  process.stdout.write(
    `${lines.join('\n')}\n${total} rows, ${codecName}: ${sum} ms CPU, ${(summary.size / 1e6).toFixed(1)} MB, ${resident} MB resident\n`,
  )
}

await main()
