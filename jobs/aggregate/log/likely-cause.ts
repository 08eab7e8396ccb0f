/** What a log that is mostly rejected seems to be. */
export const causes = ['compressed', 'UTF-16', 'CR line ends', 'semicolons', 'tabs', 'bars'] as const
export type Cause = (typeof causes)[number]

/** What to do about it. */
export const remedies: Readonly<Record<Cause, string>> = {
  compressed: 'it is compressed: unpack it, or name what is gzip once YYYY-MM-DD.csv.gz',
  'UTF-16': 'it is UTF-16: convert it (iconv -f UTF-16 -t UTF-8)',
  'CR line ends': "its lines end in CR alone: convert it (tr '\\r' '\\n')",
  semicolons: 'its fields are separated by semicolons: write it with commas',
  tabs: 'its fields are separated by tabs: write it with commas',
  bars: 'its fields are separated by bars: write it with commas',
}

/** gzip (RFC 1952), zip (its local, empty and spanned headers), Zstandard (RFC 8878), xz, bzip2, LZ4 frames. */
const magics = [
  '1f8b',
  '504b0304',
  '504b0506',
  '504b0708',
  '28b52ffd',
  'fd377a585a00',
  '425a68',
  '04224d18',
].map((hex) => Buffer.from(hex, 'hex'))
const utf16Marks = ['fffe', 'feff'].map((hex) => Buffer.from(hex, 'hex'))

/** What the log that starts with these bytes seems to be, if it is no log. */
export function likelyCause(start: Buffer): Cause | undefined {
  const begins = (marks: readonly Buffer[]): boolean =>
    marks.some((mark) => start.subarray(0, mark.length).equals(mark))
  if (begins(magics)) return 'compressed'
  if (begins(utf16Marks) || mostlyHalf(start)) return 'UTF-16'
  const text = start.toString('latin1')
  if (text.includes('\r') && !text.includes('\n')) return 'CR line ends'
  const [line = ''] = text.split('\n')
  const separated = (separator: string): boolean => line.split(separator).length === 3 && !line.includes(',')
  if (separated(';')) return 'semicolons'
  if (separated('\t')) return 'tabs'
  return separated('|') ? 'bars' : undefined
}

/** Whether every other byte is NUL, or nearly, as in ASCII written with two bytes a character. */
function mostlyHalf(start: Buffer): boolean {
  const zeros = [0, 0]
  for (let i = 0; i < start.length; i++) if (start[i] === 0) zeros[i & 1]!++
  return start.length >= 8 && Math.max(...zeros) > 0.4 * start.length
}
