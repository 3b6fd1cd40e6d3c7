import { createHash } from 'node:crypto'
import type { Registry } from '../check/registry.ts'
import { collectDiagnostics, type Diagnostic, hasErrors, type Reporter } from '../lib/diagnostics.ts'
import type { Directive, Fields } from '../lib/fields.ts'
import { didYouMean } from '../lib/suggest.ts'
import { adviseJitterAt, identityOf } from './advice.ts'
import { checkFieldsOf, GLOBAL_CHECK_DIRECTIVE } from './directives/check-fields.ts'
import { decodeAll, remarkOn } from './directives/directive.ts'
import { globalFields } from './directives/global.ts'
import { virtualFields } from './directives/virtual.ts'
import { type LexedFile, lex } from './lexer.ts'
import type { Globals } from './model.ts'
import type { ParsedFallback, ParsedFile, ParsedVirtual } from './parsed.ts'
import { type GlobalValues, readSection, type SectionContext } from './section.ts'
import type { ServiceNames } from './services.ts'
import { readFallback } from './values/fallback-line.ts'

/** What a file is read with beside its text. */
export interface ParseDeps {
  readonly registry: Registry
  readonly services: ServiceNames
  /** For the mail-like default passwords of anonymous ftp and sip. */
  readonly hostname: string
  /** SHA-256 in hex of the bytes that were read; by default of the text. */
  readonly digest?: string
}

export interface ParseResult {
  /** Undefined when there is an error. */
  readonly parsed: ParsedFile | undefined
  /** All of them, in file order. */
  readonly diagnostics: readonly Diagnostic[]
}

/** Reads a whole configuration. Pure: no DNS, no files; every fault of the text is reported in one go. */
export function parseConfig(text: string, file: string, deps: ParseDeps): ParseResult {
  const report = collectDiagnostics()
  const { registry, services, hostname } = deps
  const lexed = lex(text, file, report)
  const checkFields = checkFieldsOf(registry)
  refuseUnknown(lexed, checkFields, report)
  const globals = decodeAll(globalFields, lexed.globals, report)
  const inherited = readInherited(lexed.globals, checkFields, report)
  const fallbacks = {
    4: readGlobalFallback(lexed.globals, 'fallback', { services, report }),
    6: readGlobalFallback(lexed.globals, 'fallback6', { services, report }),
  }
  const context: SectionContext = {
    registry,
    services,
    hostname,
    checkFields,
    globals,
    inherited,
    fallbacks,
    report,
  }
  const jitterAt = lexed.globals.findLast(({ name }) => name === 'checkjitter')
  adviseJitterAt(jitterAt, globals.checkjitter, { interval: globals.checkinterval, context })
  const virtuals = lexed.sections
    .map((section) => readSection(section, context))
    .filter((virtual) => virtual !== undefined)
  refuseDuplicates(virtuals, report)
  const diagnostics = inFileOrder(report.diagnostics)
  if (hasErrors(diagnostics)) return { parsed: undefined, diagnostics }
  const digest = deps.digest ?? createHash('sha256').update(text).digest('hex')
  const parsed = { file, digest, globals: globalsOf(globals, lexed.globals), virtuals }
  return { parsed, diagnostics }
}

/** By place; what was said of one place keeps its order. */
export function inFileOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
}

function refuseUnknown(lexed: LexedFile, checkFields: Fields, report: Reporter): void {
  const global: Fields = { ...globalFields, ...pick(checkFields, GLOBAL_CHECK_DIRECTIVE) }
  const section: Fields = { ...virtualFields, ...checkFields }
  remarkOn(lexed.globals, global, report)
  for (const directive of lexed.globals) {
    if (Object.hasOwn(global, directive.name)) continue
    const isSections = Object.hasOwn(section, directive.name)
    const hint = isSections
      ? `${directive.name} belongs in a virtual section: indent it under its virtual line`
      : didYouMean(directive.name, [...Object.keys(global), 'virtual', 'virtual6'])
    report.error(isSections ? 'misplaced' : 'unknown-directive', unknownText(directive), directive.nameAt, hint)
  }
  for (const { directives } of lexed.sections) {
    remarkOn(directives, section, report)
    for (const directive of directives) {
      if (Object.hasOwn(section, directive.name)) continue
      const isGlobal = Object.hasOwn(global, directive.name) || /^virtual6?$/.test(directive.name)
      const hint = isGlobal
        ? `${directive.name} stands in the first column, outside virtual sections`
        : didYouMean(directive.name, Object.keys(section))
      report.error(isGlobal ? 'misplaced' : 'unknown-directive', unknownText(directive), directive.nameAt, hint)
    }
  }
}

/** Without the value, which may be a password under a mistyped name. */
function unknownText(directive: Directive): string {
  return `Unknown command "${directive.name}"`
}

function pick(fields: Fields, name: string): Fields {
  const field = fields[name]
  return field === undefined ? {} : { [name]: field }
}

/** Check directives of the top level, for sections without their own. */
function readInherited(directives: readonly Directive[], checkFields: Fields, report: Reporter): readonly Directive[] {
  const given = directives.filter((directive) => directive.name === GLOBAL_CHECK_DIRECTIVE)
  decodeAll(pick(checkFields, GLOBAL_CHECK_DIRECTIVE), given, report)
  return given.slice(-1)
}

function readGlobalFallback(
  directives: readonly Directive[],
  name: string,
  { services, report }: Pick<SectionContext, 'services' | 'report'>,
): ParsedFallback | undefined {
  let fallback: ParsedFallback | undefined
  for (const directive of directives) {
    if (directive.name !== name) continue
    fallback = readFallback(directive, { services, protocols: ['tcp', 'udp'] }, report) ?? fallback
  }
  return fallback
}

/** Names may still come to one address: that is found when they are resolved. */
function refuseDuplicates(virtuals: readonly ParsedVirtual[], report: Reporter): void {
  const seen = new Map<string, ParsedVirtual>()
  for (const virtual of virtuals) {
    const identity = identityOf(virtual.address)
    const earlier = seen.get(identity)
    if (earlier !== undefined) {
      const hint = `${identity} is already the virtual service of line ${earlier.at.line}`
      report.error('duplicate', 'duplicate virtual server', virtual.at, hint)
    }
    seen.set(identity, earlier ?? virtual)
  }
}

function globalsOf(values: GlobalValues, directives: readonly Directive[]): Globals {
  const execute = directives.filter(({ name, value }) => name === 'execute' && value !== '').map(({ value }) => value)
  return {
    autoreload: values.autoreload,
    logfile: values.logfile,
    supervised: values.supervised,
    fork: values.fork,
    readdQuiescent: values.readdquiescent,
    drift: values.drift,
    callback: values.callback === '' ? undefined : values.callback,
    execute: [...new Set(execute)],
    emailAlertFrom: values.emailalertfrom,
    maintenanceDir: values.maintenancedir,
    logFormat: values.logformat ?? 'text',
    reloadGuard: values.reloadguard ?? true,
    timeouts: values.timeouts,
  }
}
