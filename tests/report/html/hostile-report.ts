import { addDays, windowOf } from '../../../jobs/calendar.ts'
import type { Report } from '../../../jobs/report/schema.ts'

/** Texts that want to be more than text. */
export const hostileTexts = [
  '<script>alert(1)</script>',
  `"><img src=x onerror=alert(1)>`,
  `' onload='alert(1)`,
  '</style></svg></title><svg/onload=alert(1)>',
  'javascript://%0Aalert(1)',
  'https://evil.example/\u202Egpj.exe\u2066',
  `/${'a'.repeat(10_240)}`,
  '&lt;b&gt; &#x3c;',
  '${7*7} {{7*7}} `',
  '\u0000\u0007\uD800',
] as const

/** A report in which every text is one of them, in turn, with `tables` tables. */
export function hostileReport(tables: number = hostileTexts.length): Report {
  let turn = 0
  const text = (): string => hostileTexts[turn++ % hostileTexts.length]!
  const date = '2024-09-16'
  const counts = { create: 1, read: 20, update: 300, delete: 4000 }
  const amount = { files: 3, bytes: 5_000_000 }
  const states = ['verified', 'exported', 'unchanged', 'missing', 'failed', 'none'] as const
  return {
    date,
    writtenAt: '2024-09-17T06:00:00.000Z',
    verdict: { word: 'failed', text: text(), note: text() },
    needs: hostileTexts.slice(0, 5).map((log) => ({
      ...{ table: text(), what: text(), since: text(), command: text(), fix: text(), log },
    })),
    needsMore: 3,
    tables: Array.from({ length: tables }, () => ({
      name: text(),
      kind: 'days' as const,
      state: 'late' as const,
      freshTo: date,
      exportedAt: '2024-09-17T03:00:00.000Z',
      verifiedAt: '2024-09-17T04:00:00.000Z',
      ...{
        lastRows: 1_000_000,
        medianRows: 900_000,
        rows: 30_000_000,
        bytes: 2 ** 40,
        bytesPerWeek: -(2 ** 33),
      },
      days: windowOf(date, 30).map((day, at) => ({ day, state: states[at % states.length]!, run: text() })),
    })),
    lake: {
      ...{ tables, rows: 5, ...amount, live: amount, kept: amount, unreferenced: amount, freeable: amount },
      ...{
        commands: [text(), text()],
        price: 0.023,
        costPerMonth: 1.5,
        maintainedAt: '2024-09-15T03:00:00.000Z',
      },
    },
    schemaChanges: hostileTexts.map((table) => ({
      ...{ table, at: '2024-09-15T03:00:00.000Z', changes: [text(), text()] },
    })),
    rejects: [
      {
        day: date,
        lines: 10,
        reasons: hostileTexts.map((raw, line) => ({ reason: text(), lines: 1, line, raw })),
      },
    ],
    crud: {
      ...{
        from: addDays(date, -6),
        to: date,
        published: true,
        total: counts,
        before: counts,
        users: 3,
        usersBefore: 2,
      },
      days: windowOf(date, 14).map((day, at) =>
        at % 5 === 4
          ? { day, state: 'missing' as const }
          : { day, state: 'counted' as const, ...counts, rejects: at },
      ),
      top: hostileTexts.map((email) => ({ email, ...counts })),
    },
    requests: {
      ...{ table: text(), from: addDays(date, -6), to: date, total: 100 },
      hours: [{ hour: '2024-09-12T07:00:00.000Z', requests: 100 }],
      classes: [{ class: text(), requests: 100 }],
      urls: hostileTexts.map((url) => ({ url, requests: 10, p50: 5, p95: 50, p99: 500 })),
    },
    unread: [],
  }
}
