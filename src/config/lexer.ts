import type { Reporter, Span } from '../lib/diagnostics.ts'
import type { Directive } from '../lib/fields.ts'
import { commentStart } from './comment.ts'

/** A `virtual =` line with the directives indented under it. */
export interface Section {
  readonly opener: Directive
  readonly directives: Directive[]
}

export interface LexedFile {
  readonly globals: readonly Directive[]
  readonly sections: readonly Section[]
}

interface Line {
  readonly number: number
  readonly text: string
}

interface State {
  readonly file: string
  readonly report: Reporter
  readonly globals: Directive[]
  readonly sections: Section[]
  /** The section that the next indented line belongs to. */
  open: Section | undefined
  /** The line that closed the last section, for the hint under a directive that was left outside. */
  closedBy: number
}

/**
 * Lines to directives, by behaviour reference 2.1 with the harmless improvements of its 7.3: CR, a byte order mark,
 * `#` inside quotes, long blank lines inside a section. A line that is wrong is reported, taken for what was most
 * likely meant, and the rest is read: nothing stops at the first fault.
 */
export function lex(text: string, file: string, report: Reporter): LexedFile {
  const state: State = { file, report, globals: [], sections: [], open: undefined, closedBy: 0 }
  const lines = text.replace(/^\ufeff/, '').split('\n')
  for (const [index, raw] of lines.entries()) {
    const line = { number: index + 1, text: raw.replace(/\r$/, '') }
    if (state.open === undefined || !readSectionLine(line, state.open, state)) readTopLine(line, state)
  }
  return { globals: state.globals, sections: state.sections }
}

/** False when the line ends the section and is a top-level line. */
function readSectionLine(line: Line, section: Section, state: State): boolean {
  if (/^\s*#/.test(line.text)) return true
  const body = line.text.slice(0, commentStart(line.text))
  const indent = widthOf(/^[ \t]*/.exec(body)?.[0] ?? '')
  const isBlank = body.trim() === ''
  if (indent < 4 || (isBlank && indent === 4)) return false
  if (isBlank) return true
  const directive = readDirective({ ...line, text: body }, state, true)
  if (directive !== undefined) section.directives.push(directive)
  return true
}

function widthOf(blanks: string): number {
  return blanks.replaceAll('\t', '    ').length
}

function readTopLine(line: Line, state: State): void {
  if (/^\s*(#|$)/.test(line.text)) {
    if (line.text.trim() === '') close(line, state)
    return
  }
  if (/^\s/.test(line.text)) {
    readMisindented(line, state)
    return
  }
  close(line, state)
  if (/^supervised(?!\s*=)/.test(line.text)) {
    readBareSupervised(line, state)
    return
  }
  const directive = readDirective(line, state, false)
  if (directive === undefined) return
  if (directive.name !== 'virtual' && directive.name !== 'virtual6') {
    state.globals.push(directive)
    return
  }
  state.open = { opener: directive, directives: [] }
  state.sections.push(state.open)
}

function close(line: Line, state: State): void {
  if (state.open !== undefined) state.closedBy = line.number
  state.open = undefined
}

/** Only indentation is wrong: said once, then the lines are read where they were meant to be. */
function readMisindented(line: Line, state: State): void {
  const isInside = state.open !== undefined
  const section = state.open ?? state.sections.at(-1)
  const name = /[\w-]+/.exec(line.text)
  const at = spanOf(line, state, name?.index ?? 0, name?.[0].length ?? line.text.trimEnd().length)
  const message = name === null ? 'Unknown command' : `Unknown command "${name[0]}"`
  state.report.error('indentation', message, at, indentationHint(isInside, section, state))
  if (section === undefined) {
    const directive = readDirective(line, state, false)
    if (directive !== undefined) state.globals.push(directive)
    return
  }
  state.open = section
  const body = { ...line, text: line.text.slice(0, commentStart(line.text)) }
  const directive = readDirective(body, state, true)
  if (directive !== undefined) section.directives.push(directive)
}

function indentationHint(isInside: boolean, section: Section | undefined, state: State): string {
  if (section === undefined) return 'outside a virtual section a directive starts in the first column'
  if (isInside) return 'indent a directive of a virtual section by at least four blanks or a TAB'
  const opened = section.opener.nameAt.line
  return `line ${state.closedBy} ended the section of line ${opened}; to go on with it, take that line out`
}

/** `supervised` alone is an old form of `supervised = yes`; anything else that starts so is refused by name. */
function readBareSupervised(line: Line, state: State): void {
  const at = spanOf(line, state, 0, line.text.trimEnd().length)
  if (!/^supervised\s*(#.*)?$/.test(line.text)) {
    state.report.error('value', "supervised must be 'yes' or 'no'", at)
    return
  }
  const nameAt = spanOf(line, state, 0, 'supervised'.length)
  state.report.warn('deprecated', 'supervised without a value means yes', nameAt, 'write supervised = yes')
  state.globals.push({ name: 'supervised', value: 'yes', nameAt, valueAt: nameAt })
}

/** The value is never repeated in a message: it may be a password. */
function readDirective(line: Line, state: State, widenTabs: boolean): Directive | undefined {
  const match = /^(\s*([A-Za-z0-9_-]+))(\s*=\s*)?(.*)$/s.exec(line.text)
  if (match === null) {
    const start = /\S/.exec(line.text)?.index ?? 0
    const at = spanOf(line, state, start, line.text.trimEnd().length - start)
    state.report.error('unknown-directive', 'Unknown command', at, 'a line is a directive, "=" and its value')
    return undefined
  }
  const [, head = '', name = '', equals, rest = ''] = match
  const nameAt = spanOf(line, state, head.length - name.length, name.length)
  if (equals === undefined) {
    state.report.error('unknown-directive', `Unknown command "${name}"`, nameAt, `after "${name}" comes "="`)
    return undefined
  }
  const valueAt = spanOf(line, state, head.length + equals.length, Math.max(1, rest.trimEnd().length))
  if (!widenTabs || !rest.includes('\t')) return { name, value: rest, nameAt, valueAt }
  return { name, value: rest.replaceAll('\t', '    '), nameAt, valueAt, raw: rest }
}

function spanOf(line: Line, state: State, offset: number, length: number): Span {
  return { file: state.file, line: line.number, column: offset + 1, length: Math.max(1, length) }
}
