import type { AirflowRun } from '../summary.ts'

/**
 * Airflow's task that this run is of, by the names that Airflow gives the processes of its tasks (`AIRFLOW_CTX_*`), and our DAGs
 * besides (`_MAP_INDEX`, `_LOG_URL`). Undefined: none.
 */
export function airflowRun(env: Readonly<Record<string, string>>): AirflowRun | undefined {
  const of = (name: string): string | undefined => env[`AIRFLOW_CTX_${name}`]
  const [dag, task, run] = [of('DAG_ID'), of('TASK_ID'), of('DAG_RUN_ID')]
  if (dag === undefined || task === undefined || run === undefined) return undefined
  const [tries, mapIndex, log] = [number(of('TRY_NUMBER')), number(of('MAP_INDEX')), of('LOG_URL')]
  return {
    dag,
    task,
    run,
    ...(tries !== undefined && { try: tries }),
    ...(mapIndex !== undefined && { mapIndex }),
    // Others may put what they like into the environment; a page links to it.
    ...(log !== undefined && /^https?:\/\//.test(log) && { log }),
  }
}

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
