import { metricsText, type MetricGroup } from './gauges.ts'

/**
 * Replaces the group's metrics in a Pushgateway (github.com/prometheus/pushgateway, "API"), under job `lakejobs`, the command and the
 * table. Values of the address's path are in Base64, as texts may hold slashes.
 *
 * @param gateway its address, with user and password where it wants them
 * @throws what `fetch` throws, and for an answer other than 2xx
 */
export async function pushMetrics(gateway: URL, group: MetricGroup, signal: AbortSignal): Promise<void> {
  const { username, password } = gateway
  const grouping = { command: group.command, ...(group.table !== undefined && { table: group.table }) }
  const path = Object.entries(grouping).map(
    ([label, text]) => `/${label}@base64/${Buffer.from(text).toString('base64url')}`,
  )
  const address = new URL(gateway)
  address.username = address.password = ''
  address.pathname = `${gateway.pathname.replace(/\/$/, '')}/metrics/job/lakejobs${path.join('')}`
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const answer = await fetch(address, {
    method: 'PUT',
    body: metricsText(group),
    headers: {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      ...(username !== '' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
    },
    redirect: 'manual',
    signal,
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`it answered ${answer.status} ${text.trim().slice(0, 200)}`.trimEnd())
}
