/** What an alert says; every field is there, null where there is none. The DAGs post the same. */
export interface AlertMessage {
  readonly dag: string | null
  readonly task: string | null
  readonly day: string | null
  readonly run: string | null
  readonly error: string
  /** An http(s) URL. */
  readonly log: string | null
  /** All of it: a line of what happened, then the log. */
  readonly text: string
}

/** `ALERT_WEBHOOK_FORMAT`: our own fields, an incoming webhook of Slack, or a workflow of Teams. */
export const alertFormats = ['json', 'slack', 'teams'] as const

export type AlertFormat = (typeof alertFormats)[number]

/** Unicode characters of a chat's message: Teams takes 28 kB, and one may be 12 bytes of JSON. */
const longest = 2000

/**
 * A message as its receiver wants it. `dags/lakejobs_dags/alert.py` (`body_of`) makes the same, tests/dags/test_alert.py compares them.
 *
 * @returns what JSON is made of: of Slack docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, of Teams a message with an
 *   Adaptive Card 1.4 (learn.microsoft.com, "Create incoming webhooks with Workflows")
 */
export function alertBody(message: AlertMessage, format: AlertFormat): unknown {
  if (format === 'json') return message
  if (format === 'slack') return { text: escaped(short(message.text)) }
  const headline = short(message.text.split('\n')[0]!)
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          // A text run is shown as it is; a text block would be Markdown.
          body: [{ type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: headline }] }],
          actions:
            message.log === null ? [] : [{ type: 'Action.OpenUrl', title: 'Open the log', url: message.log }],
        },
      },
    ],
  }
}

/** Slack's three control characters. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function short(text: string): string {
  const characters = Array.from(text)
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`
}
