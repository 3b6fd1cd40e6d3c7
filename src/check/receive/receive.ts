import { RE2JS } from 're2js'
import { messageOf } from '../../lib/errors.ts'
import { printBacktracking, searchBacktracking } from './backtracking.ts'
import { NotLinear, printLinear } from './linear.ts'
import { parsePattern } from './parse.ts'
import { type Node, PatternError } from './tree.ts'

/** Never more of a reply is looked at. */
export const MOST_BYTES = 1 << 20
const MOST_BYTES_BACKTRACKING = 1 << 16
/** Bytes times size of the compiled pattern: what the linear engine may cost, a fraction of a second at the worst. */
const MOST_STEPS = 1 << 25

/** A `receive` pattern: Perl's syntax and meaning, on bytes, unanchored. */
export interface ReceivePattern {
  /** As it stands in the file. */
  readonly source: string
  readonly engine: 'linear' | 'backtracking'
  /** Why the built-in engine had to be taken; undefined for the linear one. */
  readonly why: string | undefined
  /** Bytes of a reply that are looked at. */
  readonly mostBytes: number
  /** Whether more text could undo a match (`$`, `\z`, `\b`, look-around): then only the whole reply can be judged. */
  readonly needsEnd: boolean
  /** Whether the pattern is in the reply; a string holds one byte a character (latin1). */
  test(body: Buffer | string): boolean
  /** As `test`, and `gave-up` when the built-in engine found no answer in its time. */
  search(body: Buffer | string): 'yes' | 'no' | 'gave-up'
  /** The source: it stands for the pattern in a probe's key. */
  toJSON(): string
}

/** Why a pattern does not compile, and where, in UTF-16 units of the source. */
export interface PatternFault {
  readonly message: string
  readonly offset: number
  readonly length: number
}

/** Compiles a `receive` pattern. Characters above ASCII stand for their UTF-8 bytes, as they do in the file. */
export function compileReceive(source: string): ReceivePattern | PatternFault {
  const text = Buffer.from(source, 'utf8').toString('latin1')
  try {
    return compile(source, parsePattern(text))
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return faultOf(error, text)
  }
}

export function isFault(compiled: ReceivePattern | PatternFault): compiled is PatternFault {
  return 'message' in compiled
}

function faultOf(error: PatternError, text: string): PatternFault {
  const unitsUpTo = (byte: number): number => Buffer.from(text.slice(0, byte), 'latin1').toString('utf8').length
  const offset = unitsUpTo(error.offset)
  return { message: error.message, offset, length: Math.max(1, unitsUpTo(error.offset + error.length) - offset) }
}

function compile(source: string, node: Node): ReceivePattern {
  try {
    return linear(source, node)
  } catch (error) {
    const why = error instanceof NotLinear ? error.message : `what RE2 says of it: ${messageOf(error)}`
    return backtracking(source, node, why)
  }
}

function linear(source: string, node: Node): ReceivePattern {
  const pattern = RE2JS.compile(printLinear(node))
  const mostBytes = Math.min(MOST_BYTES, Math.floor(MOST_STEPS / Math.max(1, pattern.programSize())))
  const search = (body: Buffer | string): 'yes' | 'no' => (pattern.test(latin1(body, mostBytes)) ? 'yes' : 'no')
  return make({ source, engine: 'linear', why: undefined, mostBytes, needsEnd: needsEnd(node), search })
}

function backtracking(source: string, node: Node, why: string): ReceivePattern {
  const mostBytes = MOST_BYTES_BACKTRACKING
  let pattern: RegExp
  try {
    pattern = new RegExp(printBacktracking(node))
  } catch (error) {
    throw new PatternError(messageOf(error), { offset: 0, length: source.length, cause: error })
  }
  const search = (body: Buffer | string): 'yes' | 'no' | 'gave-up' => {
    const found = searchBacktracking(pattern, latin1(body, mostBytes))
    return found === undefined ? 'gave-up' : found ? 'yes' : 'no'
  }
  return make({ source, engine: 'backtracking', why, mostBytes, needsEnd: true, search })
}

function make(parts: Omit<ReceivePattern, 'test' | 'toJSON'>): ReceivePattern {
  return { ...parts, test: (body) => parts.search(body) === 'yes', toJSON: () => parts.source }
}

function latin1(body: Buffer | string, mostBytes: number): string {
  if (typeof body === 'string') return body.length > mostBytes ? body.slice(0, mostBytes) : body
  return body.toString('latin1', 0, Math.min(body.length, mostBytes))
}

function needsEnd(node: Node): boolean {
  switch (node.kind) {
    case 'anchor':
      return node.at !== 'start' && node.at !== 'line-start'
    case 'sequence':
      return node.items.some(needsEnd)
    case 'choice':
      return node.options.some(needsEnd)
    case 'set':
    case 'newline':
      return false
    case 'look':
    case 'reference':
      return true
    default:
      return needsEnd(node.body)
  }
}
