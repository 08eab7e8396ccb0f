/**
 * Options as plain data: one table per command makes its flags, its environment names, its help and its
 * parsing. Loading this file costs nothing; the validator behind `resolveOptions` is loaded when a job runs.
 */

interface BaseOption {
  readonly describe: string
  /** Environment name; absent for what must be said each time (dates, --dry-run, --replace). */
  readonly env?: string
  /** As a user would write it; shown in the help. */
  readonly default?: string
}

export interface TextOption extends BaseOption {
  readonly kind: 'text'
}
/** A folder, a `file://` or an `s3://` URI. */
export interface PlaceOption extends BaseOption {
  readonly kind: 'place'
}
/** A calendar day, `YYYY-MM-DD`. */
export interface DayOption extends BaseOption {
  readonly kind: 'day'
}
/** A whole number, `minimum` (default 0) or more. */
export interface CountOption extends BaseOption {
  readonly kind: 'count'
  readonly minimum?: number
}
/** An amount of memory such as `512MB` or `2GB`; the value is in bytes. */
export interface SizeOption extends BaseOption {
  readonly kind: 'size'
}
/** A time such as `30s`, `5m` or `2h`, with its unit, or 0; the value is in milliseconds. */
export interface DurationOption extends BaseOption {
  readonly kind: 'duration'
}
/** How old something is: `90m`, `36h` or `7d`, with its unit, or 0; the value is in milliseconds. */
export interface AgeOption extends BaseOption {
  readonly kind: 'age'
}
/** A time with its date, `2024-09-16T07:00Z`; UTC where it has no zone. The value is in milliseconds since 1970. */
export interface InstantOption extends BaseOption {
  readonly kind: 'instant'
}
/** `10` (a number) or `5%` (a share). */
export interface LimitOption extends BaseOption {
  readonly kind: 'limit'
}
/** `50%`, with its sign: where only a share is possible, a bare number is refused, as it could be meant as a count. */
export interface ShareOption extends BaseOption {
  readonly kind: 'share'
}
/** True or false (boolean.ts): alone it is true, `--no-x` is false. */
export interface FlagOption extends BaseOption {
  readonly kind: 'flag'
}
export interface ChoiceOption extends BaseOption {
  readonly kind: 'choice'
  readonly choices: readonly string[]
}

/** Several texts: the flag repeated, or values separated by commas outside of double quotes and brackets. */
export interface ListOption extends BaseOption {
  readonly kind: 'list'
  /** Its items are `name=value`: a file may give them as a map. */
  readonly pairs?: true
  /** What every place says of it counts together: one cannot take back what another says. */
  readonly adds?: true
}

export type OptionSpec =
  | TextOption
  | PlaceOption
  | DayOption
  | CountOption
  | SizeOption
  | DurationOption
  | AgeOption
  | InstantOption
  | LimitOption
  | ShareOption
  | FlagOption
  | ChoiceOption
  | ListOption

export type OptionTable = Readonly<Record<string, OptionSpec>>

/** At most `count` of something, or at most this `share` (0–1) of the whole. */
export type Limit = { readonly count: number } | { readonly share: number }

type ParsedValue<Spec extends OptionSpec> = Spec extends FlagOption
  ? boolean
  : Spec extends CountOption | SizeOption | DurationOption | AgeOption | InstantOption | ShareOption
    ? number
    : Spec extends LimitOption
      ? Limit
      : Spec extends ChoiceOption
        ? Spec['choices'][number]
        : Spec extends ListOption
          ? readonly string[]
          : string

/** Flags are false unless set; what has a default is always there. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends FlagOption | { readonly default: string }
    ? ParsedValue<Table[Name]>
    : ParsedValue<Table[Name]> | undefined
}

/** What a command exports. `run` loads the job itself, so that help stays quick. */
export interface CommandSpec<Table extends OptionTable = OptionTable> {
  readonly name: string
  readonly describe: string
  /**
   * Standard output carries the command's result, in the place of the summary; of a failure nothing. A name: with that flag
   * alone.
   */
  readonly prints?: true | (keyof Table & string)
  /** Options that may also be given by position, in order, e.g. `input output date`. */
  readonly positionals: readonly (keyof Table & string)[]
  readonly options: Table
  readonly examples: readonly (readonly [command: string, explanation: string])[]
  /** The option that a single positional means when it is a day. */
  readonly loneDay?: keyof Table & string
  /** Shown below the options. */
  readonly epilogue?: string
}

/** How long a server may say nothing; of every command that reads or writes much. */
export const stallTimeout = {
  kind: 'duration',
  env: 'LAKEJOBS_STALL_TIMEOUT',
  default: '5m',
  describe: 'how long a server may send nothing before the run ends with exit 1; 0: for ever',
} as const satisfies DurationOption

/** Of every command that asks the engine. */
export const engineScratch = {
  kind: 'text',
  env: 'LAKEJOBS_SCRATCH',
  describe: 'local folder for what spills and for files of an object store (default: the system’s)',
} as const satisfies TextOption

/** Of every command that reads the file. */
export const configOption = {
  kind: 'text',
  env: 'LAKEJOBS_CONFIG',
  describe: 'the file that says which tables are exported and how (default: lakejobs.yaml, if it is there)',
} as const satisfies TextOption
