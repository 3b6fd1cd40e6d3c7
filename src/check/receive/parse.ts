import { anyByte, bytes, noByte, notNewline } from './bytes.ts'
import { readClass } from './class.ts'
import { readEscape } from './escape.ts'
import { readGroup } from './group.ts'
import { Reader } from './reader.ts'
import { type Mode, type Node, PatternError } from './tree.ts'

const DEEPEST = 200
const LONGEST = 8192
/** Perl's own limit for a count (perlre). */
const LARGEST_COUNT = 65_534

/**
 * Reads a Perl pattern. `text` holds one byte a character.
 *
 * @throws PatternError where it is not one, or uses what neither engine can do
 */
export function parsePattern(text: string): Node {
  if (text.length > LONGEST) throw new PatternError(`the pattern is longer than ${LONGEST} bytes`, { offset: LONGEST })
  const reader = new Reader(text)
  const node = readChoice(reader)
  if (!reader.done) reader.fail(') without its (')
  for (const { group, at } of reader.references) {
    if (reader.sharesNumbers)
      throw new PatternError('references beside (?|…) are not supported', { offset: at, length: 2 })
    const number = typeof group === 'number' ? group : reader.names.get(group)
    if (number === undefined || number < 1 || number > reader.groups) {
      throw new PatternError(`there is no group ${group} to refer to`, { offset: at, length: 2 })
    }
  }
  return node
}

/** Alternatives up to `)` or the end. Inline flags reach to the end of the group, over its bars. */
function readChoice(reader: Reader): Node {
  const { flags } = reader
  if (++reader.depth > DEEPEST) reader.fail(`groups are nested deeper than ${DEEPEST}`)
  const options: Node[] = []
  do options.push(readSequence(reader))
  while (reader.takes('|'))
  reader.depth--
  reader.flags = flags
  return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options }
}

function readSequence(reader: Reader): Node {
  const items: Node[] = []
  for (;;) {
    if (!reader.quoted) reader.skipIgnored()
    if (reader.done || (!reader.quoted && /[|)]/.test(reader.peek()))) break
    const atom = readAtom(reader)
    if (atom !== undefined) items.push(reader.quoted ? atom : readQuantifier(reader, atom))
  }
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'sequence', items }
}

/** Undefined for what is no atom: flags, `\Q`, `\E`. */
function readAtom(reader: Reader): Node | undefined {
  const from = reader.at
  if (reader.takes('\\E')) {
    reader.quoted = false
    return undefined
  }
  if (reader.quoted) return readQuoted(reader)
  if (reader.takes('\\Q')) {
    reader.quoted = true
    return undefined
  }
  const letter = reader.next()
  if (letter === '\\') return readEscape(reader)
  if (letter === '[') return { kind: 'set', set: readClass(reader) }
  if (letter === '(') return readGroup(reader, readChoice)
  if (letter === '.') return { kind: 'set', set: reader.flags.s ? anyByte : notNewline }
  if (letter === '^') return { kind: 'anchor', at: reader.flags.m ? 'line-start' : 'start' }
  if (letter === '$') return { kind: 'anchor', at: reader.flags.m ? 'line-end' : 'last' }
  reader.at = from
  if (/[*+?]/.test(letter)) {
    reader.at = from + 1
    return reader.fail(`the quantifier ${letter} follows nothing`, from)
  }
  // a brace that could be a quantifier is a character where there is nothing to repeat
  return readLiteral(reader)
}

function readLiteral(reader: Reader): Node {
  return { kind: 'set', set: reader.cased(bytes(reader.next().charCodeAt(0))) }
}

/** A literal byte; the last one before `\E` may carry a quantifier, so `\E` is taken with it. */
function readQuoted(reader: Reader): Node {
  const node = readLiteral(reader)
  if (reader.takes('\\E')) reader.quoted = false
  return node
}

interface Count {
  readonly min: number
  readonly max: number
}

const signs: Readonly<Record<string, Count>> = {
  '*': { min: 0, max: Number.POSITIVE_INFINITY },
  '+': { min: 1, max: Number.POSITIVE_INFINITY },
  '?': { min: 0, max: 1 },
}

function readQuantifier(reader: Reader, body: Node): Node {
  reader.skipIgnored()
  const from = reader.at
  const count = readCount(reader)
  if (count === undefined) return body
  const mode: Mode = reader.takes('?') ? 'lazy' : reader.takes('+') ? 'possessive' : 'greedy'
  reader.skipIgnored()
  if (readCount(reader) !== undefined) reader.fail('one quantifier follows another', from)
  if (count.min > LARGEST_COUNT || (count.max > LARGEST_COUNT && count.max !== Number.POSITIVE_INFINITY)) {
    reader.fail(`a count is larger than ${LARGEST_COUNT}`, from)
  }
  // Perl takes {3,1} and matches nothing with it
  return count.min > count.max ? { kind: 'set', set: noByte } : { kind: 'repeat', body, ...count, mode }
}

function readCount(reader: Reader): Count | undefined {
  const sign = signs[reader.peek()]
  if (sign === undefined) return braces(reader)
  reader.at++
  return sign
}

/** `{2}`, `{2,}`, `{2,5}`, `{,5}`, with blanks inside (Perl 5.34); any other brace is a character. */
function braces(reader: Reader): Count | undefined {
  const found = reader.take(/\{[ \t]*(?:(\d+)[ \t]*(?:(,)[ \t]*(\d*)[ \t]*)?|,[ \t]*(\d+)[ \t]*)\}/y)
  if (found === null) return undefined
  const [, low, comma, high, upTo] = found
  if (upTo !== undefined) return { min: 0, max: Number(upTo) }
  const min = Number(low)
  if (comma === undefined) return { min, max: min }
  return { min, max: high ? Number(high) : Number.POSITIVE_INFINITY }
}
