type Environment = Readonly<Record<string, string>>

/** A file's path is none, what is in it is; a command may hold one. */
const secret =
  /(?:PASSWORD|SECRET|TOKEN|ACCESS_KEY|HASH_KEY|API_KEY|APIKEY|TRANSPORT__AUTH|WEBHOOK_URL)(?!.*_FILE$)/

/** Whether a setting's value is shown to nobody. */
export const isSecret = (name: string): boolean => secret.test(name)

/** Shorter ones are in too many words. */
const shortest = 4

/**
 * A message for others' eyes, as they keep it or send it on: without the values of the secret settings, and without user and password
 * in a URL. Our own messages hold none; those of servers and libraries may.
 */
export function withoutSecrets(text: string, env: Environment): string {
  const values = Object.entries(env)
    .filter(([name, value]) => isSecret(name) && value.length >= shortest)
    .map(([, value]) => value)
    // A longer one may hold a shorter one.
    .sort((a, b) => b.length - a.length)
  return values
    .reduce((rest, value) => rest.replaceAll(value, '…'), text)
    .replaceAll(/(?<=[a-z]:\/\/)[^\s/@]+@/gi, '…@')
}
