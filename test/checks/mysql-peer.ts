import { constants, createHash, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Behaviour } from '../check/hostile.ts'

/** A packet of the MySQL protocol: length in three bytes, low byte first, sequence number, payload. */
export function packet(sequence: number, payload: Buffer): Buffer {
  return Buffer.concat([header(payload.length, sequence), payload])
}

export function header(length: number, sequence: number): Buffer {
  return Buffer.from([length & 0xff, (length >> 8) & 0xff, length >> 16, sequence])
}

export const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0])
const eof = Buffer.from([0xfe, 0, 0, 2, 0])

/** An ERR packet's payload; before the greeting it has no SQL state. */
export function failure(number: number, text: string, state = '#HY000'): Buffer {
  return Buffer.concat([Buffer.from([0xff, number & 0xff, number >> 8]), Buffer.from(state + text)])
}

const salt = Buffer.from('0123456789abcdefghij')
const columns = Buffer.from([1])
const column = Buffer.from('\x03def\0\0\0\x01n\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0', 'latin1')

/** The greeting of MySQL 8 with `caching_sha2_password`: LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH. */
export const greeting = packet(
  0,
  Buffer.concat([
    Buffer.from('\x0a8.0.36\0\x01\0\0\0', 'latin1'),
    salt.subarray(0, 8),
    Buffer.from([0, 0x09, 0x82, 0xff, 2, 0, 0x08, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    salt.subarray(8),
    Buffer.from('\0caching_sha2_password\0'),
  ]),
)

/** A result of one column and `rows` rows, as the answer to a query. */
export function resultOf(rows: number): Buffer {
  const row = Buffer.from('\x011')
  const payloads = [columns, column, eof, ...Array.from({ length: rows }, () => row), eof]
  return Buffer.concat(payloads.map((payload, index) => packet(index + 1, payload)))
}

export interface Mysql8 {
  readonly behave: Behaviour
  /** The queries of all connections. */
  readonly queries: readonly string[]
  /** How many clients said good-bye. */
  quits(): number
}

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

/** A stand-in for MySQL 8: `fast` knows the account's hash already, `full` asks for the password itself, under RSA. */
export function mysql8(password: string, path: 'fast' | 'full', answer = resultOf(1)): Mysql8 {
  const queries: string[] = []
  let quits = 0
  const denied = failure(1045, 'Access denied', '#28000')
  const login = (payload: Buffer, reply: Reply): State => {
    const proof = payload.subarray(payload.indexOf(0, 32) + 2).subarray(0, 32)
    if (path === 'full') return reply([Buffer.from([1, 4])], keyRequest)
    return proof.equals(proofOf(password)) ? reply([Buffer.from([1, 3]), ok], command) : reply([denied], over)
  }
  const keyRequest: State = (payload, reply) =>
    payload.equals(Buffer.from([2]))
      ? reply([Buffer.concat([Buffer.from([1]), Buffer.from(keys.publicKey)])], encrypted)
      : reply([denied], over)
  const encrypted: State = (payload, reply) => {
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    const masked = privateDecrypt({ key: keys.privateKey, oaepHash: 'sha1', padding }, payload)
    const plain = masked.map((byte, index) => byte ^ (salt[index % salt.length] ?? 0))
    return Buffer.from(plain).equals(Buffer.from(`${password}\0`)) ? reply([ok], command) : reply([denied], over)
  }
  const command: State = (payload, _reply, socket) => {
    if (payload[0] === 3) {
      queries.push(payload.subarray(1).toString())
      socket.write(answer)
    } else {
      quits++
      socket.end()
    }
    return command
  }
  const over: State = (_payload, _reply, socket) => {
    socket.end()
    return over
  }
  return { behave: converse(greeting, login), queries, quits: () => quits }
}

type Reply = (payloads: readonly Buffer[], next: State) => State
/** What is done with the client's next packet; gives what is done with the one after it. */
export type State = (payload: Buffer, reply: Reply, socket: Socket) => State

/** Says `first`, then takes the client's packets one by one. */
export function converse(first: Buffer, start: State): Behaviour {
  return (socket) => {
    let state = start
    let rest: Buffer = Buffer.alloc(0)
    socket.write(first)
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= 4 + rest.readUIntLE(0, 3)) {
        const length = rest.readUIntLE(0, 3)
        const payload = rest.subarray(4, 4 + length)
        let sequence = rest[3] ?? 0
        rest = rest.subarray(4 + length)
        const reply: Reply = (payloads, next) => {
          socket.write(Buffer.concat(payloads.map((each) => packet(++sequence, each))))
          return next
        }
        state = state(payload, reply, socket)
      }
    })
  }
}

/** What caching_sha2_password proves the password with: SHA256(p) XOR SHA256(SHA256(SHA256(p)) salt). */
function proofOf(password: string): Buffer {
  const sha = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  const once = sha(Buffer.from(password))
  const mask = sha(sha(once), salt)
  return Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)))
}
