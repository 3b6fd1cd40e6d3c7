import { UsageError } from '../lib/errors.ts'
import { suggest } from '../lib/suggest.ts'
import { isSteerVerb } from './steer-arguments.ts'
import { isVerb, parseVerb, type VerbCommand, verbs } from './verb-arguments.ts'

/** The commands of Perl ldirectord (behaviour reference 1.1). */
export type ProcessVerb = (typeof processVerbs)[number]

export type Command =
  | {
      readonly verb: ProcessVerb
      /** As given; the instance is named after it. Undefined: the default configuration and instance. */
      readonly config: string | undefined
      readonly debug: boolean
      /** `stop --keep-table`. */
      readonly keepTable?: boolean
      /** `reload --confirm`. */
      readonly confirm?: boolean
    }
  | VerbCommand
  | { readonly verb: 'help'; readonly text: string | undefined }
  | { readonly verb: 'version' }
  /** Wrong in Perl's form: the usage on standard output, exit 255, and what is wrong on standard error. */
  | { readonly verb: 'usage'; readonly complaint: string | undefined }

export const processVerbs = ['start', 'stop', 'restart', 'try-restart', 'reload', 'force-reload', 'status'] as const

/** What these take that Perl ldirectord's do not, behind the verb. */
export const processFlags: Readonly<Partial<Record<ProcessVerb, '--keep-table' | '--confirm'>>> = {
  stop: '--keep-table',
  reload: '--confirm',
  'force-reload': '--confirm',
}

export function isProcessVerb(word: string | undefined): word is ProcessVerb {
  return processVerbs.some((verb) => verb === word)
}

/**
 * Reads the words behind the program's name. Perl's form comes first, so that a configuration may be called like a verb:
 * `ldirectord-ng run start` starts the instance `run`. Throws UsageError for a new verb that is used wrongly.
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const { options, rest, unknown } = splitOptions(argv)
  if (unknown !== undefined) return { verb: 'usage', complaint: `Unknown option: ${unknown}` }
  if (options.has('help')) return { verb: 'help', text: undefined }
  if (options.has('version')) return { verb: 'version' }
  const debug = options.has('debug')
  const [first, second, ...more] = rest
  if (isProcessVerb(second)) return { verb: second, config: first, debug, ...flagsOf(second, more) }
  if (isProcessVerb(first) && (second === undefined || second.startsWith('--'))) {
    const flags = flagsOf(first, rest.slice(1))
    if (second === undefined || flags !== undefined) return { verb: first, config: undefined, debug, ...flags }
  }
  if (isVerb(first)) return parseVerb(first, withoutDebug(debug, rest.slice(1)))
  if (first !== undefined && isSteerVerb(second)) {
    return parseVerb(second, withoutDebug(debug, ['--config', first, ...more]))
  }
  if (first !== undefined && isVerb(second)) return parseVerb(second, withoutDebug(debug, [first, ...more]))
  return { verb: 'usage', complaint: complaintOf(rest.slice(0, 2)) }
}

/** Of words among which no command is. */
function complaintOf(words: readonly string[]): string | undefined {
  const [first, second] = words
  if (isProcessVerb(first) && second !== undefined) return `"${second}" cannot stand behind ${first}`
  for (const word of words) {
    const near = suggest(word, [...processVerbs, ...verbs])
    if (near !== undefined) return `There is no command "${word}": did you mean "${near}"?`
  }
  return words.length === 0 ? undefined : `There is no command in "${words.join(' ')}"`
}

/** What stands behind one of Perl's verbs; other words are passed over there, as Perl ldirectord does. */
function flagsOf(verb: ProcessVerb, words: readonly string[]): Flags | undefined {
  const flag = processFlags[verb]
  if (flag === undefined || !words.includes(flag)) return undefined
  return flag === '--keep-table' ? { keepTable: true } : { confirm: true }
}

type Flags = { readonly keepTable: true } | { readonly confirm: true }

function withoutDebug(debug: boolean, words: readonly string[]): readonly string[] {
  if (debug) throw new UsageError('-d goes with start only; run --log stdout stays in the foreground')
  return words
}

type Option = 'debug' | 'help' | 'version'

const shortOptions: Readonly<Record<string, Option>> = { d: 'debug', h: 'help', '?': 'help', v: 'version' }
const longOptions: readonly string[] = ['debug', 'help', 'version'] satisfies Option[]

interface Split {
  readonly options: ReadonlySet<string>
  readonly rest: readonly string[]
  readonly unknown: string | undefined
}

/** The options that stand before everything else: short ones may be bundled, long ones not shortened, `--` ends them. */
function splitOptions(argv: readonly string[]): Split {
  const options = new Set<string>()
  let n = 0
  for (; n < argv.length; n++) {
    const word = argv[n] ?? ''
    if (word === '--') return { options, rest: argv.slice(n + 1), unknown: undefined }
    if (!word.startsWith('-') || word === '-') break
    const unknown = word.startsWith('--') ? takeLong(word.slice(2), options) : takeShort(word.slice(1), options)
    if (unknown !== undefined) return { options, rest: [], unknown }
  }
  return { options, rest: argv.slice(n), unknown: undefined }
}

function takeLong(name: string, options: Set<string>): string | undefined {
  if (!longOptions.includes(name)) return name
  options.add(name)
  return undefined
}

function takeShort(letters: string, options: Set<string>): string | undefined {
  for (const letter of letters) {
    const option = Object.hasOwn(shortOptions, letter) ? shortOptions[letter] : undefined
    if (option === undefined) return letter
    options.add(option)
  }
  return undefined
}
