import { type ByteSet, bytes, complement, posixClasses, union } from './bytes.ts'
import { readSetEscape } from './escape.ts'
import type { Reader } from './reader.ts'

/** A bracketed class; the opening bracket is read already. */
export function readClass(reader: Reader): ByteSet {
  const from = reader.at - 1
  const negative = reader.takes('^')
  const parts: ByteSet[] = []
  // a bracket that stands first is one of the class
  if (reader.looksAt(']')) parts.push(readItem(reader, from))
  while (!reader.takes(']')) {
    if (reader.done) reader.fail('[ is not closed', from)
    parts.push(readItem(reader, from))
  }
  const set = reader.cased(union(...parts))
  return negative ? complement(set) : set
}

/** One byte, a range, or a class within the class. */
function readItem(reader: Reader, classFrom: number): ByteSet {
  const from = reader.at
  const low = readMember(reader)
  if (!reader.looksAt('-') || reader.text.charAt(reader.at + 1) === ']') return low
  if (reader.at + 1 >= reader.text.length) return reader.fail('[ is not closed', classFrom)
  const first = onlyByte(low)
  if (first === undefined) return low // a class cannot begin a range: the hyphen is itself
  reader.at++
  const high = readMember(reader)
  const last = onlyByte(high)
  if (last === undefined) return union(low, bytes(0x2d), high)
  if (first > last) return reader.fail('the range in [ ] runs backwards', from)
  return bytes([first, last])
}

function readMember(reader: Reader): ByteSet {
  const from = reader.at
  const posix = reader.take(/\[:(\^?)([A-Za-z]*):\]/y)
  if (posix !== null) {
    const set = posixClasses.get(posix[2] ?? '')
    if (set === undefined) return reader.fail(`there is no class [:${posix[2]}:]`, from)
    const cased = reader.cased(set)
    return posix[1] === '^' ? complement(cased) : cased
  }
  const letter = reader.next()
  if (letter !== '\\') return bytes(letter.charCodeAt(0))
  if (reader.done) return reader.fail('[ is not closed', from)
  if (reader.takes('b')) return bytes(8)
  return withoutCase(reader, () => readSetEscape(reader, from))
}

/** The ends of a range are single bytes; the class as a whole is folded at its end. */
function withoutCase(reader: Reader, read: () => ByteSet): ByteSet {
  const { flags } = reader
  reader.flags = { ...flags, i: false }
  const set = read()
  reader.flags = flags
  return set
}

function onlyByte(set: ByteSet): number | undefined {
  const first = set.indexOf(1)
  return first >= 0 && first === set.lastIndexOf(1) ? first : undefined
}
