import { types } from 'node:util'

/**
 * Freezes plain objects and arrays at every depth, in place: whoever changes one of them throws. A proxy is left alone;
 * those of json-text.ts refuse changes themselves.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || types.isProxy(value) || Object.isFrozen(value))
    return value
  Object.freeze(value)
  for (const child of Object.values(value)) deepFreeze(child)
  return value
}
