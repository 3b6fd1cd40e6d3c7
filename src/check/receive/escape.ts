import { type ByteSet, bytes, letterClasses, noByte, notNewline, propertySet } from './bytes.ts'
import type { Reader } from './reader.ts'
import type { Anchor, Node } from './tree.ts'

const anchors: ReadonlyMap<string, Anchor> = new Map([
  ['A', 'start'],
  ['G', 'start'], // where the last match ended: there was none
  ['z', 'end'],
  ['Z', 'last'],
  ['b', 'word'],
  ['B', 'not-word'],
])

/** What follows a backslash outside brackets; the backslash is read already. */
export function readEscape(reader: Reader): Node {
  const from = reader.at - 1
  const letter = reader.peek()
  if (letter === '') reader.fail('the pattern ends in a backslash', from)
  const anchor = anchors.get(letter)
  if (anchor !== undefined) return readAnchor(reader, anchor, from)
  if (/[1-9]/.test(letter)) return readNumber(reader, from)
  if (letter === 'g' || letter === 'k') return readReference(reader, from)
  if (letter === 'R') return step(reader, { kind: 'newline' })
  if (letter === 'K') return step(reader, { kind: 'sequence', items: [] }) // moves the match's start: nobody looks
  if (letter === 'X' || letter === 'C') reader.fail(`\\${letter} is not supported`, from)
  return { kind: 'set', set: readSetEscape(reader, from) }
}

function step(reader: Reader, node: Node): Node {
  reader.at++
  return node
}

function readAnchor(reader: Reader, at: Anchor, from: number): Node {
  reader.at++
  if ((at === 'word' || at === 'not-word') && reader.take(/\{[a-z]+\}/y) !== null) {
    reader.fail('boundaries of a kind, \\b{…}, are not supported', from)
  }
  return { kind: 'anchor', at }
}

/** `\1` to `\9` are references; longer ones are if so many groups are open yet, else octal (perlrebackslash). */
function readNumber(reader: Reader, from: number): Node {
  const digits = /[0-9]+/y
  digits.lastIndex = reader.at
  const text = digits.exec(reader.text)?.[0] ?? ''
  const group = Number(text)
  if (group >= 10 && group > reader.groups && /^[0-7]/.test(text)) {
    return { kind: 'set', set: reader.cased(readOctal(reader)) }
  }
  reader.at += text.length
  return reference(reader, group, from)
}

function readReference(reader: Reader, from: number): Node {
  const found = reader.take(/g\{(-?\d+)\}|g(-?\d+)|[gk]\{([A-Za-z_]\w*)\}|k<([A-Za-z_]\w*)>|k'([A-Za-z_]\w*)'/y)
  if (found === null) {
    reader.at++
    return reader.fail('a reference to a group needs its number or name', from)
  }
  const number = found[1] ?? found[2]
  if (number === undefined) return reference(reader, found[3] ?? found[4] ?? found[5] ?? '', from)
  const group = Number(number)
  return reference(reader, group < 0 ? reader.groups + 1 + group : group, from)
}

export function reference(reader: Reader, group: number | string, from: number): Node {
  if (reader.flags.i) reader.fail('a reference to a group under (?i) is not supported', from)
  reader.references.push({ group, at: from })
  return { kind: 'reference', group: typeof group === 'number' ? group : (reader.names.get(group) ?? 0) }
}

/** The escapes that stand for one byte out of a set, inside brackets too. */
export function readSetEscape(reader: Reader, from: number): ByteSet {
  const letter = reader.next()
  const named = letterClasses.get(letter)
  if (named !== undefined) return named
  if (letter === 'p' || letter === 'P') return readProperty(reader, letter === 'P', from)
  if (letter === 'N') return readNamed(reader, from)
  reader.at--
  return reader.cased(readByteEscape(reader, from))
}

function readProperty(reader: Reader, negative: boolean, from: number): ByteSet {
  const found = reader.take(/\{\s*(\^?)\s*([\w =:-]+?)\s*\}|([A-Z])/y)
  const name = (found?.[2] ?? found?.[3] ?? '').replaceAll(':', '=').replaceAll(/[ -]/g, '_')
  const set = found === null ? undefined : propertySet(name)
  if (set === undefined) return reader.fail('there is no such property', from)
  const wanted = reader.cased(set)
  return negative !== (found?.[1] === '^') ? wanted.map((value) => 1 - value) : wanted
}

/** `\N` is any byte but newline, `\N{U+41}` a character. */
function readNamed(reader: Reader, from: number): ByteSet {
  const character = reader.take(/\{U\+([0-9A-Fa-f]+)\}/y)
  if (character !== null) return reader.cased(byteOf(Number.parseInt(character[1] ?? '', 16)))
  if (reader.looksAt('{') && !/^\{\s*[\d,]/.test(reader.text.slice(reader.at))) {
    return reader.fail('characters by name, \\N{…}, are not supported', from)
  }
  return notNewline
}

const controls: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 }

function readByteEscape(reader: Reader, from: number): ByteSet {
  if (/[0-7]/.test(reader.peek())) return readOctal(reader)
  const letter = reader.next()
  const control = controls[letter]
  if (control !== undefined) return bytes(control)
  if (letter === 'x') return readHex(reader, from)
  if (letter === 'o') return readBracedOctal(reader, from)
  if (letter === 'c') {
    if (reader.done) reader.fail('\\c needs a character', from)
    return bytes((reader.next().toUpperCase().charCodeAt(0) ^ 64) & 0x7f)
  }
  // anything else stands for itself, as Perl passes it through
  return bytes(letter.charCodeAt(0))
}

function readOctal(reader: Reader): ByteSet {
  return byteOf(Number.parseInt(reader.take(/[0-7]{1,3}/y)?.[0] ?? '0', 8))
}

function readBracedOctal(reader: Reader, from: number): ByteSet {
  const found = reader.take(/\{\s*([0-7]+)\s*\}/y)
  return found === null
    ? reader.fail('\\o needs octal digits in braces', from)
    : byteOf(Number.parseInt(found[1] ?? '', 8))
}

function readHex(reader: Reader, from: number): ByteSet {
  if (!reader.looksAt('{')) return byteOf(Number.parseInt(reader.take(/[0-9A-Fa-f]{1,2}/y)?.[0] ?? '0', 16))
  const found = reader.take(/\{\s*([0-9A-Fa-f_]*)\s*\}/y)
  if (found === null) return reader.fail('\\x{ needs hexadecimal digits and a closing brace', from)
  return byteOf(Number.parseInt(found[1]?.replaceAll('_', '') || '0', 16))
}

/** A character above a byte is in no reply. */
function byteOf(code: number): ByteSet {
  return code > 0xff ? noByte : bytes(code)
}
