import { addressOfBytes } from '../../lib/ip-bytes.ts'
import { malformed } from './malformed.ts'
import { encodeName, readName } from './name.ts'

/** Record types this program asks for (RFC 1035 section 3.2.2, RFC 3596). */
export type RecordType = 'A' | 'AAAA' | 'PTR'

const numbers: Readonly<Record<RecordType, number>> = { A: 1, PTR: 12, AAAA: 28 }
const classInternet = 1
const headerLength = 12

export interface Question {
  /** Labels with dots between them, without one at the end; empty is the root. */
  readonly name: string
  readonly type: RecordType
}

/** A record of the answer section. */
export interface Answer {
  /** Its number, for a type that is not asked for (5 is CNAME). */
  readonly type: RecordType | number
  /** Address in normal form, or name; empty for a type that is not read. */
  readonly value: string
}

export interface Reply {
  readonly truncated: boolean
  readonly code: number
  readonly answers: readonly Answer[]
}

/** One recursive question, class IN. Throws RangeError for a name that cannot be asked for. */
export function encodeQuery(id: number, { name, type }: Question): Buffer {
  const header = Buffer.alloc(headerLength)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(0x0100, 2) // recursion desired
  header.writeUInt16BE(1, 4)
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(numbers[type], 0)
  tail.writeUInt16BE(classInternet, 2)
  return Buffer.concat([header, encodeName(name), tail])
}

/**
 * What a message says if it is the reply to this query, byte for byte the question that was asked; undefined when it
 * is another's (id, question) or no reply at all.
 *
 * @throws Failure when it is ours, but cannot be read
 */
export function readReply(message: Buffer, query: Buffer): Reply | undefined {
  if (message.length < headerLength || message.readUInt16BE(0) !== query.readUInt16BE(0)) return undefined
  const flags = message.readUInt16BE(2)
  const isReply = (flags & 0xf800) === 0x8000 // QR, and the opcode of a query
  if (!isReply) return undefined
  const code = flags & 0x000f
  const questions = message.readUInt16BE(4)
  const end = questions === 1 ? endOfQuestion(message, query) : undefined
  // a server that refuses may leave the question out
  if (end === undefined && (questions !== 0 || code === 0)) return undefined
  const truncated = (flags & 0x0200) !== 0
  const answers = end === undefined || truncated ? [] : readAnswers(message, end)
  return { truncated, code, answers }
}

/** Where the question ends if it is that of the query; upper and lower case are one (RFC 4343). */
function endOfQuestion(message: Buffer, query: Buffer): number | undefined {
  const asked = query.subarray(headerLength)
  const end = headerLength + asked.length
  const echoed = message.subarray(headerLength, end)
  return echoed.length === asked.length && lower(echoed) === lower(asked) ? end : undefined
}

const lower = (bytes: Buffer): string => bytes.toString('latin1').toLowerCase()

function readAnswers(message: Buffer, from: number): Answer[] {
  const answers: Answer[] = []
  let at = from
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const { end } = readName(message, at)
    if (end + 10 > message.length) throw malformed('a record is cut off')
    const type = message.readUInt16BE(end)
    const start = end + 10
    at = start + message.readUInt16BE(end + 8)
    if (at > message.length) throw malformed('a record is longer than the message')
    answers.push(readRecord(message, { type, start, end: at }))
  }
  return answers
}

function readRecord(message: Buffer, { type, start, end }: { type: number; start: number; end: number }): Answer {
  const data = message.subarray(start, end)
  if (type === numbers.A && data.length === 4) return { type: 'A', value: addressOfBytes(data, 4) }
  if (type === numbers.AAAA && data.length === 16) return { type: 'AAAA', value: addressOfBytes(data, 6) }
  if (type === numbers.PTR) return { type: 'PTR', value: readName(message, start).name }
  if (type === numbers.A || type === numbers.AAAA) throw malformed('an address of the wrong length')
  return { type, value: '' }
}
