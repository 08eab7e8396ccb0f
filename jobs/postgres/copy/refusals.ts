/** What the lake cannot hold, per wire format. */
export const refusals: Readonly<Record<string, string>> = {
  date: 'infinity, or a year outside 1–9999',
  timestamp: 'infinity, or a year outside 1–9999',
  time: '24:00:00',
  numeric: 'NaN, infinity, or more digits than the decimal holds',
  text: 'text that is not valid UTF-8',
  jsonb: 'text that is not valid UTF-8',
}
