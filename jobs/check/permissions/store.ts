import type { S3Settings } from '../../storage/s3/client.ts'
import type { Check } from '../check.ts'
import { attemptAll } from './attempts.ts'
import { actionsOf, type Role } from './roles.ts'

/** The access key's policy, below the place that a setting names; a local folder has none. */
export const checkStorePermissions =
  (setting: string, location: () => string, settings: () => S3Settings, role: Role): Check =>
  (attempt) =>
    attemptAll(`policy on ${setting}`, attempt, async () => {
      const place = location()
      if (!place.startsWith('s3://')) return { missing: [], granted: `${place}: a folder, no policy` }
      const { deniedActions } = await import('../../storage/s3/permissions.ts')
      const actions = actionsOf[role]
      const denied = await deniedActions(place, actions, { ...settings(), attempts: 1 })
      return {
        missing: denied.map((error) => ({ what: error.message.split(' ', 1)[0]!, error })),
        granted: `${place}: ${actions.join(', ')}`,
      }
    })
