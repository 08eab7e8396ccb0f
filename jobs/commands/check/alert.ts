import type { JobContext } from '../../context.ts'
import { usageError } from '../../errors.ts'
import type { Outcome } from '../../summary.ts'

/** Sends a test to `ALERT_WEBHOOK_URL` as the DAGs send alerts, and tells what it answered. */
export async function checkAlert(context: JobContext): Promise<Outcome> {
  const [{ alertBody, alertFormats }, { postAlert }, { runChecks }, { resolveOptions }, { withoutSecrets }] =
    await Promise.all([
      import('../../check/alert/message.ts'),
      import('../../check/alert/post.ts'),
      import('../../check/check.ts'),
      import('../../options/resolve-options.ts'),
      import('../../settings/secrets.ts'),
    ])
  const { env, runId, signal } = context
  const { format } = resolveOptions(
    {
      format: {
        kind: 'choice',
        choices: alertFormats,
        env: 'ALERT_WEBHOOK_FORMAT',
        default: 'json',
        describe: '',
      },
    },
    {},
    env,
  )
  const address = env['ALERT_WEBHOOK_URL']
  if (address === undefined)
    throw usageError('ALERT_WEBHOOK_URL is not set: alerts are posted nowhere', {
      field: 'ALERT_WEBHOOK_URL',
      fix: 'set it to the address of a webhook',
    })
  const error = 'a test: nothing has failed'
  const nowhere = { dag: null, task: null, day: null, log: null }
  const message = { ...nowhere, run: runId, error, text: `lakejobs check --alert: ${error}` }
  return runChecks(
    [
      async (attempt) => {
        await attempt(`alert as ${format}`, async () =>
          withoutSecrets(`answered ${await postAlert(address, alertBody(message, format), signal)}`, env),
        )
      },
    ],
    context,
  )
}
