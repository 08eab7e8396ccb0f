import type { S3Action } from '../../storage/s3/errors.ts'
import type { Privilege } from './grants.ts'

/** Who reads the lake, who exports to it, who maintains it: each may do in it what the one before may (docs/permissions.md). */
export const roles = ['reader', 'exporter', 'maintainer'] as const
export type Role = (typeof roles)[number]

/** On both tables of the catalog. */
export const privilegesOf: Readonly<Record<Role, readonly Privilege[]>> = {
  reader: ['SELECT'],
  exporter: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  maintainer: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
}

const read = ['s3:ListBucket', 's3:GetObject'] as const
const write = [...read, 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'] as const

/** Below each place of the settings. */
export const actionsOf: Readonly<Record<Role, readonly S3Action[]>> = {
  reader: read,
  exporter: write,
  maintainer: [...write, 's3:ListBucketMultipartUploads', 's3:ListMultipartUploadParts'],
}
