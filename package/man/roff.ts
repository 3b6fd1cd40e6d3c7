import { wrap } from '../wrap.ts'

/** Pieces of a page for man(7); what text may hold is made harmless here, so that the rest only composes. */

/** A text without markup but this: `word` between backticks is set in bold. */
export function prose(text: string): string {
  return text
    .split('`')
    .map((part, n) => (n % 2 === 1 ? bold(part) : escapeText(part)))
    .join('')
    .split('\n')
    .flatMap((line) => wrap(line, 78))
    .map(guard)
    .join('\n')
}

export const bold = (word: string): string => `\\fB${escapeText(word).replaceAll('-', '\\-')}\\fR`
export const italic = (word: string): string => `\\fI${escapeText(word).replaceAll('-', '\\-')}\\fR`

const escapeText = (text: string): string =>
  text.replaceAll('\\', '\\e').replaceAll("'", '\\(aq').replaceAll('~', '\\(ti').replaceAll('^', '\\(ha')

/** A line that begins with a control character would be a request. */
const guard = (line: string): string => (/^[.']/.test(line) ? `\\&${line}` : line)

export interface Heading {
  readonly title: string
  readonly section: number
  readonly version: string
  /** Year, month and day. */
  readonly date: string
}

export const heading = ({ title, section, version, date }: Heading): string =>
  `.TH ${title.replaceAll('-', '\\-')} ${section} ${date} "ldirectord\\-ng ${version}" "Linux Director"`

export const section = (title: string, ...blocks: readonly string[]): string => [`.SH ${title}`, ...blocks].join('\n')
export const part = (title: string): string => `.SS ${title}`
export const paragraph = (text: string): string => `.PP\n${prose(text)}`

/** A term, already set, and what it means. */
export const item = (term: string, ...texts: readonly string[]): string =>
  ['.TP', guard(term), ...texts.filter((text) => text !== '').map((text, n) => (n === 0 ? text : `.br\n${text}`))].join(
    '\n',
  )

/** Lines as they are, in a fixed width. */
export const verbatim = (text: string): string =>
  `.PP\n.nf\n${text
    .trimEnd()
    .split('\n')
    .map((line) => guard(escapeText(line).replaceAll('-', '\\-')))
    .join('\n')}\n.fi`

export const page = (...blocks: readonly string[]): string => `${blocks.join('\n')}\n`
