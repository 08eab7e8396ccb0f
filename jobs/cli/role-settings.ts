type Environment = Readonly<Record<string, string>>

/** Names that say together who one is somewhere: where a role has one of them, none of the others is taken from elsewhere. */
interface Access {
  /** A role may have these for itself. */
  readonly own: readonly string[]
  readonly others: readonly string[]
}

const postgres = (prefix: string): Access => ({
  own: ['USER', 'PASSWORD', 'PASSWORD_FILE'].map((end) => `${prefix}_${end}`),
  others: [`${prefix}_PASSWORD_COMMAND`],
})
const store: Access = {
  own: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'],
  others: ['AWS_SESSION_TOKEN', 'MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD'],
}

/** What each role is for itself; the exporter, who does the rest, has the names as they are (docs/permissions.md). */
const roles = {
  DEMO: [postgres('POSTGRES')],
  READER: [postgres('ICEBERG_POSTGRES'), store],
  MAINTAINER: [postgres('ICEBERG_POSTGRES'), store],
} as const satisfies Readonly<Record<string, readonly Access[]>>

export type Role = keyof typeof roles

/** `READER_AWS_PROFILE` and its like, all of them. */
export const roleSettings: readonly string[] = Object.entries(roles).flatMap(([role, accesses]) =>
  accesses.flatMap(({ own }) => own.map((name) => `${role}_${name}`)),
)

/** Who a command is; undefined: the exporter. */
export function roleOf(command: string, flags: Readonly<Record<string, unknown>>): Role | undefined {
  switch (command) {
    case 'seed':
      return 'DEMO'
    case 'maintain':
      return 'MAINTAINER'
    case 'inspect':
      return flags['tree'] === true || flags['storage'] === true ? 'MAINTAINER' : 'READER'
    case 'sql':
    case 'report':
    case 'runs':
      return 'READER'
    case 'check':
      return flags['as'] === 'reader' ? 'READER' : flags['as'] === 'maintainer' ? 'MAINTAINER' : undefined
    default:
      return undefined
  }
}

/**
 * An environment as a role has it: `READER_AWS_ACCESS_KEY_ID` in the place of `AWS_ACCESS_KEY_ID`, and no names of other roles.
 *
 * @returns also where a name's value is from, by its own or the role's name
 */
export function settingsOf(
  role: Role | undefined,
  env: Environment,
): { readonly env: Environment; readonly nameOf: (name: string) => string } {
  const given = (name: string): string | undefined => role && env[`${role}_${name}`]
  const taken = new Map<string, string | undefined>()
  for (const { own, others } of role === undefined ? [] : roles[role]) {
    if (own.every((name) => given(name) === undefined)) continue
    for (const name of [...own, ...others]) taken.set(name, given(name))
  }
  const rest = Object.entries(env).filter(([name]) => !taken.has(name) && !roleSettings.includes(name))
  const own = [...taken].filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    env: Object.fromEntries([...rest, ...own]),
    nameOf: (name) => (taken.get(name) === undefined ? name : `${role!}_${name}`),
  }
}
