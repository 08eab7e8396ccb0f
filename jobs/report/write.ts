import type { FileIO } from '../storage/file-io.ts'
import { join } from '../storage/place.ts'
import { pageOf } from './html/page.ts'
import type { Report } from './schema.ts'

/** The text of `<day>.json`, and what `--json` prints. */
export const jsonOf = (report: Report): string => `${JSON.stringify(report, null, 1)}\n`

/**
 * Writes the page, and in a folder the numbers beside it: `<folder>/<day>.json`, then `<folder>/<day>.html`. Each appears whole.
 * Resolves to their locations.
 */
export async function writeReport(io: FileIO, place: ReportPlace, report: Report): Promise<string[]> {
  const page = Buffer.from(pageOf(report))
  if (place.kind === 'file') {
    await io.write(place.location, page)
    return [place.location]
  }
  const [json, file] = ['json', 'html'].map((ending) => join(place.location, `${report.date}.${ending}`))
  await io.write(json!, Buffer.from(jsonOf(report)))
  await io.write(file!, page)
  return [file!, json!]
}

/** A folder that gets one page a day, or one file. */
export interface ReportPlace {
  readonly kind: 'folder' | 'file'
  readonly location: string
}
