import { describe, expect, it } from '@jest/globals'
import { tableWarnings } from '../../../jobs/check/upkeep/table.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { eachCompactLake } from '../../maintain/compact-lake.ts'

const lake = eachCompactLake()
const warnings = (partial: object = {}) =>
  tableWarnings(
    { ...lake.table, name: 'default.t', metadataLocation: lake.table.metadataLocation!, ...partial },
    lake.lake.clock.ms,
  )
/** As if its metadata had so many bytes. */
const sized = (size: number): { readonly io: FileIO } => ({
  io: {
    ...lake.table.io,
    stat: async (location) => ({ ...(await lake.table.io.stat(location))!, size }),
  },
})

describe('a table of ours', () => {
  it('with many small files is warned of until it is compacted, with the command', async () => {
    await lake.append(4)
    expect(await warnings()).toEqual([])
    await lake.append(1, 0, 50)
    const [warning] = await warnings()
    expect(warning).toMatchObject({ fix: 'lakejobs maintain compact --table default.t' })
    expect(warning!.detail).toMatch(/^5 files of \d+ KiB in 1 partitions would be fewer/)
    const [odd] = await warnings({ name: 'default.a b' })
    expect(odd).toMatchObject({ fix: "lakejobs maintain compact --table 'default.a b'" })
    await lake.compact()
    expect(await warnings()).toEqual([])
  })

  it('with many small manifests is, with the command', async () => {
    for (let day = 0; day < 6; day++) await lake.append(1, day, 10 * day)
    expect(await warnings()).toEqual([])
    await lake.update({
      action: 'set-properties',
      updates: { 'commit.manifest.min-count-to-merge': '6' },
    })
    expect(await warnings()).toEqual([
      { detail: '6 manifests would be fewer', fix: 'lakejobs maintain compact --table default.t' },
    ])
    await lake.compact()
    expect(await warnings()).toEqual([])
  })

  it('with much metadata is, with what to keep', async () => {
    await lake.append(4)
    const much = 10 * 2 ** 20
    expect(await warnings(sized(much))).toEqual([])
    expect(await warnings(sized(much + 1))).toEqual([
      {
        detail: 'every commit writes metadata of 10.0 MiB with 4 snapshots anew',
        fix: 'lakejobs maintain expire --table default.t --older-than 1h --keep 1',
      },
    ])
    const [odd] = await warnings({ ...sized(much + 1), name: 'default.a b' })
    expect(odd!.fix).toMatch(/^lakejobs maintain expire --table 'default\.a b' /)
  })

  it('with more than 1,000 snapshots is: they expire by their age, or the half of 1,000 is kept', async () => {
    await lake.append(1)
    const [first] = lake.table.metadata.snapshots
    const with_ = (count: number, ms: number) => ({
      metadata: {
        ...lake.table.metadata,
        snapshots: [
          ...Array.from({ length: count - 1 }, (_, at) => ({
            ...first!,
            'snapshot-id': BigInt(at + 1),
            'timestamp-ms': first!['timestamp-ms'] - (count - at) * ms,
          })),
          first!,
        ],
      },
    })
    expect(await warnings(with_(1000, 3_600_000))).toEqual([])
    expect(await warnings(with_(1001, 3_600_000))).toMatchObject([
      { fix: 'lakejobs maintain expire --table default.t' },
    ])
    expect(await warnings(with_(1001, 60_000))).toMatchObject([
      { fix: 'lakejobs maintain expire --table default.t --older-than 8h --keep 1' },
    ])
  })

  it('whose manifests cannot be read is said so', async () => {
    await lake.append(1)
    await lake.lake.io.delete(lake.table.metadata.snapshots[0]!['manifest-list'])
    expect(await warnings()).toMatchObject([
      { detail: expect.stringContaining('could not be looked at') as unknown },
    ])
  })
})
