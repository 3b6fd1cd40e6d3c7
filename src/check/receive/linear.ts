import { areDisjoint, type ByteSet, newline, noByte, rangesOf } from './bytes.ts'
import type { Node } from './tree.ts'

/** What RE2 cannot express; the message names it. */
export class NotLinear extends Error {
  override readonly name = 'NotLinear'
}

/** What can come next: nothing at all, one of these bytes (none: the end of the text), or something not looked into. */
type Follow = 'nothing' | ByteSet | undefined

/**
 * The pattern in RE2 syntax, for asking whether it matches, not where: groups do not capture.
 *
 * @throws NotLinear for what RE2 cannot express
 */
export function printLinear(node: Node): string {
  return print(node, 'nothing')
}

function print(node: Node, follow: Follow): string {
  switch (node.kind) {
    case 'set':
      return printSet(node.set)
    case 'sequence':
      return printSequence(node.items, follow)
    case 'choice':
      return `(?:${node.options.map((option) => print(option, follow)).join('|')})`
    case 'capture':
      return `(?:${print(node.body, follow)})`
    case 'repeat':
      return printRepeat(node, follow)
    case 'anchor':
      return printAnchor(node.at, follow)
    case 'newline':
      if (follow !== 'nothing' && (follow === undefined || !areDisjoint(follow, newline))) {
        throw new NotLinear('\\R before what may be a newline')
      }
      return '(?:\\x{d}\\x{a}|[\\x{a}-\\x{d}\\x{85}])'
    case 'atomic':
      // with nothing after it there is nothing to give back to
      if (follow !== 'nothing') throw new NotLinear('an atomic group')
      return `(?:${print(node.body, follow)})`
    case 'look':
      throw new NotLinear(node.ahead ? 'look-ahead' : 'look-behind')
    case 'reference':
      throw new NotLinear('a back-reference')
  }
}

function printSequence(items: readonly Node[], follow: Follow): string {
  const parts = items.map((item, i) => {
    const next = items[i + 1]
    return print(item, next === undefined ? follow : firstOf(next))
  })
  return parts.join('')
}

function firstOf(node: Node): Follow {
  if (node.kind === 'set') return node.set
  if (node.kind === 'capture') return firstOf(node.body)
  if (node.kind === 'repeat' && node.min > 0) return firstOf(node.body)
  if (node.kind === 'sequence' && node.items[0] !== undefined) return firstOf(node.items[0])
  if (node.kind !== 'anchor') return undefined
  return node.at === 'end' ? noByte : node.at === 'last' ? newline : undefined
}

function printRepeat(node: Extract<Node, { kind: 'repeat' }>, follow: Follow): string {
  const { body, min, max, mode } = node
  if (mode === 'possessive' && !keepsAll(body, follow)) throw new NotLinear('a possessive quantifier')
  const inner = print(body, max === 1 ? follow : undefined)
  if (min === 0 && max === Number.POSITIVE_INFINITY) return `(?:${inner})*`
  if (min === 1 && max === Number.POSITIVE_INFINITY) return `(?:${inner})+`
  if (min === 0 && max === 1) return `(?:${inner})?`
  const upper = max === min ? '' : max === Number.POSITIVE_INFINITY ? ',' : `,${max}`
  return `(?:${inner}){${min}${upper}}`
}

/** A greedy repetition that could never give anything back with success is possessive already. */
function keepsAll(body: Node, follow: Follow): boolean {
  if (follow === 'nothing') return true
  return body.kind === 'set' && follow !== undefined && areDisjoint(body.set, follow)
}

function printAnchor(at: Extract<Node, { kind: 'anchor' }>['at'], follow: Follow): string {
  switch (at) {
    case 'start':
      return '\\A'
    case 'end':
      return '\\z'
    case 'last':
      // the newline is consumed here, which shows only if something follows
      if (follow !== 'nothing') throw new NotLinear('$ in front of more')
      return '(?:\\x{a}?\\z)'
    case 'line-start':
      // not after a newline that ends the text: a byte that follows makes sure of it
      if (!(follow instanceof Uint8Array) || follow.every((value) => value === 0))
        throw new NotLinear('^ under (?m) alone')
      return '(?m:^)'
    case 'line-end':
      return '(?m:$)'
    case 'word':
      return '\\b'
    case 'not-word':
      return '\\B'
  }
}

const escapeByte = (b: number): string => `\\x{${b.toString(16)}}`

function printSet(set: ByteSet): string {
  const inside = rangesOf(set, escapeByte)
  if (inside === '') return '[^\\x{0}-\\x{10ffff}]'
  return set.indexOf(1) === set.lastIndexOf(1) ? inside : `[${inside}]`
}
