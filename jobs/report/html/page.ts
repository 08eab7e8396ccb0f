import { createHash } from 'node:crypto'
import type { Report } from '../schema.ts'
import { crudSection } from './crud.ts'
import { lakeSection } from './lake.ts'
import { Markup, markup } from './markup.ts'
import { needsSection } from './needs.ts'
import { rejectsSection } from './rejects.ts'
import { requestsSection } from './requests.ts'
import { schemaSection } from './schema-changes.ts'
import { style } from './style.ts'
import { tablesSection } from './tables.ts'
import { timeText } from './words.ts'

const styleHash = createHash('sha256').update(style).digest('base64')

/** Nothing may be loaded, nothing run; the one style sheet is known by its hash. */
export const contentPolicy = `default-src 'none'; img-src data:; style-src 'sha256-${styleHash}'`

/** The page, as one file without a script (lake-spec §5.1, §5.2). Pure: the same report gives the same bytes. */
export function pageOf(report: Report): string {
  const { date, verdict, writtenAt } = report
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Markup(contentPolicy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="lakejobs report" />
        <title>${verdict.word}: lake up to ${date}</title>
        <style>${new Markup(style)}</style>
      </head>
      <body>
        <header>
          <h1>Lake, up to ${date}</h1>
          <p class="verdict ${verdict.word}">
            <span class="word">${verdict.word}</span><span>${verdict.text}</span>
          </p>
          <p class="meta">Written ${timeText(writtenAt)} UTC. ${verdict.note}</p>
        </header>
        <main>
          ${needsSection(report)} ${tablesSection(report)} ${lakeSection(report)} ${crudSection(report)}
          ${requestsSection(report)} ${rejectsSection(report)} ${schemaSection(report)}
        </main>
        <footer>
          Times and days are UTC; sizes are powers of 1024. Made by lakejobs report; the same numbers:
          lakejobs report --date ${date} --json
        </footer>
      </body>
    </html> `.text
}
