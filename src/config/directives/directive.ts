import { bareValue, type Decode, makeField } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive, Field, Fields, OptionsOf } from '../../lib/fields.ts'
import { didYouMean } from '../../lib/suggest.ts'

/** A directive of the config's own; one that is not acted on yet says so wherever it is set. */
export interface ConfigField<T> extends Field<T> {
  readonly notYet?: boolean
}

export interface OptionalParts<T> {
  readonly doc: string
  readonly fallback: string
  readonly notYet?: boolean
  readonly decode: Decode<T>
}

/** A directive whose default is "not set here". */
export function optional<T>(parts: OptionalParts<T>): ConfigField<T | undefined> {
  const { notYet = false, ...field } = parts
  return { ...makeField<T | undefined>({ ...field, absent: undefined }), notYet }
}

/** A directive that is read where more is known than its own line: kept as it stands. */
export function structural(doc: string, fallback: string): ConfigField<Directive | undefined> {
  return optional({ doc, fallback, decode: (directive) => directive })
}

/** One of a few words; anything else is an error with the nearest one. Perl ldirectord knows none of these directives. */
export function oneOf<const Word extends string>(words: readonly Word[]): Decode<Word> {
  return (directive, report) => {
    const bare = bareValue(directive)
    const word = words.find((each) => each === bare)
    if (word === undefined) {
      const list = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
      report.error('value', `${directive.name} must be ${list}`, directive.valueAt, didYouMean(bare, words))
    }
    return word
  }
}

/**
 * Reads every directive that `fields` declares, so that every fault is reported; the last of a name counts.
 * What is not declared is left to the caller.
 */
export function decodeAll<F extends Fields>(
  fields: F,
  directives: readonly Directive[],
  report: Reporter,
): OptionsOf<F> {
  const values: Record<string, unknown> = {}
  for (const directive of directives) {
    const field = Object.hasOwn(fields, directive.name) ? fields[directive.name] : undefined
    if (field !== undefined) values[directive.name] = field.decode(directive, report)
  }
  for (const [name, field] of Object.entries(fields)) {
    if (!Object.hasOwn(values, name)) values[name] = field.decode(undefined, report)
  }
  return values as OptionsOf<F>
}

/** Remarks that need no value: set twice, or without effect yet. */
export function remarkOn(directives: readonly Directive[], fields: Fields, report: Reporter): void {
  const seen = new Map<string, Directive>()
  for (const directive of directives) {
    const { name, nameAt } = directive
    const field: ConfigField<unknown> | undefined = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field === undefined) continue
    if (field.notYet === true) report.warn('not-acted-on', `${name} is not acted on yet`, nameAt)
    const earlier = seen.get(name)
    if (earlier !== undefined && !accumulating.has(name)) {
      const message = `${name} is set again: this value counts, not the one of line ${earlier.nameAt.line}`
      report.warn('duplicate', message, nameAt)
    }
    seen.set(name, directive)
  }
}

const accumulating: ReadonlySet<string> = new Set(['real', 'real6', 'execute', 'connecttimeout', 'timeout'])
