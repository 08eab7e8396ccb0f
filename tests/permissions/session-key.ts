import { AssumeRoleCommand, STSClient } from '@aws-sdk/nested-clients/sts'
import type { Minio } from '../support/minio.ts'

export interface Statement {
  readonly Action: string | string[]
}
export interface Policy {
  readonly Statement: readonly Statement[]
}

export const actionsOf = (policy: Policy): string[] => policy.Statement.flatMap(({ Action }) => Action)

/** A policy without an action. */
export const without = (policy: Policy, action: string): Policy => ({
  ...policy,
  Statement: policy.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((one) => one !== action),
  })).filter(({ Action }) => Action.length > 0),
})

/** The environment of a key that has this policy and nothing else: a session of MinIO's, whose policy narrows the root's. */
export async function keyWith(minio: Minio, policy: Policy): Promise<Record<string, string>> {
  const sts = new STSClient({ endpoint: minio.endpoint, region: 'us-east-1', credentials: minio })
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      ...{ RoleArn: 'arn:aws:iam::123456789012:role/lake', RoleSessionName: 'test' },
      Policy: JSON.stringify(policy),
    }),
  )
  sts.destroy()
  return {
    S3_ENDPOINT: minio.endpoint,
    WAREHOUSE: 's3://logs-bucket/iceberg',
    PARQUET_LOCATION: 's3://logs-bucket/parquet',
    AWS_ACCESS_KEY_ID: Credentials!.AccessKeyId!,
    AWS_SECRET_ACCESS_KEY: Credentials!.SecretAccessKey!,
    AWS_SESSION_TOKEN: Credentials!.SessionToken!,
  }
}
