import { describe, expect, it } from '@jest/globals'
import '../../../jobs/postgres/connection/navigator.ts'

describe('navigator', () => {
  it('is what pg asks, and is not a worker of Cloudflare', () => {
    const { navigator } = globalThis as { navigator?: { readonly userAgent?: unknown } }
    expect(navigator?.userAgent).toBe(`Node.js/${process.versions.node.split('.')[0]}`)
  })
})
