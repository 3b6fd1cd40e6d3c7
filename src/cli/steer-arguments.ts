import { parseDuration } from './duration.ts'

interface OfInstance {
  /** The configuration the instance was started with; undefined: the default, or the only one that runs. */
  readonly config: string | undefined
}

interface OfReal extends OfInstance {
  /** As the operator names it: `192.0.2.20:80`, `VIRTUAL/REAL` … */
  readonly real: string
  /** All that fit, where a name fits several. */
  readonly all: boolean
}

/** The verbs that ask or steer the running daemon. */
export type SteerCommand =
  | ({
      readonly verb: 'show'
      readonly virtual: string | undefined
      readonly what: 'table' | 'stats' | 'rate' | 'connections' | 'timeouts'
      readonly json: boolean
    } & OfInstance)
  | ({ readonly verb: 'why'; readonly json: boolean } & OfReal)
  | ({ readonly verb: 'drain'; readonly maxMs: number | undefined; readonly reason: string | undefined } & OfReal)
  | ({ readonly verb: 'disable'; readonly forMs: number | undefined; readonly reason: string | undefined } & OfReal)
  | ({ readonly verb: 'enable' } & OfReal)

export const steerVerbs = ['show', 'why', 'drain', 'disable', 'enable'] as const satisfies SteerCommand['verb'][]

export type SteerVerb = (typeof steerVerbs)[number]

export function isSteerVerb(word: string | undefined): word is SteerVerb {
  return steerVerbs.some((verb) => verb === word)
}

/** What stands behind a verb, for whoever parses and lists it. */
export interface SteerForm {
  readonly summary: string
  readonly argument: { readonly form: string; readonly about: string }
  readonly options: readonly SteerOption[]
  /** Throws UsageError. */
  command(argument: string | undefined, options: Readonly<Record<string, unknown>>): SteerCommand
}

export interface SteerOption {
  /** `--max <time>`; one without a value is a flag. */
  readonly form: string
  readonly about: string
  /** Names of flags that exclude it. */
  readonly conflicts?: readonly string[]
}

const ofInstance: SteerOption = {
  form: '-c, --config <config>',
  about: 'the configuration the daemon was started with',
}
const json: SteerOption = { form: '--json', about: 'machine-readable' }
const reason: SteerOption = { form: '--reason <text>', about: 'shown wherever the real server is' }
const real = {
  form: '<real>',
  about: 'ADDRESS[:PORT], its name, or VIRTUAL/REAL where it is in several virtual services',
}
const all: SteerOption = { form: '--all', about: 'every real server that this fits' }

const views = ['stats', 'rate', 'connections', 'timeouts'] as const
const view = (name: (typeof views)[number], about: string): SteerOption => {
  return { form: `--${name}`, about, conflicts: views.filter((other) => other !== name) }
}

type Values = Readonly<Record<string, unknown>>

const textOf = (values: Values, name: string): string | undefined => {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}
const durationOf = (values: Values, name: string): number | undefined => {
  const text = textOf(values, name)
  return text === undefined ? undefined : parseDuration(text)
}
const ofReal = (argument: string | undefined, values: Values) => {
  return { config: textOf(values, 'config'), real: argument ?? '', all: values['all'] === true }
}

export const steerForms: Readonly<Record<SteerVerb, SteerForm>> = {
  show: {
    summary: 'The table as ipvsadm -Ln shows it, with the health of each real server beside it.',
    argument: { form: '[virtual]', about: 'only this virtual service' },
    options: [
      ofInstance,
      view('stats', 'totals instead of connections'),
      view('rate', 'rates instead of connections'),
      view('connections', 'the connections in the kernel, as ipvsadm -Lnc'),
      view('timeouts', 'the time-outs of idle connections'),
      json,
    ],
    command: (virtual, values) => ({
      verb: 'show',
      config: textOf(values, 'config'),
      virtual,
      what: views.find((name) => values[name] === true) ?? 'table',
      json: values['json'] === true,
    }),
  },
  why: {
    summary: 'Why a real server is in or out: the decision, the thresholds, the last checks with their steps.',
    argument: real,
    options: [ofInstance, all, json],
    command: (name, values) => ({ verb: 'why', ...ofReal(name, values), json: values['json'] === true }),
  },
  drain: {
    summary: 'No new connections; out of the table when none are left. Lasts until enable.',
    argument: real,
    options: [
      ofInstance,
      all,
      { form: '--max <time>', about: 'out after this time at the latest, as 90s, 15m, 2h' },
      reason,
    ],
    command: (name, values) => {
      const maxMs = durationOf(values, 'max')
      return { verb: 'drain', ...ofReal(name, values), maxMs, reason: textOf(values, 'reason') }
    },
  },
  disable: {
    summary: 'Out at once, as if it were down. Lasts until enable.',
    argument: real,
    options: [
      ofInstance,
      all,
      { form: '--for <time>', about: 'back by itself after this time, as 90s, 15m, 2h' },
      reason,
    ],
    command: (name, values) => {
      const forMs = durationOf(values, 'for')
      return { verb: 'disable', ...ofReal(name, values), forMs, reason: textOf(values, 'reason') }
    },
  },
  enable: {
    summary: 'Takes drain and disable back: the checks decide again.',
    argument: real,
    options: [ofInstance, all],
    command: (name, values) => ({ verb: 'enable', ...ofReal(name, values) }),
  },
}
