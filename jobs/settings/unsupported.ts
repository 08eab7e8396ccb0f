import { usageError } from '../errors.ts'

type Environment = Readonly<Record<string, string>>

/** What other programs call settings that lakejobs has not, and what to do instead. */
const storeSettings: Readonly<Record<string, string>> = {
  S3_SSE: "set the bucket's default encryption, which holds for every object",
  S3_SSE_KMS_KEY_ID: "set the bucket's default encryption with that key",
  S3_REQUESTER_PAYS: 'take a bucket whose owner pays',
  S3_PATH_STYLE: 'unset it: S3_ENDPOINT is addressed path-style, AWS by host name',
  S3_PROXY: 'reach the store without a proxy',
}

/** Refuses settings of the store that would change what is stored or how, and that nobody here reads. */
export function refuseUnsupported(env: Environment): void {
  for (const [name, instead] of Object.entries(storeSettings))
    if (env[name] !== undefined) refuse(name, instead)
}

/**
 * libpq's settings that ask for more safety than a connection of lakejobs has; each with the values that do not
 * (undefined: every value asks for more).
 */
const stricter: Readonly<Record<string, RegExp | undefined>> = {
  PGSSLCRL: undefined,
  PGSSLCRLDIR: undefined,
  PGREQUIREAUTH: undefined,
  PGREQUIREPEER: undefined,
  PGCHANNELBINDING: /^(?:disable|prefer)$/,
  PGGSSENCMODE: /^(?:disable|prefer)$/,
  PGSSLMINPROTOCOLVERSION: /^TLSv1(?:\.[12])?$/,
}

/** Refuses what libpq would obey and lakejobs would not: a connection is never less safe than it was asked to be. */
export function refuseStricter(env: Environment): void {
  for (const [name, harmless] of Object.entries(stricter)) {
    const value = env[name]
    if (value !== undefined && harmless?.test(value) !== true)
      refuse(name, 'unset it for lakejobs, if a connection may do without')
  }
}

function refuse(name: string, fix: string): never {
  throw usageError(`${name} is set, which lakejobs does not support`, { field: name, fix })
}
