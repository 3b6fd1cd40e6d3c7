import type { Socket } from 'node:net'
import type { Behaviour } from '../check/hostile.ts'

/** Tag, length, content: a BER element of at most 64 KiB. */
export function ber(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const { length } = content
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const number = (value: number): Buffer => ber(2, Buffer.from([value]))

/** A message of that number; one of 0 is the server's own. */
export const message = (id: number, ...operation: readonly Buffer[]): Buffer => ber(0x30, number(id), ...operation)

/** Kinds of results by their tags (RFC 4511, appendix B). */
const tags = { bind: 0x61, search: 0x65, extended: 0x78 } as const

export function result(kind: keyof typeof tags, code: number, text = ''): Buffer {
  return ber(tags[kind], ber(0x0a, Buffer.from([code])), ber(4), ber(4, text))
}

export const entry = (name: string, ...attributes: readonly Buffer[]): Buffer =>
  ber(0x64, ber(4, name), ber(0x30, ...attributes))

export const attribute = (type: string, value: string): Buffer => ber(0x30, ber(4, type), ber(0x31, ber(4, value)))

export const reference = (url: string): Buffer => ber(0x73, ber(4, url))

/** What is done with the request of that number. */
export type Answer = (id: number, socket: Socket) => void

/** Answers with these operations, each in a message of its own. */
export const says =
  (...operations: readonly Buffer[]): Answer =>
  (id, socket) => {
    socket.write(Buffer.concat(operations.map((operation) => message(id, operation))))
  }

/** Takes the requests one by one, in this order; says nothing to those beyond the list. */
export function converse(...answers: readonly Answer[]): Behaviour {
  return (socket) => {
    let rest: Buffer = Buffer.alloc(0)
    let count = 0
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      // requests here are shorter than 128 bytes: one byte of length
      while (rest.length > 4 && rest.length >= 2 + (rest[1] ?? 0)) {
        const id = rest[4] ?? 0
        rest = rest.subarray(2 + (rest[1] ?? 0))
        answers[count++]?.(id, socket)
      }
    })
  }
}
