import { createContext, Script } from 'node:vm'
import { type ByteSet, rangesOf } from './bytes.ts'
import type { Node } from './tree.ts'

/** How long one search by the built-in engine may hold the process up. */
const LONGEST_MS = 50
/** A search that was stopped without having had the processor is not over: the machine was busy, not the pattern bad. */
const mostTries = 10

/** The pattern in JavaScript's syntax. Groups go by name, so that added ones do not shift numbers. */
export function printBacktracking(node: Node): string {
  return new Printer().print(node)
}

class Printer {
  private added = 0

  print(node: Node): string {
    switch (node.kind) {
      case 'set':
        return printSet(node.set)
      case 'sequence':
        return node.items.map((item) => this.print(item)).join('')
      case 'choice':
        return `(?:${node.options.map((option) => this.print(option)).join('|')})`
      case 'capture':
        return `(?<g${node.group}>${this.print(node.body)})`
      case 'repeat':
        return this.printRepeat(node)
      case 'anchor':
        return anchors[node.at]
      case 'newline':
        return '(?:\\r\\n|(?!\\r\\n)[\\n-\\r\\x85])'
      case 'atomic':
        return this.atomic(this.print(node.body))
      case 'look':
        return `(?${node.ahead ? '' : '<'}${node.negative ? '!' : '='}${this.print(node.body)})`
      case 'reference':
        return `\\k<g${node.group}>`
    }
  }

  private printRepeat(node: Extract<Node, { kind: 'repeat' }>): string {
    const upper = node.max === Number.POSITIVE_INFINITY ? '' : node.max
    const text = `(?:${this.print(node.body)}){${node.min},${upper}}`
    if (node.mode === 'possessive') return this.atomic(text)
    return node.mode === 'lazy' ? `${text}?` : text
  }

  /** A look-ahead is never entered again: what it found is taken as a whole. */
  private atomic(text: string): string {
    const name = `a${++this.added}`
    return `(?:(?=(?<${name}>${text}))\\k<${name}>)`
  }
}

const anchors: Readonly<Record<Extract<Node, { kind: 'anchor' }>['at'], string>> = {
  start: '(?:^)',
  end: '(?:$)',
  last: '(?=\\n?$)',
  'line-start': '(?:^|(?<=\\n)(?!$))',
  'line-end': '(?=\\n|$)',
  word: '(?:\\b)',
  'not-word': '(?:\\B)',
}

function printSet(set: ByteSet): string {
  return `[${rangesOf(set, (b) => `\\x${b.toString(16).padStart(2, '0')}`)}]`
}

const room: { run: (() => void) | undefined } = { run: undefined }
createContext(room)
const script = new Script('run()')

/**
 * Whether the pattern is found; undefined when it was not after `LONGEST_MS` of computing. A starved process tries again: that
 * others have the processor is no evidence against a server.
 */
export function searchBacktracking(pattern: RegExp, text: string): boolean | undefined {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const before = process.cpuUsage()
    const found = searchOnce(pattern, text)
    if (found !== undefined) return found
    const { user, system } = process.cpuUsage(before)
    if ((user + system) / 1000 > LONGEST_MS / 2) return undefined
  }
  return undefined
}

/**
 * Undefined when it was stopped after `LONGEST_MS` of the wall clock. The engine asks for interrupts while it backtracks, so the
 * time-out of node:vm ends it on the spot, without another thread.
 */
function searchOnce(pattern: RegExp, text: string): boolean | undefined {
  let found = false
  room.run = () => {
    found = pattern.test(text)
  }
  try {
    script.runInContext(room, { timeout: LONGEST_MS })
    return found
  } catch {
    return undefined
  } finally {
    room.run = undefined
  }
}
