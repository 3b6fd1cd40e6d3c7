import { reference } from './escape.ts'
import { type Flags, noFlags, type Reader } from './reader.ts'
import type { Node } from './tree.ts'

type ReadChoice = (reader: Reader) => Node

/** What a parenthesis opens; it is read already. Undefined for one that only sets flags. */
export function readGroup(reader: Reader, readChoice: ReadChoice): Node | undefined {
  const from = reader.at - 1
  if (reader.looksAt('*')) reader.fail('(* verbs are not supported', from)
  if (!reader.takes('?')) return readPlain(reader, readChoice, from)
  const look = reader.take(/(<?)([=!])/y)
  if (look !== null) {
    const body = closed(reader, readChoice, from)
    return { kind: 'look', ahead: look[1] === '', negative: look[2] === '!', body }
  }
  if (reader.takes('>')) return { kind: 'atomic', body: closed(reader, readChoice, from) }
  if (reader.takes('|')) {
    reader.sharesNumbers = true
    return closed(reader, readChoice, from)
  }
  const name = reader.take(/P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)'/y)
  if (name !== null) return capture(reader, readChoice, { from, name: name[1] ?? name[2] ?? '' })
  const named = reader.take(/P=([A-Za-z_]\w*)\)/y)
  if (named !== null) return reference(reader, named[1] ?? '', from)
  return readFlags(reader, readChoice, from)
}

function readPlain(reader: Reader, readChoice: ReadChoice, from: number): Node {
  return reader.flags.n ? closed(reader, readChoice, from) : capture(reader, readChoice, { from })
}

function capture(reader: Reader, readChoice: ReadChoice, at: { readonly from: number; readonly name?: string }): Node {
  const group = ++reader.groups
  if (at.name !== undefined && !reader.names.has(at.name)) reader.names.set(at.name, group)
  return { kind: 'capture', group, body: closed(reader, readChoice, at.from) }
}

function closed(reader: Reader, readChoice: ReadChoice, from: number): Node {
  const body = readChoice(reader)
  if (!reader.takes(')')) reader.fail('( is not closed', from)
  return body
}

/** `(?i)`, `(?i-s:…)`, `(?^i:…)`, `(?:…)`. */
function readFlags(reader: Reader, readChoice: ReadChoice, from: number): Node | undefined {
  const found = reader.take(/(\^?)([a-z]*)(?:-([a-z]*))?([:)])/y)
  if (found === null || /[^adilmnpsux]/.test(`${found[2]}${found[3] ?? ''}`)) {
    reader.take(/[^)]/y)
    return reader.fail(`${reader.text.slice(from, reader.at)} is not supported`, from)
  }
  const [, reset, on = '', off = '', end] = found
  const flags = withFlags(reset === '^' ? noFlags : reader.flags, on, off)
  if (end === ')') {
    reader.flags = flags
    return undefined
  }
  const outer = reader.flags
  reader.flags = flags
  const body = closed(reader, readChoice, from)
  reader.flags = outer
  return body
}

/** a, d, l, u and p change nothing where the text is bytes. */
function withFlags(flags: Flags, on: string, off: string): Flags {
  const value = (name: keyof Flags): boolean => (flags[name] || on.includes(name)) && !off.includes(name)
  return { i: value('i'), m: value('m'), s: value('s'), x: value('x'), n: value('n') }
}
