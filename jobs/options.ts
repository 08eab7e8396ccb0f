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
/** `10` (a number) or `5%` (a share). */
export interface LimitOption extends BaseOption {
  readonly kind: 'limit'
}
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
}

export type OptionSpec =
  | TextOption
  | PlaceOption
  | DayOption
  | CountOption
  | SizeOption
  | LimitOption
  | FlagOption
  | ChoiceOption
  | ListOption

export type OptionTable = Readonly<Record<string, OptionSpec>>

/** At most `count` of something, or at most this `share` (0–1) of the whole. */
export type Limit = { readonly count: number } | { readonly share: number }

type ParsedValue<Spec extends OptionSpec> = Spec extends FlagOption
  ? boolean
  : Spec extends CountOption | SizeOption
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
  /** Options that may also be given by position, in order, e.g. `input output date`. */
  readonly positionals: readonly (keyof Table & string)[]
  readonly options: Table
  readonly examples: readonly (readonly [command: string, explanation: string])[]
  /** The option that a single positional means when it is a day. */
  readonly loneDay?: keyof Table & string
  /** Shown below the options. */
  readonly epilogue?: string
}
