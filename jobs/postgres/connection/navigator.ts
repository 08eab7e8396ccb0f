/**
 * Gives Node.js 20 the `navigator` that 21 and later have. pg asks it whether it runs at Cloudflare, and without it
 * loads undici to find out: 20 ms in every thread.
 */
if (!('navigator' in globalThis)) {
  const userAgent = `Node.js/${process.version.slice(1).split('.')[0]}`
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent }, configurable: true, writable: true })
}

export {}
